import { type Period, slot_ms } from './slots.ts';

/** One session's worth of capacity: a host, and which of its seats. */
export interface Seat {
  readonly host: string;
  readonly seat: number;
}

/** A seat that somebody holds for a while: a booking, or a session with its longest possible end. */
export interface Hold extends Seat, Period {}

/** A seat with the times at which it is taken, by beginning. */
export interface SeatPlan extends Seat {
  readonly taken: readonly Period[];
}

export const seatKey = ({ host, seat }: Seat): string => `${host}\n${seat}`;

/** The plans of the seats; holds of other seats do not count. */
export const planSeats = (seats: readonly Seat[], holds: readonly Hold[]): SeatPlan[] => {
  const lists = new Map(seats.map((seat): [string, Period[]] => [seatKey(seat), []]));
  for (const hold of holds) lists.get(seatKey(hold))?.push(hold);
  return seats.map(({ host, seat }) => ({
    host,
    seat,
    taken: (lists.get(seatKey({ host, seat })) ?? []).sort((a, b) => a.from - b.from),
  }));
};

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

/**
 * How many seats are free for a visit of that length from each slot of the range on. The visit may end after the range;
 * the plans must reach that far. Costs what plans and slots cost once, not their product.
 */
export const freeSeats = (
  plans: readonly SeatPlan[],
  range: Period,
  length_ms: number,
): readonly { readonly from: number; readonly seats: number }[] => {
  const first = Math.ceil(range.from / slot_ms);
  const count = Math.max(0, Math.ceil(range.to / slot_ms) - first);
  const reach = { from: first * slot_ms, to: (first + count) * slot_ms + length_ms };
  // Each gap adds one at its first possible beginning and takes it away after its last.
  const changes = new Int32Array(count + 1);
  for (const { taken } of plans) {
    for (const gap of gaps(taken, reach)) {
      const begin = Math.ceil(gap.from / slot_ms) - first;
      const end = Math.floor((gap.to - length_ms) / slot_ms) - first + 1;
      if (end <= begin || begin >= count) continue;
      changes[begin] = (changes[begin] ?? 0) + 1;
      const after = Math.min(end, count);
      changes[after] = (changes[after] ?? 0) - 1;
    }
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
export const freeRuns = (
  plans: readonly SeatPlan[],
  range: Period,
  length_ms: number,
): readonly FreeRun[] => {
  const runs: FreeRun[] = [];
  for (const { from, seats } of freeSeats(plans, range, length_ms)) {
    const last = runs.at(-1);
    if (last?.to === from && last.seats === seats) runs[runs.length - 1] = { ...last, to: from + slot_ms };
    else if (seats > 0) runs.push({ from, to: from + slot_ms, seats });
  }
  return runs;
};

/**
 * The seat that a visit leaves least unused time around, so that long gaps stay for long visits; undefined when none is
 * free for all of it. Of equals the first one given.
 */
export const fittingSeat = (plans: readonly SeatPlan[], visit: Period): Seat | undefined => {
  const day_ms = 86_400_000;
  const around = { from: visit.from - day_ms, to: visit.to + day_ms };
  let best: { seat: Seat; unused: number } | undefined;
  for (const { host, seat, taken } of plans) {
    const gap = gaps(taken, around).find(({ from, to }) => from <= visit.from && to >= visit.to);
    if (gap === undefined) continue;
    const unused = gap.to - gap.from;
    if (best === undefined || unused < best.unused) best = { seat: { host, seat }, unused };
  }
  return best?.seat;
};
