import type { Registry, Streamer } from '../domain/registry.ts';

const namesBroken = ({ streamers, names }: Registry): string[] => [
  ...[...streamers.values()]
    .filter(({ id, connection }) => names.get(id) !== connection)
    .map(({ id, connection }) => `streamer ${connection} has the id ${id}, which names ${names.get(id)}`),
  ...[...names]
    .filter(([id, connection]) => streamers.get(connection)?.id !== id)
    .map(([id, connection]) => `the name ${id} leads to ${connection}, whose id is another`),
];

const subscriptionsBroken = ({ streamers, players }: Registry): string[] => [
  ...[...players.values()]
    .filter(({ subscribed }) => subscribed !== undefined)
    .filter(
      ({ connection, subscribed = '' }) => streamers.get(subscribed)?.subscribers.has(connection) !== true,
    )
    .map(({ connection, subscribed }) => `${connection} is subscribed to ${subscribed}, which does not know`),
  ...[...streamers.values()].flatMap(({ connection, subscribers }) =>
    [...subscribers]
      .filter((subscriber) => players.get(subscriber)?.subscribed !== connection)
      .map((subscriber) => `${connection} serves ${subscriber}, which is not subscribed to it`),
  ),
];

const kindsBroken = ({ streamers, players }: Registry): string[] => [
  ...[...players.values()]
    .filter(({ kind, connection }) => streamers.has(connection) !== (kind === 'SFU'))
    .map(({ kind, connection }) => `${connection} is a ${kind} among players but not among streamers`),
  ...[...streamers.values()]
    .filter(({ kind, connection }) => players.has(connection) !== (kind === 'SFU'))
    .map(({ kind, connection }) => `${connection} is a ${kind} among streamers but not among players`),
  ...[...players.keys(), ...streamers.keys()]
    .filter((connection) => !/^[1-9]\d*$/.test(connection))
    .map((connection) => `${connection} is no number`),
];

const limitsBroken = ({ streamers, players, rules }: Registry): string[] => {
  const served = ({ subscribers }: Streamer) =>
    [...subscribers].filter((connection) => players.get(connection)?.kind === 'Player').length;
  return rules.max_players === 0
    ? []
    : [...streamers.values()]
        .filter((streamer) => streamer.kind === 'Streamer' && served(streamer) > rules.max_players)
        .map((streamer) => `${streamer.id} serves ${served(streamer)} players`);
};

/** Everything that is wrong with a registry, as sentences; it must always be nothing. */
export const broken = (registry: Registry): string[] => [
  ...namesBroken(registry),
  ...subscriptionsBroken(registry),
  ...kindsBroken(registry),
  ...limitsBroken(registry),
];
