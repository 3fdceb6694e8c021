import type { HostCard } from '../../shared/protocol/agent-link.ts';
import { overlaps, type Period } from '../kit/rules-time.ts';
import { type Capacity, isBound, roomDuring, roomOn, shareTaken, type Use } from './rules-capacity.ts';
import { slot_ms } from './rules-slots.ts';

/** One session's worth of capacity: a host, and which of its seats. */
export interface Seat {
  readonly host: string;
  readonly seat: number;
}

/** A seat that somebody holds for a while: a booking, or a session with its longest possible end. */
export interface Hold extends Seat, Use {}

/** A seat with the times at which it is taken, by beginning. */
export interface SeatPlan extends Seat {
  readonly taken: readonly Use[];
}

/** The seats of one card of a host. */
export interface CardPlan {
  readonly card: HostCard;
  readonly capacity: Capacity;
  readonly seats: readonly SeatPlan[];
}

export const seatKey = ({ host, seat }: Seat): string => `${host}\n${seat}`;

/** The plans of the seats; holds of other seats do not count. */
export const planSeats = (seats: readonly Seat[], holds: readonly Hold[]): SeatPlan[] => {
  const lists = new Map(seats.map((seat): [string, Use[]] => [seatKey(seat), []]));
  for (const hold of holds) lists.get(seatKey(hold))?.push(hold);
  return seats.map(({ host, seat }) => ({
    host,
    seat,
    taken: (lists.get(seatKey({ host, seat })) ?? []).sort((a, b) => a.from - b.from),
  }));
};

/** The plans of a host's seats, which come in order, by card. Cards that are draining are left out. */
export const planCards = (
  capacity: Capacity,
  draining: readonly number[],
  seats: readonly SeatPlan[],
): CardPlan[] => {
  let first = 0;
  return capacity.cards
    .map((card): CardPlan => {
      const own = seats.slice(first, first + card.seats);
      first += card.seats;
      return { card, capacity, seats: own };
    })
    .filter(({ card }) => !draining.includes(card.index));
};

const usesOf = ({ seats }: CardPlan): Use[] => seats.flatMap(({ taken }) => taken);

/** The free times of one seat within a range, in order. `taken`: those at which it is not, by beginning. */
const gaps = (taken: readonly Period[], { from, to }: Period): Period[] => {
  const free: Period[] = [];
  let reached = from;
  for (const hold of taken) {
    if (hold.from > reached) free.push({ from: reached, to: Math.min(hold.from, to) });
    reached = Math.max(reached, hold.to);
    if (reached >= to) return free.filter((gap) => gap.from < gap.to);
  }
  free.push({ from: reached, to });
  return free.filter((gap) => gap.from < gap.to);
};

/** The slots of a range, and how far visits from them reach. */
interface Grid {
  readonly first: number;
  readonly count: number;
  readonly reach: Period;
  readonly length_ms: number;
}

/** Adds to `changes`, slot by slot, how many more seats than at the slot before are free for a visit. */
const countGaps = (plans: readonly SeatPlan[], grid: Grid, changes: Int32Array): void => {
  const { first, count, reach, length_ms } = grid;
  for (const { taken } of plans) {
    // Each gap adds one at its first possible beginning and takes it away after its last.
    for (const gap of gaps(taken, reach)) {
      const begin = Math.ceil(gap.from / slot_ms) - first;
      const end = Math.floor((gap.to - length_ms) / slot_ms) - first + 1;
      if (end <= begin || begin >= count) continue;
      changes[begin] = (changes[begin] ?? 0) + 1;
      const after = Math.min(end, count);
      changes[after] = (changes[after] ?? 0) - 1;
    }
  }
};

/** The same for a card on which there may be less room than seats. */
const countRoom = (plan: CardPlan, app: string, grid: Grid, changes: Int32Array): void => {
  const { first, count, reach, length_ms } = grid;
  const own = new Int32Array(count + 1);
  countGaps(plan.seats, grid, own);
  const most = new Int32Array(count).fill(plan.card.seats);
  const steps = roomOn(plan.card, plan.capacity, usesOf(plan), app, reach);
  for (const [at, { from, more }] of steps.entries()) {
    if (more >= plan.card.seats) continue;
    // All visits that touch the step: they may begin before it.
    const begin = Math.max(0, Math.floor((from - length_ms) / slot_ms) + 1 - first);
    const end = Math.min(count, Math.ceil((steps[at + 1]?.from ?? reach.to) / slot_ms) - first);
    for (let slot = begin; slot < end; slot++) most[slot] = Math.min(most[slot] ?? 0, more);
  }
  let free = 0;
  let before = 0;
  for (let slot = 0; slot < count; slot++) {
    free += own[slot] ?? 0;
    const now = Math.min(free, most[slot] ?? 0);
    changes[slot] = (changes[slot] ?? 0) + now - before;
    before = now;
  }
};

/**
 * How many sessions of the app could be booked for a visit of that length from each slot of the range on. The visit may end
 * after the range; the plans must reach that far. Costs what plans and slots cost once, not their product.
 */
export const freeSeats = (
  cards: readonly CardPlan[],
  app: string,
  range: Period,
  length_ms: number,
): readonly { readonly from: number; readonly seats: number }[] => {
  const first = Math.ceil(range.from / slot_ms);
  const count = Math.max(0, Math.ceil(range.to / slot_ms) - first);
  const reach = { from: first * slot_ms, to: (first + count) * slot_ms + length_ms };
  const grid = { first, count, reach, length_ms };
  const changes = new Int32Array(count + 1);
  for (const plan of cards) {
    if (isBound(plan.card, plan.capacity)) countRoom(plan, app, grid, changes);
    else countGaps(plan.seats, grid, changes);
  }
  let free = 0;
  return Array.from({ length: count }, (_, at) => {
    free += changes[at] ?? 0;
    return { from: (first + at) * slot_ms, seats: free };
  });
};

/** Beginnings from `from` up to, not including, `to`, on the grid, with so many seats free at each. */
export interface FreeRun extends Period {
  readonly seats: number;
}

/** The same in few words: runs of beginnings at which equally many seats are free; those without any are left out. */
export const freeRuns = (...given: Parameters<typeof freeSeats>): readonly FreeRun[] => {
  const runs: FreeRun[] = [];
  for (const { from, seats } of freeSeats(...given)) {
    const last = runs.at(-1);
    if (last?.to === from && last.seats === seats) runs[runs.length - 1] = { ...last, to: from + slot_ms };
    else if (seats > 0) runs.push({ from, to: from + slot_ms, seats });
  }
  return runs;
};

/** Whether the card has room for one more session of the app during all of the visit. */
const hasRoom = (plan: CardPlan, app: string, visit: Period): boolean =>
  !isBound(plan.card, plan.capacity) || roomDuring(plan.card, plan.capacity, usesOf(plan), app, visit) >= 1;

/** The seats that are free for all of the visit, on a card with room for the app. */
export const openSeats = (cards: readonly CardPlan[], app: string, visit: Period): readonly Seat[] =>
  cards
    .filter((plan) => hasRoom(plan, app, visit))
    .flatMap(({ seats }) => seats)
    .filter(({ taken }) => !taken.some((use) => overlaps(use, visit)))
    .map(({ host, seat }) => ({ host, seat }));

/** Which card of a host to take first: a small number for the one whose turn it is. */
const turnOf = (plan: CardPlan, visit: Period): number => {
  const { card, capacity } = plan;
  const during = usesOf(plan)
    .filter((use) => overlaps(use, visit))
    .map((use) => ({ ...use, ...visit }));
  const share = shareTaken(card, capacity, during, visit.from);
  return capacity.placing === 'pack' ? -share : share;
};

/**
 * The seat that a visit leaves least unused time around, so that long gaps stay for long visits; undefined when none is
 * free for all of it on a card with room for the app. Of equals of one host that on the card which the host wants to be
 * taken first, then the first one given.
 */
export const fittingSeat = (cards: readonly CardPlan[], app: string, visit: Period): Seat | undefined => {
  const day_ms = 86_400_000;
  const around = { from: visit.from - day_ms, to: visit.to + day_ms };
  let best: { seat: Seat; unused: number; turn: number } | undefined;
  for (const plan of cards) {
    // Most cards have no seat that is better: what is not asked for need not be counted.
    let counted: { turn: number; room: boolean } | undefined;
    for (const { host, seat, taken } of plan.seats) {
      const gap = gaps(taken, around).find(({ from, to }) => from <= visit.from && to >= visit.to);
      const unused = gap === undefined ? Number.POSITIVE_INFINITY : gap.to - gap.from;
      const equal = best?.seat.host === host && unused === best.unused;
      if (gap === undefined || (best !== undefined && unused >= best.unused && !equal)) continue;
      counted ??= {
        turn: plan.capacity.cards.length === 1 ? 0 : turnOf(plan, visit),
        room: hasRoom(plan, app, visit),
      };
      if (!counted.room) break;
      if (equal && best !== undefined && counted.turn >= best.turn) continue;
      best = { seat: { host, seat }, unused, turn: counted.turn };
    }
  }
  return best?.seat;
};
