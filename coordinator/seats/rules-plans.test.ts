import { expect, test } from 'bun:test';
import { overlaps } from '../kit/rules-time.ts';
import { capacityOf } from './rules-capacity.ts';
import {
  fittingSeat,
  freeRuns,
  freeSeats,
  type Hold,
  planCards,
  planSeats,
  type Seat,
  type SeatPlan,
  seatKey,
} from './rules-plans.ts';
import { bookablePeriod, slot_ms, slotsOf } from './rules-slots.ts';

/** A small generator of repeatable numbers (mulberry32). */
const random = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) % below) | 0;
  };
};

const seats: Seat[] = [
  { host: 'a', seat: 0 },
  { host: 'a', seat: 1 },
  { host: 'b', seat: 0 },
];

/** Plain hosts. */
const cards = (plans: readonly SeatPlan[]) =>
  [...Map.groupBy(plans, ({ host }) => host).values()].flatMap((own) =>
    planCards(capacityOf(own.length), [], own),
  );

const hold = (seat: Seat | undefined, from: number, slots: number): Hold => ({
  ...(seat ?? { host: 'x', seat: 0 }),
  from: from * slot_ms,
  to: (from + slots) * slot_ms,
  app: 'Loft',
});

const free = (holds: readonly Hold[], seat: Seat, from: number, to: number): boolean =>
  !holds.some((other) => seatKey(other) === seatKey(seat) && overlaps(other, { from, to }));

test('freeSeats() counts as many as one finds by trying each seat at each slot', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const next = random(seed);
    const holds = Array.from({ length: next(12) }, () => hold(seats[next(3)], next(60), 1 + next(15)));
    const length_ms = (1 + next(12)) * slot_ms;
    const range = { from: (5 + next(5)) * slot_ms, to: (30 + next(20)) * slot_ms };
    const found = freeSeats(cards(planSeats(seats, holds)), 'Loft', range, length_ms);
    const tried = slotsOf(range).map((slot) => {
      const from = slot * slot_ms;
      return { from, seats: seats.filter((seat) => free(holds, seat, from, from + length_ms)).length };
    });
    expect(found).toEqual(tried);
  }
});

test('freeSeats() says nothing of an empty range, and begins on the grid', () => {
  expect(freeSeats(cards(planSeats(seats, [])), 'Loft', { from: slot_ms, to: slot_ms }, slot_ms)).toEqual([]);
  const odd = freeSeats(cards(planSeats(seats, [])), 'Loft', { from: 1, to: 2 * slot_ms }, slot_ms);
  expect(odd).toEqual([{ from: slot_ms, seats: 3 }]);
});

test('fittingSeat() gives a free seat exactly when there is one', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const next = random(seed);
    const holds = Array.from({ length: next(14) }, () => hold(seats[next(3)], next(40), 1 + next(15)));
    const from = next(40) * slot_ms;
    const visit = { from, to: from + (1 + next(10)) * slot_ms };
    const found = fittingSeat(cards(planSeats(seats, holds)), 'Loft', visit);
    const able = seats.filter((seat) => free(holds, seat, visit.from, visit.to));
    if (found === undefined) expect(able).toEqual([]);
    else expect(able).toContainEqual(found);
  }
});

test('fittingSeat() fills the shorter gap', () => {
  const holds = [hold(seats[2], 0, 10), hold(seats[2], 14, 10)];
  expect(
    fittingSeat(cards(planSeats(seats, holds)), 'Loft', { from: 10 * slot_ms, to: 13 * slot_ms }),
  ).toEqual({
    host: 'b',
    seat: 0,
  });
});

test('slotsOf() covers a period, begun slots included', () => {
  expect(slotsOf({ from: 0, to: 3 * slot_ms })).toEqual([0, 1, 2]);
  expect(slotsOf({ from: slot_ms - 1, to: slot_ms + 1 })).toEqual([0, 1]);
  expect(slotsOf({ from: 5, to: 5 })).toEqual([]);
});

test.each<[from: number, minutes: number, answer: object]>([
  [10 * slot_ms, 30, { from: 10 * slot_ms, to: 16 * slot_ms }],
  [10 * slot_ms + 1, 30, { refused: 'malformed', detail: 'a booking begins at a multiple of five minutes' }],
  [10 * slot_ms, 7, { refused: 'malformed', detail: 'a booking lasts a multiple of five minutes' }],
  [10 * slot_ms, 0, { refused: 'malformed', detail: 'a booking lasts a multiple of five minutes' }],
  [10 * slot_ms, -5, { refused: 'malformed', detail: 'a booking lasts a multiple of five minutes' }],
  [10 * slot_ms, Number.NaN, { refused: 'malformed', detail: 'a booking lasts a multiple of five minutes' }],
  [2 * slot_ms, 30, { refused: 'time_past' }],
])('bookablePeriod(%d, %d) answers %j', (from, minutes, answer) => {
  expect<object>(bookablePeriod(from, minutes, 5 * slot_ms)).toEqual(answer);
});

test('freeRuns() says the same as freeSeats() in fewer words', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const next = random(seed);
    const holds = Array.from({ length: next(12) }, () => hold(seats[next(3)], next(60), 1 + next(15)));
    const plans = cards(planSeats(seats, holds));
    const range = { from: 0, to: 50 * slot_ms };
    const runs = freeRuns(plans, 'Loft', range, 2 * slot_ms);
    const said = runs.flatMap((run) => slotsOf(run).map((at) => ({ from: at * slot_ms, seats: run.seats })));
    expect(said).toEqual(freeSeats(plans, 'Loft', range, 2 * slot_ms).filter((one) => one.seats > 0));
    for (const [at, run] of runs.entries()) {
      const before = runs[at - 1];
      expect(before?.to === run.from && before.seats === run.seats).toBeFalse();
    }
  }
});
