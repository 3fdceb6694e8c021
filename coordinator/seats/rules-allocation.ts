import { type Refusal, refuse } from '../../shared/errors.ts';
import type { HostCard } from '../../shared/protocol/agent-link.ts';
import { bounds } from '../kit/limits.ts';
import { cardOf, isBound, mostOn, roomDuring, roomUntil, type Use } from './rules-capacity.ts';
import { cardOfSession, type Host, isConnected, type Occupant } from './rules-hosts.ts';
import { type Hold, type Seat, seatKey } from './rules-plans.ts';
import { byTurn, type Turn, turnsOf } from './rules-ranking.ts';

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

/** The hosts, by name. */
interface Known {
  get(name: string): Host | undefined;
  values(): Iterable<Host>;
}

/** How many seats each host has taken: sessions that hold one, and leftovers it is still stopping. */
export const seatsTaken = (
  hosts: Iterable<Host>,
  sessions: Iterable<Occupant>,
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
export const hostsOf = (app: string, listed: readonly string[], hosts: Known): readonly Host[] =>
  listed.flatMap((name) => {
    const host = hosts.get(name);
    return host !== undefined && isConnected(host) && host.apps.includes(app) ? [host] : [];
  });

interface Occupancy {
  readonly hosts: Known;
  readonly sessions: readonly Occupant[];
  /** Bookings and sessions that hold a seat now or later. */
  readonly holds: readonly Hold[];
  /** The cards of a host that take nothing new. */
  readonly draining?: (host: string) => readonly number[];
  /** How many sessions are just being given a seat of each host. */
  readonly starting?: ReadonlyMap<string, number>;
  readonly now: number;
}

/** The seats of the host on which no session is. */
export const emptySeats = (
  { name, seats }: Pick<Host, 'name' | 'seats'>,
  sessions: Iterable<Occupant>,
): readonly number[] => {
  const busy = new Set<number>();
  for (const { host, seat, seat_held } of sessions) if (seat_held && host === name) busy.add(seat);
  return Array.from({ length: seats }, (_, seat) => seat).filter((seat) => !busy.has(seat));
};

/** What of it concerns one host, for each. */
const split = (at: Occupancy): ((host: Host) => Occupancy) => {
  const sessions = Map.groupBy(at.sessions, ({ host }) => host);
  const holds = Map.groupBy(at.holds, ({ host }) => host);
  return ({ name }) => ({ ...at, sessions: sessions.get(name) ?? [], holds: holds.get(name) ?? [] });
};

/** What takes a part of each card of the host from now on: what runs there, and what will. */
const usesOn = (host: Host, { sessions, holds, now }: Occupancy): ReadonlyMap<number, readonly Use[]> => {
  const uses = new Map<number, Use[]>();
  const add = (card: number | undefined, use: Use) => {
    if (card === undefined) return;
    const list = uses.get(card) ?? [];
    list.push(use);
    uses.set(card, list);
  };
  const busy = new Map<number, number>();
  for (const session of sessions) {
    if (!session.seat_held || session.host !== host.name) continue;
    // One that is over takes its card until the host has said that it is gone.
    const to = Math.max(session.ends_at, now + 1);
    busy.set(session.seat, to);
    add(cardOfSession(host, session), { from: session.phases.accepted ?? now, to, app: session.app });
  }
  for (const [id, to] of host.stopping) {
    add(host.placed.get(id) ?? host.capacity.cards[0]?.index, { from: now, to, app: null });
  }
  for (const hold of holds) {
    // A running session holds its seat as well: it counts once.
    if (hold.host !== host.name || hold.from < (busy.get(hold.seat) ?? 0)) continue;
    add(cardOf(host.capacity, hold.seat)?.index, hold);
  }
  return uses;
};

/** A seat without a session, with its card and the time at which it cannot be had any more. */
interface EmptySeat extends Seat {
  readonly card: number;
  readonly next: number;
}

/** The empty seats of the host, each with the time at which somebody holds it next. Cards that drain are left out. */
const emptyUntil = (host: Host, at: Occupancy): readonly EmptySeat[] => {
  const { name, capacity } = host;
  const nexts = new Map<string, number>();
  for (const hold of at.holds) {
    if (hold.host !== name || hold.to <= at.now) continue;
    const key = seatKey(hold);
    nexts.set(key, Math.min(nexts.get(key) ?? Number.POSITIVE_INFINITY, hold.from));
  }
  const draining = at.draining?.(name) ?? [];
  return emptySeats(host, at.sessions).flatMap((seat) => {
    const card = cardOf(capacity, seat)?.index;
    if (card === undefined || draining.includes(card)) return [];
    const next = nexts.get(seatKey({ host: name, seat })) ?? Number.POSITIVE_INFINITY;
    return [{ host: name, seat, card, next }];
  });
};

const lastsLongEnough = ({ next }: { readonly next: number }, now: number): boolean =>
  next - now >= bounds.session_ms_least;

/** How many sessions of the app the host can have at a time. */
export const seatsOf = (app: string, { capacity }: Host, draining: readonly number[]): number =>
  capacity.cards.reduce(
    (sum, card) => (draining.includes(card.index) ? sum : sum + mostOn(card, capacity, app)),
    0,
  );

/** What of a host's seats is empty for long enough. */
interface Opening {
  /** How many sessions it may have beside those that it has. */
  readonly left: number;
  /** Empty seats on cards where only these count, and on each of the others. */
  readonly plain: number;
  readonly bound: readonly {
    readonly card: HostCard;
    readonly empty: number;
    readonly uses: readonly Use[];
  }[];
}

const openingOf = (host: Host, taken: number, at: Occupancy): Opening => {
  const { capacity, seats } = host;
  const left = Math.max(0, seats - taken);
  const long = left === 0 ? [] : emptyUntil(host, at).filter((seat) => lastsLongEnough(seat, at.now));
  const emptyOn = ({ index }: HostCard) => long.filter(({ card }) => card === index).length;
  const cards = capacity.cards.filter((card) => isBound(card, capacity));
  const uses = cards.length === 0 ? new Map<number, readonly Use[]>() : usesOn(host, at);
  const bound = cards
    .map((card) => ({ card, empty: emptyOn(card), uses: uses.get(card.index) ?? [] }))
    .filter(({ empty }) => empty > 0);
  return { left, plain: long.length - bound.reduce((sum, { empty }) => sum + empty, 0), bound };
};

/** How many sessions of the app may begin on the host now. */
const roomFor = (app: string, { capacity }: Host, { left, plain, bound }: Opening, now: number): number => {
  const visit = { from: now, to: now + bounds.session_ms_least };
  const room = bound.map(({ card, empty, uses }) =>
    Math.min(empty, roomDuring(card, capacity, uses, app, visit)),
  );
  return Math.min(
    left,
    room.reduce((sum, one) => sum + one, plain),
  );
};

/** How many sessions of an app may begin on hosts now; what is the same for all apps is looked at once. */
export const seatsFree = (at: Occupancy): ((app: string, hosts: readonly Host[]) => number) => {
  const taken = seatsTaken(at.hosts.values(), at.sessions, at.now);
  const here = split(at);
  const openings = new Map<string, Opening>();
  return (app, hosts) =>
    hosts.reduce((sum, host) => {
      const opening = openings.get(host.name) ?? openingOf(host, taken.get(host.name) ?? 0, here(host));
      openings.set(host.name, opening);
      return sum + roomFor(app, host, opening, at.now);
    }, 0);
};

/** A seat with how soon it is its turn. */
interface RankedSeat extends FreeSeat {
  readonly turn: Turn;
}

const bestOf = (app: string, host: Host, at: Occupancy, to: number): RankedSeat | undefined => {
  const { capacity } = host;
  const uses = usesOn(host, at);
  const ends = new Map(
    capacity.cards
      .filter((card) => isBound(card, capacity))
      .map((card) => {
        const period = { from: at.now, to: Math.max(to, at.now + bounds.session_ms_least) };
        const until = roomUntil(card, capacity, uses.get(card.index) ?? [], app, period);
        return [card.index, until < period.to ? until : Number.POSITIVE_INFINITY];
      }),
  );
  const turns = turnsOf(app, host, uses, at);
  const free = emptyUntil(host, at)
    .map((seat) => ({ ...seat, next: Math.min(seat.next, ends.get(seat.card) ?? Number.POSITIVE_INFINITY) }))
    .flatMap((seat) => {
      const turn = turns.get(seat.card);
      return turn === undefined ? [] : [{ ...seat, turn }];
    });
  const whole = free
    .filter(({ next }) => next >= to)
    .sort((a, b) => byTurn(a.turn, b.turn) || a.next - b.next || a.seat - b.seat)[0];
  const best = whole ?? free.sort((a, b) => b.next - a.next || a.seat - b.seat)[0];
  if (best === undefined || !lastsLongEnough(best, at.now)) return undefined;
  return { host: host.name, seat: best.seat, until: Math.min(to, best.next), turn: best.turn };
};

const plain = ({ host, seat, until }: RankedSeat): FreeSeat => ({ host, seat, until });

/**
 * The seat of the host that is free for all of the time: one where an instance of the app waits, then by what its card has
 * left, then rather one with a booking soon after. Else the longest free.
 */
export const bestSeat = (app: string, host: Host, at: Occupancy, to: number): FreeSeat | undefined => {
  const best = bestOf(app, host, at, to);
  return best && plain(best);
};

/**
 * The seats that a session of the app may take now, best first, at most one of each host; or why there is none. Those
 * that are free until `to` come first, by warm instance and load; then those that a booking cuts short, the longest first.
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
  const here = split(at);
  const seats = able
    .filter(({ name, seats }) => (taken.get(name) ?? 0) < seats)
    .flatMap((host) => bestOf(app, host, here(host), to) ?? [])
    .sort((a, b) => byTurn(a.turn, b.turn) || (a.host < b.host ? -1 : 1));
  const [whole, short] = [seats.filter(({ until }) => until >= to), seats.filter(({ until }) => until < to)];
  const sorted = [...whole, ...short.sort((a, b) => b.until - a.until)];
  return sorted.length > 0 ? sorted.map(plain) : refuse('servers_busy');
};
