import { type Refusal, refuse, refuseFor } from '../../shared/errors.ts';
import { endReasons, sessionPhases } from '../../shared/protocol/session.ts';
import { bounds } from '../kit/limits.ts';
import type { Services } from '../kit/services.ts';
import type { ReadTables, Tables } from '../store/tables.ts';
import { allHosts, drainingIn, type Seating } from './hosts.ts';
import { hostsOf, seatsOf } from './rules-allocation.ts';
import {
  type Held,
  hasMost,
  type Pool,
  partOf,
  type Shares,
  type StrangersSession,
  startRefusal,
} from './rules-shares.ts';
import { sharesOf } from './settings.ts';
import { among, heldBy, lockShares, strangersAmong } from './stranger-rows.ts';

const live = sessionPhases.filter((phase) => phase !== 'ended');

/** The shares as they are now: while nobody could log in to use what is left, strangers may have every seat. */
const sharesNow = async (
  { store }: Pick<Services, 'store'>,
  { accounts }: Pick<ReadTables, 'accounts'>,
): Promise<Shares> => {
  const configuration = store.configuration();
  const { anonymous_seats_percent } = configuration;
  if (anonymous_seats_percent !== undefined) return sharesOf(configuration, anonymous_seats_percent);
  const where = { state: 'approved', role: { in: ['operator', 'user'] } } as const;
  const [somebody] = await accounts.find(where, { limit: 1 });
  return sharesOf(configuration, somebody === undefined ? 100 : bounds.anonymous_seats_percent);
};

const liveSessions = ({ sessions }: Pick<ReadTables, 'sessions'>): Promise<StrangersSession[]> =>
  sessions.find({ account_id: null, phase: { in: live } });

/** The app's hosts that are connected, with its seats on them. */
const poolOf = (
  seating: Seating,
  app: { readonly name: string; readonly hosts: readonly string[] },
): Pool => {
  const able = hostsOf(app.name, app.hosts, allHosts(seating));
  const draining = drainingIn(seating.catalogue.now());
  const seats = able.reduce((sum, host) => sum + seatsOf(app.name, host, draining(host.name)), 0);
  return { hosts: new Set(able.map(({ name }) => name)), seats };
};

/** Sessions of the network that nobody came to, and that people let go. A host's failure is not the visitor's. */
const unusedOf = async (
  { records }: Pick<ReadTables, 'records'>,
  { wide }: Held<string>,
  now: number,
): Promise<readonly { readonly id: string; readonly ended_at: number }[]> => {
  if (wide.length === 0) return [];
  const ended_at = { from: Math.max(0, now - bounds.unused_ms) };
  const ended = await records.find({ session_id: { in: wide }, ended_at });
  return ended
    .filter((one) => one.participants_max === 0 && one.end_reason < endReasons.start_timeout)
    .map(({ session_id: id, ended_at }) => ({ id, ended_at }));
};

/** Why the stranger may not start a session on that host now, if it may not; under the host's lock. */
export const strangerMayStart = async (
  seating: Seating,
  tables: Tables,
  { host, network }: { readonly host: string; readonly network: string },
): Promise<Refusal | undefined> => {
  const now = seating.clock.now();
  await lockShares(tables, now);
  const shares = await sharesNow(seating, tables);
  const held = await heldBy(tables, 'session', network);
  const unused = await unusedOf(tables, held, now);
  if (hasMost(among(held, unused), shares.unused_of_network)) {
    const first = Math.min(...unused.map(({ ended_at }) => ended_at));
    const wait_ms = first + bounds.unused_ms - now;
    return refuseFor('visitor_share', wait_ms, `nobody came to ${unused.length} sessions of this network`);
  }
  const all = await liveSessions(tables);
  const pools = [...seating.catalogue.now().apps.values()]
    .filter(({ enabled, hosts }) => enabled && hosts.includes(host))
    .map((app) => poolOf(seating, app))
    .filter(({ hosts }) => hosts.has(host));
  return startRefusal(all, among(held, all), pools, shares, now);
};

/** Why the stranger may not queue for the app beside those who do, if it may not. */
export const strangerMayQueue = async (
  seating: Seating,
  tables: Tables,
  { app, network }: { readonly app: string; readonly network: string },
): Promise<Refusal | undefined> => {
  await lockShares(tables, seating.clock.now());
  const shares = await sharesNow(seating, tables);
  const places = await tables.queue.find({});
  const held = among(await heldBy(tables, 'queue', network), places);
  if (hasMost(held, shares.queue_places_of_network)) {
    return refuse('visitor_share', `${held.own.length} of this network wait already`);
  }
  const here = places.filter((place) => place.app === app).map(({ id }) => id);
  const strangers = await strangersAmong(tables, here);
  return strangers.size >= partOf(bounds.queue_places, shares.queue_percent)
    ? refuse('visitors_full', `${strangers.size} wait already`)
    : undefined;
};

/** How many seats of the app strangers may take now beside those that they have, and how many of them one of a /48. */
export const strangersRoom = async (
  seating: Seating,
  tables: Pick<ReadTables, 'accounts' | 'sessions' | 'strangers'>,
  name: string,
): Promise<{ readonly all: number; of(wide: string): number }> => {
  const shares = await sharesNow(seating, tables);
  const { hosts, seats } = poolOf(seating, {
    name,
    hosts: seating.catalogue.now().apps.get(name)?.hosts ?? [],
  });
  const running = (await liveSessions(tables)).filter(({ host }) => hosts.has(host));
  const wides = await strangersAmong(
    tables,
    running.map(({ id }) => id),
  );
  const most = partOf(seats, shares.network_percent);
  return {
    all: Math.max(0, partOf(seats, shares.seats_percent) - running.length),
    of: (wide) => Math.max(0, most - [...wides.values()].filter((one) => one === wide).length),
  };
};
