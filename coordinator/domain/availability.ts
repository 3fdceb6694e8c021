import { type Period, slot_ms } from './slots.ts';

/** One session's worth of capacity: a host, and which of its seats. */
export interface Seat {
  readonly host: string;
  readonly seat: number;
}

/** A seat that somebody holds for a while: a booking, or a session with its longest possible end. */
export interface Hold extends Seat, Period {}

export const seatKey = ({ host, seat }: Seat): string => `${host}\n${seat}`;

const bySeat = (holds: readonly Hold[]): Map<string, Hold[]> => {
  const sorted = new Map<string, Hold[]>();
  for (const hold of holds) {
    const key = seatKey(hold);
    const list = sorted.get(key);
    if (list === undefined) sorted.set(key, [hold]);
    else list.push(hold);
  }
  for (const list of sorted.values()) list.sort((a, b) => a.from - b.from);
  return sorted;
};

/** The free times of one seat within a range, in order. `holds`: those of the seat, by beginning. */
const gaps = (holds: readonly Hold[], { from, to }: Period): Period[] => {
  const free: Period[] = [];
  let reached = from;
  for (const hold of holds) {
    if (hold.from > reached) free.push({ from: reached, to: Math.min(hold.from, to) });
    reached = Math.max(reached, hold.to);
    if (reached >= to) return free;
  }
  free.push({ from: reached, to });
  return free.filter((gap) => gap.from < gap.to);
};

/**
 * How many seats are free for a visit of that length from each slot of the range on. The visit may end after the range;
 * `holds` must reach that far. Costs what seats, holds and slots cost once, not their product.
 */
export const freeSeats = (
  seats: readonly Seat[],
  holds: readonly Hold[],
  range: Period,
  length_ms: number,
): readonly { readonly from: number; readonly seats: number }[] => {
  const first = Math.ceil(range.from / slot_ms);
  const count = Math.max(0, Math.ceil(range.to / slot_ms) - first);
  const reach = { from: first * slot_ms, to: (first + count) * slot_ms + length_ms };
  const taken = bySeat(holds);
  // Each gap adds one at its first possible beginning and takes it away after its last.
  const changes = new Int32Array(count + 1);
  for (const seat of seats) {
    for (const gap of gaps(taken.get(seatKey(seat)) ?? [], reach)) {
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

/**
 * The seat that a visit leaves least unused time around, so that long gaps stay for long visits; undefined when none is
 * free for all of it. Of equals the first one given.
 */
export const fittingSeat = (
  seats: readonly Seat[],
  holds: readonly Hold[],
  visit: Period,
): Seat | undefined => {
  const taken = bySeat(holds);
  const day_ms = 86_400_000;
  const around = { from: visit.from - day_ms, to: visit.to + day_ms };
  let best: { seat: Seat; unused: number } | undefined;
  for (const seat of seats) {
    const gap = gaps(taken.get(seatKey(seat)) ?? [], around).find(
      ({ from, to }) => from <= visit.from && to >= visit.to,
    );
    if (gap === undefined) continue;
    const unused = gap.to - gap.from;
    if (best === undefined || unused < best.unused) best = { seat, unused };
  }
  return best?.seat;
};
