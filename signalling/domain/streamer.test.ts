import { expect, test } from 'bun:test';
import { lines, world } from '../testing/world.ts';
import { disconnectPlayer, identify, relayToPlayer, relayToSfus, removeStreamer } from './streamer.ts';
import { subscribe } from './subscription.ts';

test('identify() confirms the id and lists the streamer', () => {
  const { registry, streamer } = world();
  const foo = streamer();
  expect(registry.streamers.get(foo)).toMatchObject({ id: 'UnknownStreamer', streaming: false });
  expect(lines(identify(registry, foo, 'Foo', '1.3.0'))).toEqual([
    '1 < endpointIdConfirm {"committedId":"Foo"}',
  ]);
  expect(registry.streamers.get(foo)).toMatchObject({ id: 'Foo', streaming: true });
});

test('identify() lets a streamer that repeats its id keep it', () => {
  const { registry, streamer, player } = world();
  const foo = streamer('Foo');
  player('Foo');
  expect(lines(identify(registry, foo, 'Foo', '1.3.0'))).toEqual([
    '1 < endpointIdConfirm {"committedId":"Foo"}',
  ]);
});

test('identify() tells subscribers about a new name, which is then the only one', () => {
  const { registry, streamer, player } = world();
  const foo = streamer('Foo');
  const watcher = player('Foo');
  expect(lines(identify(registry, foo, 'Bar', '1.3.0'))).toEqual([
    '2 < streamerIdChanged {"newID":"Bar"}',
    '1 < endpointIdConfirm {"committedId":"Bar"}',
  ]);
  expect(lines(subscribe(registry, watcher, 'Foo'))).toEqual([
    '2 < subscribeFailed {"message":"Streamer Foo does not exist."}',
  ]);
});

test('identify() renames the second streamer of a name', () => {
  const { registry, streamer } = world();
  streamer('Foo');
  expect(registry.streamers.get(streamer('Foo'))?.id).toBe('Foo1');
  expect(registry.streamers.get(streamer('Foo'))?.id).toBe('Foo2');
});

test('identify() gives the id back to whoever shows the same token, and closes the old connection', () => {
  const { registry, streamer, player } = world();
  streamer('Foo', 'secret');
  player('Foo');
  const returned = streamer(undefined, 'secret');
  expect(lines(identify(registry, returned, 'Foo', '1.3.0'))).toEqual([
    '2 closed 1000',
    '1 closed 4409 Another streamer took this id with the same token.',
    '3 < endpointIdConfirm {"committedId":"Foo"}',
  ]);
  expect([...registry.streamers.keys()]).toEqual([returned]);
});

test('identify() renames who shows another token or none', () => {
  const { registry, streamer } = world();
  streamer('Foo', 'secret');
  expect(registry.streamers.get(streamer('Foo', 'other'))?.id).toBe('Foo1');
  expect(registry.streamers.get(streamer('Foo'))?.id).toBe('Foo2');
});

test('relayToPlayer() reaches the own players only, with the id kept', () => {
  const { registry, streamer, player } = world();
  const foo = streamer('Foo');
  streamer('Bar');
  const mine = player('Foo');
  const theirs = player('Bar');
  const offer = (playerId?: string) => ({ type: 'offer' as const, sdp: 'x', playerId, extra: 1 });
  expect(lines(relayToPlayer(registry, foo, offer(mine)))).toEqual([
    '3 < offer {"sdp":"x","playerId":"3","extra":1}',
  ]);
  for (const id of [theirs, '99', '', undefined]) {
    expect(relayToPlayer(registry, foo, offer(id))).toEqual([]);
  }
});

test('relayToSfus() reaches every subscribed SFU and no player', () => {
  const { registry, streamer, player, sfu } = world();
  const foo = streamer('Foo');
  player('Foo');
  sfu('S1', 'Foo');
  sfu('S2', 'Foo');
  sfu('S3');
  const message = { type: 'layerPreference' as const, spatialLayer: 1, temporalLayer: 2, playerId: '9' };
  expect(lines(relayToSfus(registry, foo, message))).toEqual([
    '3 < layerPreference {"spatialLayer":1,"temporalLayer":2,"playerId":"9"}',
    '4 < layerPreference {"spatialLayer":1,"temporalLayer":2,"playerId":"9"}',
  ]);
});

test('disconnectPlayer() closes an own player with the reason made harmless', () => {
  const { registry, streamer, player } = world();
  const foo = streamer('Foo');
  const bar = streamer('Bar');
  const kicked = player('Foo');
  const message = { type: 'disconnectPlayer' as const, playerId: kicked, reason: '<img src=x>' };
  expect(disconnectPlayer(registry, bar, message)).toEqual([]);
  expect(lines(disconnectPlayer(registry, foo, message))).toEqual([
    '1 < playerDisconnected {"playerId":"3"}',
    '3 closed 1011 _img src=x_',
  ]);
  expect(disconnectPlayer(registry, foo, message)).toEqual([]);
});

test('disconnectPlayer() on an SFU ends its own players too', () => {
  const { registry, streamer, player, sfu } = world();
  const foo = streamer('Foo');
  const edge = sfu('S', 'Foo');
  player('S');
  expect(lines(disconnectPlayer(registry, foo, { type: 'disconnectPlayer', playerId: edge }))).toEqual([
    '1 < playerDisconnected {"playerId":"2"}',
    '3 closed 1000',
    '2 closed 1011',
  ]);
  expect([registry.streamers.size, registry.players.size, registry.names.size]).toEqual([1, 0, 1]);
});

test('removeStreamer() closes players, tells SFUs, and ends what SFUs passed on', () => {
  const { registry, streamer, player, sfu } = world();
  const foo = streamer('Foo');
  player('Foo');
  const edge = sfu('S', 'Foo');
  player('S');
  expect(lines(removeStreamer(registry, foo))).toEqual([
    '2 closed 1000',
    '3 < streamerDisconnected',
    '4 closed 1000',
  ]);
  expect(registry.streamers.get(edge)?.streaming).toBe(false);
  expect(removeStreamer(registry, foo)).toEqual([]);
});

test('removeStreamer() ends on SFUs that watch each other', () => {
  const { registry, player, sfu } = world();
  const a = sfu('A');
  const b = sfu('B', 'A');
  subscribe(registry, a, 'B');
  player('A');
  expect(lines(removeStreamer(registry, b))).toEqual(['1 < streamerDisconnected', '3 closed 1000']);
});
