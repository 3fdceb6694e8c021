import { expect, test } from 'bun:test';
import { toStreamer } from '../../shared/protocol/pixel-streaming.ts';
import { lines, type World, world } from '../testing/world.ts';
import { learnRefusal, pagesOffer, understands } from './dialect.ts';
import { listStreamers, relayToStreamer, removePlayer } from './player.ts';
import { identify, removeStreamer } from './streamer.ts';
import { silent, subscribe } from './subscription.ts';

const spoken = (given: World): string[] => {
  const [streamer] = given.registry.streamers.values();
  if (streamer === undefined) throw new Error('no streamer');
  return (Object.keys(toStreamer) as (keyof typeof toStreamer)[]).filter((type) =>
    understands(given.registry, streamer, type),
  );
};

const always = ['identify', 'config', 'playerDisconnected', 'offer', 'answer', 'iceCandidate', 'pong'].sort();

const languages: [engine: string, version: string, more: string[]][] = [
  ['4.27', '', []],
  ['', '', ['playerConnected']],
  ['5.0', '', ['playerConnected']],
  ['5.1', '', ['playerConnected']],
  ['5.2', '', ['playerConnected', 'streamerDataChannels']],
  ['5.8', '', ['playerConnected', 'streamerDataChannels']],
];
for (const [engine, version, more] of languages) {
  test(`understands() what a streamer of ${engine || 'an unknown engine'} knows`, () => {
    const given = world({ engine });
    given.streamer('Foo', undefined, version);
    expect(spoken(given).sort()).toEqual([...always, ...more].sort());
  });
}

test('understands() everything that there is, where the protocol version was told, whatever the operator says', () => {
  for (const engine of ['', '4.27']) {
    const given = world({ engine });
    given.streamer('Foo', undefined, '1.1.0');
    expect(spoken(given)).toEqual(Object.keys(toStreamer));
  }
});

test('understands() takes a streamer that has not said who it is, or tells an empty version, for an old one', () => {
  const given = world();
  const foo = given.streamer();
  expect(spoken(given).sort()).toEqual([...always, 'playerConnected'].sort());
  identify(given.registry, foo, 'Foo', '');
  expect(spoken(given)).not.toContain('endpointIdConfirm');
  identify(given.registry, foo, 'Foo', '1.0.0');
  identify(given.registry, foo, 'Bar');
  expect(spoken(given)).toContain('endpointIdConfirm');
});

const closes: [code: number, reason: string, learned: string | undefined][] = [
  [4001, 'Unsupported message received: playerConnected', 'playerConnected'],
  [4000, 'Unsupported message received: playerConnected', 'playerConnected'],
  [4001, 'unsupported message type "playerConnected".', 'playerConnected'],
  [4001, 'Unsupported message received: streamerDataChannels', 'streamerDataChannels'],
  [4001, 'Unsupported message received: somethingElse', undefined],
  [4001, 'Unsupported message received: constructor', undefined],
  [4001, 'Unsupported message received: ', undefined],
  [4000, 'Malformed playerConnected', undefined],
  [1000, 'Unsupported message received: playerConnected', undefined],
  [4001, '', undefined],
];
for (const [code, reason, learned] of closes) {
  test(`learnRefusal() reads ${code} ${reason}`, () => {
    const { registry, streamer } = world();
    expect(learnRefusal(registry, streamer('Foo', undefined, ''), code, reason)).toBe(learned);
  });
}

const reason = 'Unsupported message received: playerConnected';

test('learnRefusal() holds for the next connection of the streamer and for nobody else', () => {
  const { registry, streamer, player } = world();
  const close = (connection: string) => {
    learnRefusal(registry, connection, 4001, reason);
    removeStreamer(registry, connection);
  };
  close(streamer('Foo', undefined, ''));
  close(streamer('Bar', 'secret', ''));
  const told = (id: string, token?: string) => {
    const connection = streamer(id, token, '');
    const [effect] = lines(subscribe(registry, player(), id));
    removeStreamer(registry, connection);
    return effect?.includes('playerConnected') === true;
  };
  expect([told('Foo'), told('Foo', 'secret'), told('Bar'), told('Bar', 'secret'), told('Baz')]).toEqual([
    ...[false, true, true, false, true],
  ]);
});

test('learnRefusal() remembers a thousand streamers and forgets the oldest', () => {
  const { registry, streamer } = world();
  for (let nth = 0; nth < 1_500; nth += 1) {
    const connection = streamer(`Foo ${nth}`, undefined, '');
    learnRefusal(registry, connection, 4001, reason);
    removeStreamer(registry, connection);
  }
  expect(registry.refusals.size).toBe(1_000);
  expect([...registry.refusals.keys()][0]).toContain('Foo 500');
});

test('learnRefusal() learns nothing from players, SFUs and strangers', () => {
  const { registry, player, sfu } = world();
  for (const connection of [player(), sfu('S'), '99'])
    expect(learnRefusal(registry, connection, 4001, reason)).toBeUndefined();
  expect(registry.refusals.size).toBe(0);
});

test('subscribe() is refused by a streamer that only answers, and keeps the subscription before', () => {
  const { registry, streamer, player, sfu } = world({ engine: '4.27' });
  streamer('Foo', undefined, '');
  streamer('New');
  const watcher = player('New');
  expect(lines(subscribe(registry, watcher, 'Foo'))).toEqual([
    expect.stringContaining(`${watcher} < subscribeFailed {"message":"Streamer Foo only answers offers`),
  ]);
  expect(registry.players.get(watcher)?.subscribed).toBe('2');
  const edge = sfu('S');
  expect(subscribe(registry, edge, 'Foo')).toEqual([]);
  expect(registry.players.get(edge)?.subscribed).toBeUndefined();
});

test('relayToStreamer() attaches a page that offers to the first streamer, and never to an SFU', () => {
  const { registry, streamer, player, sfu } = world({ legacy_auto_subscribe: true });
  const offer = { type: 'offer' as const, sdp: 'x' };
  sfu('S');
  expect(lines(relayToStreamer(registry, player(), offer))).toEqual([
    '2 < subscribeFailed {"message":"Streamer S does not take offers."}',
  ]);
  streamer('Foo', undefined, '');
  expect(lines(relayToStreamer(registry, player(), offer))).toEqual(['3 < offer {"sdp":"x","playerId":"4"}']);
});

test('relayToStreamer() counts those who were attached by their offer', () => {
  const { registry, streamer, player } = world({ legacy_auto_subscribe: true, max_players: 1 });
  const offer = { type: 'offer' as const, sdp: 'x' };
  streamer('Foo', undefined, '');
  relayToStreamer(registry, player(), offer);
  expect(lines(relayToStreamer(registry, player(), offer))).toEqual([
    '3 < subscribeFailed {"message":"Streamer Foo is full. Max players = 1."}',
  ]);
  expect(lines(removePlayer(registry, '2'))).toEqual(['1 < playerDisconnected {"playerId":"2"}']);
});

test('silent() attaches a page that never speaks to the first streamer that offers', () => {
  const { registry, streamer, player } = world({ legacy_auto_subscribe: true, engine: '4.27' });
  streamer('Old', undefined, '');
  const page = player();
  expect(lines(silent(registry, page))).toEqual([
    expect.stringContaining('2 < subscribeFailed {"message":"Streamer Old only answers offers'),
  ]);
  expect(lines(identify(registry, streamer(), 'New', '1.3.0'))).toEqual([
    '3 < endpointIdConfirm {"committedId":"New"}',
    '3 < playerConnected {"dataChannel":true,"sfu":false,"playerId":"2"}',
  ]);
  expect(silent(registry, page)).toEqual([]);
});

test('silent() leaves a page waiting while there is no streamer, and takes nobody who has spoken', () => {
  const { registry, streamer, player } = world({ legacy_auto_subscribe: true });
  const page = player();
  const modern = player();
  listStreamers(registry, modern);
  expect([...silent(registry, page), ...silent(registry, modern), ...silent(registry, '99')]).toEqual([]);
  expect(lines(identify(registry, streamer(), 'Foo'))).toEqual([
    '3 < playerConnected {"dataChannel":true,"sfu":false,"playerId":"1"}',
  ]);
});

test('pagesOffer() where no streamer offers, or the one awaited will not', () => {
  const { registry, streamer } = world({ engine: '4.27' });
  expect(pagesOffer(registry)).toBe(true);
  streamer('Old', undefined, '');
  expect(pagesOffer(registry)).toBe(true);
  streamer('New');
  expect(pagesOffer(registry)).toBe(false);
  expect(pagesOffer(world().registry)).toBe(false);
});
