import { type Refusal, refuse } from '../../shared/errors.ts';
import { bounds } from '../limits.ts';
import { type Hold, type Seat, seatKey } from './availability.ts';
import { type Host, isConnected } from './host.ts';
import type { Session } from './session.ts';

/** What the catalogue says of an app that somebody wants to start. */
export interface Startable {
  readonly name: string;
  readonly enabled: boolean;
  /** Hosts that are listed for it and not draining. */
  readonly hosts: readonly string[];
}

/** A seat where a session may begin now, and until when it is free: at most as long as was asked for. */
export interface FreeSeat extends Seat {
  readonly until: number;
}

/** How many seats each host has taken: sessions that hold one, and leftovers it is still stopping. */
export const seatsTaken = (
  hosts: Iterable<Host>,
  sessions: Iterable<Session>,
  now: number,
): ReadonlyMap<string, number> => {
  const taken = new Map<string, number>();
  for (const { name, stopping } of hosts) {
    taken.set(name, [...stopping.values()].filter((until) => until > now).length);
  }
  for (const { host, seat_held } of sessions) {
    if (seat_held) taken.set(host, (taken.get(host) ?? 0) + 1);
  }
  return taken;
};

/** The hosts where the app can be started: the catalogue lists them for it, they are connected, their agent has it. */
export const hostsOf = (
  app: string,
  listed: readonly string[],
  hosts: ReadonlyMap<string, Host>,
): readonly Host[] =>
  listed.flatMap((name) => {
    const host = hosts.get(name);
    return host !== undefined && isConnected(host) && host.apps.includes(app) ? [host] : [];
  });

/**
 * Least loaded first; among equals the one with more free seats, then by name so that the choice is repeatable. A seat
 * that is just being given away counts as used: those who come at the same moment do not wait for each other.
 */
const byLoad =
  (taken: ReadonlyMap<string, number>, starting?: ReadonlyMap<string, number>) =>
  (a: Host, b: Host): number => {
    const used = ({ name }: Host) => (taken.get(name) ?? 0) + (starting?.get(name) ?? 0);
    const [used_a, used_b] = [used(a), used(b)];
    const fuller = used_a / a.seats - used_b / b.seats;
    const roomier = b.seats - used_b - (a.seats - used_a);
    return fuller || roomier || (a.name < b.name ? -1 : 1);
  };

interface Occupancy {
  readonly hosts: ReadonlyMap<string, Host>;
  readonly sessions: readonly Session[];
  /** Bookings and sessions that hold a seat now or later. */
  readonly holds: readonly Hold[];
  /** How many sessions are just being given a seat of each host. */
  readonly starting?: ReadonlyMap<string, number>;
  readonly now: number;
}

/** The seats of the host on which no session is. */
export const emptySeats = (
  { name, seats }: Pick<Host, 'name' | 'seats'>,
  sessions: Iterable<Session>,
): readonly number[] => {
  const busy = new Set<number>();
  for (const { host, seat, seat_held } of sessions) if (seat_held && host === name) busy.add(seat);
  return Array.from({ length: seats }, (_, seat) => seat).filter((seat) => !busy.has(seat));
};

/** The empty seats of the host, each with the time at which somebody holds it next. */
const emptyUntil = ({ name, seats }: Host, at: Occupancy): readonly (Seat & { readonly next: number })[] => {
  const nexts = new Map<string, number>();
  for (const hold of at.holds) {
    if (hold.host !== name || hold.to <= at.now) continue;
    const key = seatKey(hold);
    nexts.set(key, Math.min(nexts.get(key) ?? Number.POSITIVE_INFINITY, hold.from));
  }
  return emptySeats({ name, seats }, at.sessions)
    .map((seat) => ({ host: name, seat }))
    .map((seat) => ({ ...seat, next: nexts.get(seatKey(seat)) ?? Number.POSITIVE_INFINITY }));
};

const lastsLongEnough = ({ next }: { readonly next: number }, now: number): boolean =>
  next - now >= bounds.session_ms_least;

/** How many seats of the hosts a session may take now. */
export const seatsFree = (hosts: readonly Host[], at: Occupancy): number => {
  const taken = seatsTaken(hosts, at.sessions, at.now);
  return hosts.reduce((sum, host) => {
    const long = emptyUntil(host, at).filter((seat) => lastsLongEnough(seat, at.now)).length;
    return sum + Math.max(0, Math.min(long, host.seats - (taken.get(host.name) ?? 0)));
  }, 0);
};

/** The seat of the host that is free for all of the time, rather one with a booking soon after; else the longest free. */
export const bestSeat = (host: Host, at: Occupancy, to: number): FreeSeat | undefined => {
  const free = [...emptyUntil(host, at)];
  const whole = free.filter(({ next }) => next >= to).sort((a, b) => a.next - b.next || a.seat - b.seat)[0];
  const best = whole ?? free.sort((a, b) => b.next - a.next || a.seat - b.seat)[0];
  if (best === undefined || !lastsLongEnough(best, at.now)) return undefined;
  return { host: host.name, seat: best.seat, until: Math.min(to, best.next) };
};

/**
 * The seats that a session of the app may take now, best first, at most one of each host; or why there is none. Those
 * that are free until `to` come first, by load; then those that a booking cuts short, the longest first.
 */
export const seatsFor = (
  app: string,
  startable: Startable | undefined,
  at: Occupancy,
  to: number,
): readonly FreeSeat[] | Refusal => {
  if (startable === undefined) return refuse('app_unknown', app);
  if (!startable.enabled) return refuse('app_disabled');
  const able = hostsOf(app, startable.hosts, at.hosts);
  if (able.length === 0) return refuse('app_offline');
  const taken = seatsTaken(at.hosts.values(), at.sessions, at.now);
  const seats = able
    .filter(({ name, seats }) => (taken.get(name) ?? 0) < seats)
    .sort(byLoad(taken, at.starting))
    .flatMap((host) => bestSeat(host, at, to) ?? []);
  const [whole, short] = [seats.filter(({ until }) => until >= to), seats.filter(({ until }) => until < to)];
  const sorted = [...whole, ...short.sort((a, b) => b.until - a.until)];
  return sorted.length > 0 ? sorted : refuse('servers_busy');
};
