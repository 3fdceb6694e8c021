import { sessionPhases } from '../../shared/protocol/session.ts';
import { takesNew } from '../catalogue/rules.ts';
import { bounds } from '../kit/limits.ts';
import type { Services } from '../kit/services.ts';
import { drainingCards, storedCapacity } from '../seats/hosts.ts';
import type { Use } from '../seats/rules-capacity.ts';
import { type CardPlan, planCards, planSeats, type Seat, type SeatPlan } from '../seats/rules-plans.ts';
import type { AppRow, HostRow, ReadTables, Tables } from '../store/tables.ts';

/** The bookings of one host as they were at a revision of its plan. */
interface HostPlan {
  readonly revision: number;
  readonly seats: number;
  readonly plans: readonly SeatPlan[];
}

/**
 * What is known of each host's bookings, by database. Reading a month of all bookings takes a second; each change of a
 * host's bookings raises the revision of its plan in the same transaction, so what has the same revision is still true.
 */
const known = new WeakMap<object, Map<string, HostPlan>>();

const revisionName = (host: string): string => `plan:${host}`;

/** Whether a row of the counters is the revision of a host's plan. */
export const isPlan = ({ name, window_at }: { readonly name: string; readonly window_at: number }): boolean =>
  window_at === 0 && name.startsWith(revisionName(''));

/** Hosts whose bookings are read with one query, so that none finds more rows than it may. */
const hosts_per_query = 16;
const live = sessionPhases.filter((phase) => phase !== 'ended');

/** Says that the bookings of the host have changed; in the transaction that changes them, as its last lock. */
export const planChanged = async ({ counters }: Pick<Tables, 'counters'>, host: string): Promise<void> => {
  const key = { name: revisionName(host), window_at: 0 };
  const row = await counters.lock(key);
  if (row === undefined) await counters.insert({ ...key, hits: 1, expires_at: Number.MAX_SAFE_INTEGER });
  else await counters.update(key, { hits: row.hits + 1 });
};

/** The hosts on which the app can be booked. */
export const bookableHosts = async (
  { host_apps, hosts }: Pick<ReadTables, 'host_apps' | 'hosts'>,
  app: AppRow,
): Promise<HostRow[]> => {
  const having = await host_apps.find({ app: app.name });
  const found = await hosts.find({ name: { in: having.map(({ host }) => host) }, draining: false });
  return found.filter((host) => host.seats > 0 && takesNew(host));
};

export const seatsOf = ({ name, seats }: Pick<HostRow, 'name' | 'seats'>): Seat[] =>
  Array.from({ length: seats }, (_, seat) => ({ host: name, seat }));

type PlanTables = Pick<ReadTables, 'counters' | 'bookings' | 'sessions'>;

const readPlans = async (
  { bookings }: PlanTables,
  hosts: readonly HostRow[],
  now: number,
): Promise<Map<string, SeatPlan[]>> => {
  const plans = new Map<string, SeatPlan[]>();
  // One host is found by an index in every database; of many, MySQL reads several with one statement.
  const step = hosts.length > hosts_per_query ? hosts_per_query : 1;
  for (let at = 0; at < hosts.length; at += step) {
    const some = hosts.slice(at, at + step);
    const [only] = some;
    const seats = Math.max(...some.map((host) => host.seats));
    const rows = await bookings.find({
      host: some.length === 1 && only !== undefined ? only.name : { in: some.map(({ name }) => name) },
      // Naming the seats lets the index of host, seat and beginning find just these.
      seat: { in: Array.from({ length: seats }, (_, seat) => seat) },
      starts_at: { from: Math.max(0, now - bounds.booking_minutes * 60_000) },
      state: { in: ['held', 'open'] },
    });
    const holds = Map.groupBy(
      rows.map(({ host, seat, app, starts_at, ends_at }) => ({
        ...{ host, seat, app },
        from: starts_at,
        to: ends_at,
      })),
      ({ host }) => host,
    );
    for (const host of some) plans.set(host.name, planSeats(seatsOf(host), holds.get(host.name) ?? []));
  }
  return plans;
};

const rememberedOf = ({ db }: Pick<Services, 'db'>): Map<string, HostPlan> => {
  const remembered = known.get(db) ?? new Map<string, HostPlan>();
  known.set(db, remembered);
  return remembered;
};

interface Changed {
  readonly hosts: readonly HostRow[];
  revisionOf(host: string): number;
}

/** Those hosts whose bookings are not remembered as they are stored. */
const changedSince = async (
  services: Pick<Services, 'db'>,
  { counters }: Pick<ReadTables, 'counters'>,
  hosts: readonly HostRow[],
): Promise<Changed> => {
  const remembered = rememberedOf(services);
  const names = hosts.map(({ name }) => revisionName(name));
  const rows = names.length === 0 ? [] : await counters.find({ name: { in: names }, window_at: 0 });
  const revisions = new Map(rows.map(({ name, hits }) => [name, hits]));
  const revisionOf = (host: string): number => revisions.get(revisionName(host)) ?? 0;
  const changed = hosts.filter(({ name, seats }) => {
    const plan = remembered.get(name);
    return plan?.revision !== revisionOf(name) || plan.seats !== seats;
  });
  return { hosts: changed, revisionOf };
};

/** Those hosts of which `rememberedPlans` may not be true. */
export const changedHosts = async (...given: Parameters<typeof changedSince>): Promise<readonly HostRow[]> =>
  (await changedSince(...given)).hosts;

/** Brings what is remembered of these hosts up to what is stored. Throws PlansUnread when more than `most` of them have to be read. */
const refresh = async (
  services: Pick<Services, 'db' | 'clock'>,
  tables: PlanTables,
  hosts: readonly HostRow[],
  most: number,
): Promise<void> => {
  const changed = await changedSince(services, tables, hosts);
  if (changed.hosts.length > most) throw new PlansUnread(() => readPlansOf(services, changed.hosts));
  for (const [name, plans] of await readPlans(tables, changed.hosts, services.clock.now())) {
    // What was read may be newer than its revision. Then the next reader reads it once more.
    rememberedOf(services).set(name, { revision: changed.revisionOf(name), seats: plans.length, plans });
  }
};

/**
 * The same in portions, each in a read of its own and kept as it comes: all bookings of many hosts take longer than one transaction
 * may, and what was read of some hosts is not lost with the others.
 */
export const readPlansOf = async (
  services: Pick<Services, 'db' | 'clock'>,
  hosts: readonly HostRow[],
): Promise<void> => {
  for (let at = 0; at < hosts.length; at += hosts_per_query) {
    const some = hosts.slice(at, at + hosts_per_query);
    await services.db.read((tables) => refresh(services, tables, some, hosts_per_query));
  }
};

/** A transaction needs plans that are not remembered: to be read outside of it, and then it is run again. */
export class PlansUnread extends Error {
  override readonly name = 'PlansUnread';
  readonly read: () => Promise<void>;

  constructor(read: () => Promise<void>) {
    super('the plans of some hosts have not been read yet');
    this.read = read;
  }
}

/** Keeps in mind that the seat is booked then, once that is stored: the next to book will choose another one. */
export const rememberBooked = (
  { db }: Pick<Services, 'db'>,
  { host, seat }: Seat,
  { from, to, app }: Use,
): void => {
  const plan = known.get(db)?.get(host);
  if (plan === undefined) return;
  const add = (one: SeatPlan): SeatPlan =>
    one.seat === seat
      ? { ...one, taken: [...one.taken, { from, to, app }].sort((a, b) => a.from - b.from) }
      : one;
  known.get(db)?.set(host, { ...plan, plans: plan.plans.map(add) });
};

/** The plans of the host's seats by card, without those of cards that are draining. */
export const cardsOf = (host: HostRow, plans: readonly SeatPlan[]): CardPlan[] =>
  planCards(storedCapacity(host), drainingCards(host), plans);

/** With the times at which sessions run. */
const withSessions = async (
  services: Pick<Services, 'db'>,
  tables: PlanTables,
  hosts: readonly HostRow[],
): Promise<CardPlan[]> => {
  const plansOf = ({ name }: HostRow) => rememberedOf(services).get(name)?.plans ?? [];
  const running = await tables.sessions.find({
    host: { in: hosts.map(({ name }) => name) },
    phase: { in: live },
  });
  if (running.length === 0) return hosts.flatMap((host) => cardsOf(host, plansOf(host)));
  const sessions = running.map(({ host, seat, app, created_at, ends_at }) => ({
    ...{ host, seat, app },
    from: created_at,
    to: ends_at,
  }));
  const busy = new Map(
    planSeats(sessions, sessions).map((plan) => [`${plan.host}\n${plan.seat}`, plan.taken]),
  );
  const busyToo = (plan: SeatPlan): SeatPlan => {
    const taken = busy.get(`${plan.host}\n${plan.seat}`);
    if (taken === undefined) return plan;
    return { ...plan, taken: [...plan.taken, ...taken].sort((a, b) => a.from - b.from) };
  };
  return hosts.flatMap((host) => cardsOf(host, plansOf(host).map(busyToo)));
};

/** How often what a read needs is read before it: on a busy site some plans change meanwhile. */
const reads_most = 3;

/** The cards of hosts with all times at which they are taken, by bookings and by sessions that run. */
export type SeatPlans = (tables: PlanTables, hosts: readonly HostRow[]) => Promise<CardPlan[]>;

/**
 * Runs a read that needs the plans of hosts as they are stored. As a rule few have changed, and they are read with it; many are
 * read before it, in portions, and then it is run again. What is held is in `seat_slots`, under the host's lock.
 */
export const readWithPlans = async <T>(
  services: Pick<Services, 'db' | 'clock'>,
  work: (tables: ReadTables, seatPlans: SeatPlans) => Promise<T>,
): Promise<T> => {
  for (let read = 0; ; read++) {
    const most = read < reads_most ? hosts_per_query : Number.POSITIVE_INFINITY;
    const seatPlans: SeatPlans = async (tables, hosts) => {
      await refresh(services, tables, hosts, most);
      return withSessions(services, tables, hosts);
    };
    try {
      return await services.db.read((tables) => work(tables, seatPlans));
    } catch (error) {
      if (!(error instanceof PlansUnread)) throw error;
      await error.read();
    }
  }
};

/**
 * The same with bookings as they are remembered, perhaps of a while ago: to choose by, not to decide by. Throws PlansUnread where
 * nothing is remembered of a host.
 */
export const rememberedPlans = async (
  services: Pick<Services, 'db' | 'clock'>,
  tables: PlanTables,
  hosts: readonly HostRow[],
): Promise<CardPlan[]> => {
  const remembered = rememberedOf(services);
  const unknown = hosts.filter(({ name, seats }) => remembered.get(name)?.seats !== seats);
  if (unknown.length > 0) throw new PlansUnread(() => readPlansOf(services, unknown));
  return withSessions(services, tables, hosts);
};
