import { expect, test } from 'bun:test';
import { type Random, seeded } from '../../shared/testing/random.ts';
import { broken } from '../testing/invariants.ts';
import type { ConnectionId, Effect } from './effect.ts';
import { addPlayer, listStreamers, relayToStreamer, removePlayer } from './player.ts';
import { createRegistry, nextConnection, type Registry, type Rules } from './registry.ts';
import {
  addSfu,
  answerUpstream,
  relayFromSfu,
  removeSfu,
  requestStreamerChannels,
  startStreaming,
  stopStreaming,
} from './sfu.ts';
import {
  addStreamer,
  disconnectPlayer,
  identify,
  relayToPlayer,
  relayToSfus,
  removeStreamer,
} from './streamer.ts';
import { subscribe, unsubscribe } from './subscription.ts';

const seed = Number(process.env.REGISTRY_SEED ?? Math.floor(Math.random() * 2 ** 32));
process.stdout.write(`REGISTRY_SEED=${seed}\n`);

type Role = 'player' | 'streamer' | 'sfu';

/** A registry and the sockets that the outside believes to be open. */
interface Run {
  registry: Registry;
  open: Map<ConnectionId, Role>;
  random: Random;
}

type Step = (run: Run, connection: ConnectionId) => Effect[];

const names = [
  'Foo',
  'Foo1',
  'Foo7',
  '123',
  '',
  '<b>',
  '__proto__',
  'UnknownStreamer',
  'x'.repeat(150),
] as const;

/** Somebody's id, of whatever role, or nobody's. */
const anybody = ({ random, registry }: Run): string => String(random.below(registry.connections + 3));
const anyName = (run: Run): string => {
  const ids = [...run.registry.names.keys()];
  return run.random.below(3) === 0 ? run.random.pick(names) : (ids[run.random.below(ids.length)] ?? '');
};

const shared: Step[] = [
  (run, connection) => subscribe(run.registry, connection, anyName(run)),
  (run, connection) => subscribe(run.registry, connection, anyName(run)),
  (run, connection) => unsubscribe(run.registry, connection),
  (run, connection) => listStreamers(run.registry, connection),
];

const steps: Record<Role, Step[]> = {
  player: [
    ...shared,
    ({ registry }, connection) => relayToStreamer(registry, connection, { type: 'answer', sdp: 'a' }),
    ({ registry }, connection) => relayToStreamer(registry, connection, { type: 'dataChannelRequest' }),
  ],
  streamer: [
    (run, connection) => identify(run.registry, connection, anyName(run)),
    (run, connection) => identify(run.registry, connection, run.random.pick(names)),
    (run, connection) =>
      relayToPlayer(run.registry, connection, { type: 'offer', sdp: 'o', playerId: anybody(run) }),
    (run, connection) =>
      relayToSfus(run.registry, connection, { type: 'layerPreference', spatialLayer: 1, temporalLayer: 1 }),
    (run, connection) =>
      disconnectPlayer(run.registry, connection, { type: 'disconnectPlayer', playerId: anybody(run) }),
  ],
  sfu: [
    ...shared,
    (run, connection) => identify(run.registry, connection, run.random.pick(names)),
    ({ registry }, connection) => startStreaming(registry, connection),
    ({ registry }, connection) => stopStreaming(registry, connection),
    (run, connection) =>
      relayFromSfu(run.registry, connection, { type: 'offer', sdp: 'o', playerId: anybody(run) }),
    ({ registry }, connection) => answerUpstream(registry, connection, { type: 'answer', sdp: 'a' }),
    ({ registry }, connection) =>
      requestStreamerChannels(registry, connection, {
        type: 'streamerDataChannels',
        sendStreamId: 1,
        recvStreamId: 2,
      }),
  ],
};

const leave: Record<Role, (registry: Registry, connection: ConnectionId) => Effect[]> = {
  player: removePlayer,
  streamer: removeStreamer,
  sfu: removeSfu,
};

const enter = ({ registry, open, random }: Run): void => {
  const connection = nextConnection(registry);
  const origin = { connection, remote: '192.0.2.1' };
  const role = random.pick(['player', 'player', 'streamer', 'sfu'] as const);
  open.set(connection, role);
  if (role === 'player') addPlayer(registry, { ...origin, view_only: random.below(2) === 0 }, 'Player');
  else if (role === 'sfu') addSfu(registry, origin);
  else addStreamer(registry, { ...origin, ...(random.below(2) === 0 ? { token: 't' } : {}) }, 'Streamer');
};

/** Messages that pass between two connections; the others are the server's own. */
const relayed = [
  'offer',
  'answer',
  'iceCandidate',
  'layerPreference',
  'dataChannelRequest',
  'peerDataChannels',
];

/** Whether one of the two is subscribed to the other. */
const related = ({ players }: Registry, one: ConnectionId, other: ConnectionId): boolean =>
  players.get(one)?.subscribed === other || players.get(other)?.subscribed === one;

/** Carries the effects out, and says what is wrong with them. A closed socket tells the registry at once. */
const carryOut = (run: Run, from: ConnectionId, effects: Effect[]): string[] =>
  effects.flatMap((effect): string[] => {
    const { registry, open } = run;
    if ('close' in effect) {
      const role = open.get(effect.close);
      if (role === undefined) return [`closes ${effect.close}, which is not open`];
      open.delete(effect.close);
      const later = leave[role](registry, effect.close);
      return later.length === 0
        ? []
        : [`closing ${effect.close} has effects: the registry had not forgotten it`];
    }
    const { to, message } = effect;
    const playerId = 'playerId' in message ? message.playerId : undefined;
    return [
      ...(open.has(to) ? [] : [`${message.type} to ${to}, which is not open`]),
      ...(relayed.includes(message.type) && !related(registry, from, to)
        ? [`${message.type} from ${from} to ${to}, which have nothing to do with each other`]
        : []),
      ...(message.type.startsWith('player') && !/^[1-9]\d*$/.test(String(playerId))
        ? [`${message.type} with the id ${playerId}`]
        : []),
    ];
  });

const step = (run: Run): string[] => {
  const { random, open, registry } = run;
  const connections = [...open];
  const found = connections[random.below(connections.length)];
  if (found === undefined || (connections.length < 12 && random.below(6) === 0)) {
    enter(run);
    return broken(registry);
  }
  const [connection, role] = found;
  if (random.below(25) === 0) {
    open.delete(connection);
    return [...carryOut(run, connection, leave[role](registry, connection)), ...broken(registry)];
  }
  const all = steps[role];
  const effects = all[random.below(all.length)]?.(run, connection) ?? [];
  return [...carryOut(run, connection, effects), ...broken(registry)];
};

const rules: Rules[] = [
  { max_players: 0, legacy_auto_subscribe: false },
  { max_players: 2, legacy_auto_subscribe: false },
  { max_players: 0, legacy_auto_subscribe: true },
  { max_players: 1, legacy_auto_subscribe: true },
];

for (const [at, rule] of rules.entries()) {
  test(`createRegistry() stays whole in any order of events: ${JSON.stringify(rule)}`, () => {
    for (let game = 0; game < 50; game++) {
      const run: Run = {
        registry: createRegistry(rule),
        open: new Map(),
        random: seeded(seed + at * 1_000 + game),
      };
      for (let count = 0; count < 300; count++) {
        expect({ game, count, wrong: step(run) }).toEqual({ game, count, wrong: [] });
      }
      for (const [connection, role] of [...run.open]) {
        run.open.delete(connection);
        expect(carryOut(run, connection, leave[role](run.registry, connection))).toEqual([]);
      }
      const { players, streamers, names: ids } = run.registry;
      expect([players.size, streamers.size, ids.size]).toEqual([0, 0, 0]);
    }
  });
}

test('nextConnection() counts up in text', () => {
  const registry = createRegistry({ max_players: 0, legacy_auto_subscribe: false });
  expect([nextConnection(registry), nextConnection(registry)]).toEqual(['1', '2']);
});
