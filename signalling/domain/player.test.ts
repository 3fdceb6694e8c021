import { expect, test } from 'bun:test';
import { lines, world } from '../testing/world.ts';
import { listStreamers, relayToStreamer, removePlayer } from './player.ts';
import { subscribe, unsubscribe } from './subscription.ts';

const candidate = { type: 'iceCandidate' as const, candidate: { candidate: 'c' } };

test('listStreamers() shows players the streaming ones, SFUs all', () => {
  const { registry, streamer, player, sfu } = world();
  streamer('Foo');
  streamer();
  const edge = sfu('S');
  streamer('Bar');
  expect(lines(listStreamers(registry, player()))).toEqual(['5 < streamerList {"ids":["Foo","S","Bar"]}']);
  expect(lines(listStreamers(registry, edge))).toEqual([
    '3 < streamerList {"ids":["Foo","UnknownStreamer","S","Bar"]}',
  ]);
});

test('subscribe() announces the player to the streamer and to nobody else', () => {
  const { registry, streamer, player } = world();
  streamer('Foo');
  expect(lines(subscribe(registry, player(), 'Foo'))).toEqual([
    '1 < playerConnected {"dataChannel":true,"sfu":false,"playerId":"2"}',
  ]);
});

test('subscribe() to an unknown id fails and keeps the subscription', () => {
  const { registry, streamer, player } = world();
  streamer('Foo');
  const watcher = player('Foo');
  expect(lines(subscribe(registry, watcher, '<i>'))).toEqual([
    '2 < subscribeFailed {"message":"Streamer _i_ does not exist."}',
  ]);
  expect(registry.players.get(watcher)?.subscribed).toBe('1');
});

test('subscribe() ends a previous subscription first', () => {
  const { registry, streamer, player } = world();
  streamer('Foo');
  streamer('Bar');
  const watcher = player('Foo');
  expect(lines(subscribe(registry, watcher, 'Bar'))).toEqual([
    '1 < playerDisconnected {"playerId":"3"}',
    '2 < playerConnected {"dataChannel":true,"sfu":false,"playerId":"3"}',
  ]);
});

test('subscribe() refuses beyond max_players, to players and not to SFUs', () => {
  const { registry, streamer, player, sfu } = world({ max_players: 1 });
  streamer('Foo');
  sfu('S', 'Foo');
  player('Foo');
  const late = player();
  expect(lines(subscribe(registry, late, 'Foo'))).toEqual([
    `${late} < subscribeFailed {"message":"Streamer Foo is full. Max players = 1."}`,
  ]);
  expect(registry.players.get(late)?.subscribed).toBeUndefined();
  expect(lines(subscribe(registry, late, 'S'))).toHaveLength(1);
});

test('unsubscribe() tells the streamer once', () => {
  const { registry, streamer, player } = world();
  streamer('Foo');
  const watcher = player('Foo');
  expect(lines(unsubscribe(registry, watcher))).toEqual(['1 < playerDisconnected {"playerId":"2"}']);
  expect(unsubscribe(registry, watcher)).toEqual([]);
});

test('relayToStreamer() overwrites the id that the player wrote', () => {
  const { registry, streamer, player } = world();
  streamer('Foo');
  expect(lines(relayToStreamer(registry, player('Foo'), { ...candidate, playerId: '1' }))).toEqual([
    '1 < iceCandidate {"candidate":{"candidate":"c"},"playerId":"2"}',
  ]);
});

test('relayToStreamer() attaches nobody to a streamer that it did not ask for', () => {
  const { registry, streamer, player } = world();
  streamer('Foo');
  expect(relayToStreamer(registry, player(), candidate)).toEqual([]);
});

test('relayToStreamer() attaches legacy pages to the first streamer', () => {
  const { registry, streamer, player } = world({ legacy_auto_subscribe: true });
  streamer();
  streamer('Bar');
  expect(lines(relayToStreamer(registry, player(), candidate))).toEqual([
    '1 < playerConnected {"dataChannel":true,"sfu":false,"playerId":"3"}',
    '1 < iceCandidate {"candidate":{"candidate":"c"},"playerId":"3"}',
  ]);
});

test('relayToStreamer() survives a legacy page whose only streamer is full', () => {
  const { registry, streamer, player } = world({ legacy_auto_subscribe: true, max_players: 1 });
  streamer('Foo');
  player('Foo');
  expect(lines(relayToStreamer(registry, player(), candidate))).toEqual([
    '3 < subscribeFailed {"message":"Streamer Foo is full. Max players = 1."}',
  ]);
});

test('relayToStreamer() closes a legacy page when there is no streamer', () => {
  const { registry, player } = world({ legacy_auto_subscribe: true });
  expect(lines(relayToStreamer(registry, player(), candidate))).toEqual(['1 closed 1000']);
  expect(registry.players.size).toBe(0);
});

test('relayToStreamer() takes the data channel from a view-only player', () => {
  const { registry, streamer, player } = world();
  streamer('Foo');
  const viewer = player('Foo', { view_only: true });
  const sdp = 'v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n';
  expect(lines(relayToStreamer(registry, viewer, { type: 'answer', sdp }))).toEqual([
    `1 < answer ${JSON.stringify({ sdp: sdp.replace('n 9', 'n 0'), playerId: '2' })}`,
  ]);
  expect(relayToStreamer(registry, viewer, { type: 'dataChannelRequest' })).toEqual([]);
  expect(relayToStreamer(registry, viewer, { type: 'peerDataChannelsReady' })).toEqual([]);
});

test('removePlayer() tells the streamer, once', () => {
  const { registry, streamer, player } = world();
  streamer('Foo');
  const watcher = player('Foo');
  expect(lines(removePlayer(registry, watcher))).toEqual(['1 < playerDisconnected {"playerId":"2"}']);
  expect(removePlayer(registry, watcher)).toEqual([]);
});

test('relayToStreamer() passes no field that an Unreal reader would take for another one', () => {
  const { registry, streamer, player } = world();
  streamer('Foo');
  const honest = player('Foo');
  const sly = { ...candidate, PlayerId: '77', TYPE: 'answer', Sdp: 'x', novelty: 1 };
  expect(lines(relayToStreamer(registry, honest, sly))).toEqual([
    '1 < iceCandidate {"candidate":{"candidate":"c"},"novelty":1,"playerId":"2"}',
  ]);
  const watcher = player('Foo', { view_only: true });
  const slyCandidate = { candidate: 'c', sdpMid: '0', x: 1 };
  const slier = { type: 'iceCandidate' as const, candidate: slyCandidate, sdp: 'x', SDP: 'y', novelty: 1 };
  expect(lines(relayToStreamer(registry, watcher, slier))).toEqual([
    '1 < iceCandidate {"candidate":{"candidate":"c","sdpMid":"0"},"playerId":"3"}',
  ]);
  const answer = { type: 'answer' as const, sdp: 'v=0', SDP: 'm=application 9 x y' };
  expect(lines(relayToStreamer(registry, watcher, answer))).toEqual([
    '1 < answer {"sdp":"v=0","playerId":"3"}',
  ]);
});
