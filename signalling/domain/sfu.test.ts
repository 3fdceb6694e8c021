import { expect, test } from 'bun:test';
import { lines, world } from '../testing/world.ts';
import { relayToStreamer } from './player.ts';
import {
  answerUpstream,
  relayFromSfu,
  removeSfu,
  requestStreamerChannels,
  startStreaming,
  stopStreaming,
} from './sfu.ts';
import { relayToPlayer } from './streamer.ts';
import { subscribe } from './subscription.ts';

test('subscribe() by an SFU is announced as one, and fails in silence', () => {
  const { registry, streamer, sfu } = world();
  streamer('Foo');
  const edge = sfu('S');
  expect(lines(subscribe(registry, edge, 'Foo'))).toEqual([
    '1 < playerConnected {"dataChannel":true,"sfu":true,"playerId":"2"}',
  ]);
  expect(subscribe(registry, edge, 'nobody')).toEqual([]);
  expect(subscribe(registry, edge, 'S')).toEqual([]);
});

test('relayFromSfu() reaches its own players, without the id', () => {
  const { registry, streamer, player, sfu } = world();
  streamer('Foo');
  const edge = sfu('S', 'Foo');
  const mine = player('S');
  const theirs = player('Foo');
  expect(lines(relayFromSfu(registry, edge, { type: 'offer', sdp: 'x', sfu: true, playerId: mine }))).toEqual(
    ['3 < offer {"sdp":"x","sfu":true}'],
  );
  const channels = { type: 'peerDataChannels' as const, sendStreamId: 1, recvStreamId: 2 };
  expect(lines(relayFromSfu(registry, edge, { ...channels, playerId: mine }))).toEqual([
    '3 < peerDataChannels {"sendStreamId":1,"recvStreamId":2}',
  ]);
  expect(relayFromSfu(registry, edge, { ...channels, playerId: theirs })).toEqual([]);
});

test('relayFromSfu() gives a view-only player no data channels', () => {
  const { registry, player, sfu } = world();
  const edge = sfu('S');
  const viewer = player('S', { view_only: true });
  const channels = { type: 'peerDataChannels' as const, sendStreamId: 1, recvStreamId: 2, playerId: viewer };
  expect(relayFromSfu(registry, edge, channels)).toEqual([]);
  expect(relayToStreamer(registry, viewer, { type: 'dataChannelRequest' })).toEqual([]);
});

test('answerUpstream() and requestStreamerChannels() name the SFU', () => {
  const { registry, streamer, sfu } = world();
  streamer('Foo');
  const edge = sfu('S', 'Foo');
  expect(lines(answerUpstream(registry, edge, { type: 'answer', sdp: 'x' }))).toEqual([
    '1 < answer {"sdp":"x","playerId":"2"}',
  ]);
  const request = { type: 'streamerDataChannels' as const, sendStreamId: 1, recvStreamId: 2, playerId: '7' };
  expect(lines(requestStreamerChannels(registry, edge, request))).toEqual([
    '1 < streamerDataChannels {"sendStreamId":1,"recvStreamId":2,"playerId":"7","sfuId":"2"}',
  ]);
  expect(answerUpstream(registry, sfu('alone'), { type: 'answer', sdp: 'x' })).toEqual([]);
});

test('relayToPlayer() reaches an SFU like a player, relayToStreamer() like a streamer', () => {
  const { registry, streamer, player, sfu } = world();
  const foo = streamer('Foo');
  const edge = sfu('S', 'Foo');
  expect(
    lines(relayToPlayer(registry, foo, { type: 'offer', sdp: 'x', playerId: edge, multiplex: true })),
  ).toEqual(['2 < offer {"sdp":"x","playerId":"2","multiplex":true}']);
  expect(lines(relayToStreamer(registry, player('S'), { type: 'dataChannelRequest' }))).toEqual([
    '2 < dataChannelRequest {"playerId":"3"}',
  ]);
});

test('stopStreaming() closes the players and leaves the list, startStreaming() comes back', () => {
  const { registry, player, sfu } = world();
  const edge = sfu('S');
  player('S');
  expect(lines(stopStreaming(registry, edge))).toEqual(['2 closed 1000']);
  expect(registry.streamers.get(edge)?.streaming).toBe(false);
  startStreaming(registry, edge);
  expect(registry.streamers.get(edge)?.streaming).toBe(true);
});

test('removeSfu() tells the streamer and closes the players', () => {
  const { registry, streamer, player, sfu } = world();
  streamer('Foo');
  const edge = sfu('S', 'Foo');
  player('S');
  expect(lines(removeSfu(registry, edge))).toEqual([
    '1 < playerDisconnected {"playerId":"2"}',
    '3 closed 1000',
  ]);
  expect([registry.streamers.size, registry.players.size]).toEqual([1, 0]);
});
