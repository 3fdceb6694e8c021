import { describe, expect, test } from 'bun:test';
import { fitsOn } from '../../shared/capacity.ts';
import type { HostCard } from '../../shared/protocol/agent-link.ts';
import { type Random, seeded } from '../../shared/testing/random.ts';
import {
  type Capacity,
  capacityOf,
  cardOf,
  isBound,
  mostOn,
  needsOf,
  roomDuring,
  roomOn,
  roomUntil,
  shareTaken,
  surplus,
  type Use,
} from './rules-capacity.ts';

const card = (index: number, seats: number, changes: Partial<HostCard> = {}): HostCard => ({
  index,
  seats,
  vram_mb: null,
  encoders: null,
  ...changes,
});
const needs = [
  { rc_name: 'Loft', vram_mb: 4_000, encoders: 1 },
  { rc_name: 'Villa', vram_mb: 9_000, encoders: 2 },
  { rc_name: 'Menu', vram_mb: 0, encoders: 0 },
];
const use = (app: string | null, from: number, to: number): Use => ({ app, from, to });

test('capacityOf() believes cards that make up the seats, each with its own number', () => {
  const two = [card(0, 2), card(3, 1)];
  expect(capacityOf(3, { cards: two, needs, placing: 'pack' })).toEqual({
    cards: two,
    needs,
    placing: 'pack',
  });
  const whole = { cards: [card(0, 3)], needs: [], placing: 'spread' } as const;
  expect(capacityOf(3)).toEqual(whole);
  expect(capacityOf(3, { cards: [card(0, 2)] })).toEqual(whole);
  expect(capacityOf(3, { cards: [card(1, 2), card(1, 1)] })).toEqual(whole);
});

test('cardOf() gives consecutive seats to the cards in their order', () => {
  const capacity = capacityOf(5, { cards: [card(2, 2), card(0, 3)] });
  expect([0, 1, 2, 4, 5].map((seat) => cardOf(capacity, seat)?.index)).toEqual([2, 2, 0, 0, undefined]);
});

test('needsOf() takes an app that is not listed for the largest', () => {
  const capacity = capacityOf(1, { needs });
  expect(needsOf(capacity, 'Loft')).toMatchObject({ vram_mb: 4_000, encoders: 1 });
  expect(needsOf(capacity, 'Castle')).toEqual({ vram_mb: 9_000, encoders: 2 });
  expect(needsOf(capacity, null)).toEqual({ vram_mb: 9_000, encoders: 2 });
  expect(needsOf(capacityOf(1), 'Loft')).toEqual({ vram_mb: 0, encoders: 0 });
});

test.each<[card: HostCard, app: string, most: number, bound: boolean]>([
  [card(0, 4), 'Villa', 4, false],
  [card(0, 4, { vram_mb: 24_000 }), 'Villa', 2, true],
  [card(0, 4, { vram_mb: 24_000 }), 'Loft', 4, true],
  [card(0, 4, { vram_mb: 36_000 }), 'Villa', 4, false],
  [card(0, 4, { vram_mb: 8_000 }), 'Villa', 0, true],
  [card(0, 4, { encoders: 3 }), 'Loft', 3, true],
  [card(0, 4, { encoders: 3 }), 'Villa', 1, true],
  [card(0, 4, { encoders: 3, vram_mb: 1 }), 'Menu', 4, true],
])('mostOn(%j, %s) is %d, and isBound() says %p', (one, app, most, bound) => {
  const capacity = capacityOf(4, { cards: [one], needs });
  expect([mostOn(one, capacity, app), isBound(one, capacity)]).toEqual([most, bound]);
});

test('shareTaken() counts what the card has least of', () => {
  const one = card(0, 4, { vram_mb: 18_000, encoders: 8 });
  const capacity = capacityOf(4, { cards: [one], needs });
  const uses = [use('Villa', 0, 10), use('Loft', 5, 10)];
  expect([0, 5, 10].map((now) => shareTaken(one, capacity, uses, now))).toEqual([0.5, 13_000 / 18_000, 0]);
});

/** A card with bounds, and uses of it that may be too many. */
const situation = (random: Random): { one: HostCard; capacity: Capacity; uses: Use[] } => {
  const seats = 1 + random.below(4);
  const one = card(1, seats, {
    vram_mb: random.below(4) === 0 ? null : 3_000 + random.below(30_000),
    encoders: random.below(3) === 0 ? null : 1 + random.below(6),
  });
  const uses = Array.from({ length: random.below(10) }, () => {
    const from = random.below(40);
    return use(random.pick(['Loft', 'Villa', 'Menu', 'Castle', null]), from, from + 1 + random.below(15));
  });
  return { one, capacity: capacityOf(seats, { cards: [one], needs }), uses };
};

describe('roomOn()', () => {
  const loadsAt = (capacity: Capacity, uses: readonly Use[], at: number, index: number) =>
    uses
      .filter(({ from, to }) => from <= at && at < to)
      .map(({ app }) => ({ ...needsOf(capacity, app), card: index }));

  test('roomOn() says at each moment as many as one finds by adding one after the other with fitsOn()', () => {
    const random = seeded(7);
    for (let round = 0; round < 300; round++) {
      const { one, capacity, uses } = situation(random);
      const app = random.pick(['Loft', 'Villa', 'Menu', 'Castle']);
      const period = { from: random.below(20), to: 21 + random.below(30) };
      const steps = roomOn(one, capacity, uses, app, period);
      expect(steps[0]?.from).toBe(period.from);
      const found = Array.from({ length: period.to - period.from }, (_, more) => {
        const at = period.from + more;
        const loads = loadsAt(capacity, uses, at, one.index);
        let fits = 0;
        for (; fitsOn(one, loads, needsOf(capacity, app)); fits++) {
          loads.push({ ...needsOf(capacity, app), card: one.index });
        }
        return fits;
      });
      const said = found.map((_, more) => steps.findLast(({ from }) => from <= period.from + more)?.more);
      expect(said).toEqual(found);
      expect(roomDuring(one, capacity, uses, app, period)).toBe(Math.min(...found));
      const full = found.indexOf(0);
      const until = full < 0 ? period.to : period.from + full;
      expect(roomUntil(one, capacity, uses, app, period)).toBe(until);
    }
  });

  test('surplus() leaves as many as fit at each moment, and takes none that had room', () => {
    const random = seeded(8);
    for (let round = 0; round < 300; round++) {
      const { one, capacity, uses } = situation(random);
      const over = surplus(one, capacity, uses);
      const left = uses.filter((use) => !over.includes(use));
      for (const { from } of left) {
        const loads = loadsAt(capacity, left, from, one.index).slice(1);
        const here = left.find((use) => use.from <= from && from < use.to);
        expect(fitsOn(one, loads, needsOf(capacity, here?.app ?? null))).toBeTrue();
      }
      for (const { from, to, app } of over) {
        expect(roomDuring(one, capacity, left, app ?? '', { from, to })).toBe(0);
      }
    }
  });
});
