import { describe, expect, test } from 'bun:test';
import { fitsOn } from '../../shared/capacity.ts';
import type { HostCard } from '../../shared/protocol/agent-link.ts';
import { type Random, seeded } from '../../shared/testing/random.ts';
import { overlaps, type Period } from '../kit/rules-time.ts';
import { type Capacity, capacityOf, cardOf, needsOf } from './rules-capacity.ts';
import {
  type CardPlan,
  fittingSeat,
  freeSeats,
  type Hold,
  openSeats,
  planCards,
  planSeats,
} from './rules-plans.ts';
import { slot_ms } from './rules-slots.ts';

const bound = (index: number, seats: number, vram_mb: number | null, encoders: number | null): HostCard => ({
  ...{ index, seats, vram_mb, encoders },
});
const needs = [
  { rc_name: 'Loft', vram_mb: 4_000, encoders: 1 },
  { rc_name: 'Villa', vram_mb: 9_000, encoders: 2 },
];

/** The cards of one host with five seats on two cards, and of a plain one with two. */
interface Fleet {
  readonly hosts: Readonly<Record<string, Capacity>>;
}

const fleet = (placing: Capacity['placing'] = 'spread'): Fleet => ({
  hosts: {
    a: capacityOf(5, { cards: [bound(0, 3, 12_000, null), bound(1, 2, 24_000, 2)], needs, placing }),
    b: capacityOf(2, { needs }),
  },
});

const plansOf = ({ hosts }: Fleet, holds: readonly Hold[], draining: readonly number[] = []): CardPlan[] =>
  Object.entries(hosts).flatMap(([host, capacity]) => {
    const count = capacity.cards.reduce((sum, { seats }) => sum + seats, 0);
    const seats = Array.from({ length: count }, (_, seat) => ({ host, seat }));
    return planCards(capacity, host === 'a' ? draining : [], planSeats(seats, holds));
  });

/** Whether each card has room for what the holds put onto it, at all times. */
const allFit = ({ hosts }: Fleet, holds: readonly Hold[]): boolean =>
  holds.every(({ host, from }) => {
    const capacity = hosts[host];
    if (capacity === undefined) return false;
    const there = holds.filter((one) => one.host === host && one.from <= from && from < one.to);
    if (new Set(there.map(({ seat }) => seat)).size < there.length) return false;
    return capacity.cards.every((card) => {
      const loads = there
        .filter(({ seat }) => cardOf(capacity, seat)?.index === card.index)
        .map(({ app }) => ({ ...needsOf(capacity, app), card: card.index }));
      return loads.every((_, at) =>
        fitsOn(card, loads.slice(0, at), loads[at] ?? { vram_mb: 0, encoders: 0 }),
      );
    });
  });

const visitOf = (random: Random): Period => {
  const from = random.below(30) * slot_ms;
  return { from, to: from + (1 + random.below(8)) * slot_ms };
};
const apps: [string, ...string[]] = ['Loft', 'Villa', 'Castle'];

/** Bookings, made one after the other as long as they fit. */
const booked = (random: Random, given: Fleet, tries: number): Hold[] => {
  const holds: Hold[] = [];
  for (let round = 0; round < tries; round++) {
    const [app, visit] = [random.pick(apps), visitOf(random)];
    const seat = fittingSeat(plansOf(given, holds), app, visit);
    if (seat !== undefined) holds.push({ ...seat, ...visit, app });
  }
  return holds;
};

describe('fittingSeat() and cards', () => {
  test('fittingSeat() never puts more onto a card than fits, at any time, and finds a seat when there is one', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seeded(seed);
      const given = fleet(seed % 2 === 0 ? 'pack' : 'spread');
      const holds = booked(random, given, 60);
      expect(allFit(given, holds)).toBeTrue();
      for (let round = 0; round < 10; round++) {
        const [app, visit] = [random.pick(apps), visitOf(random)];
        const plans = plansOf(given, holds);
        const able = Object.entries(given.hosts).flatMap(([host, { cards }]) =>
          Array.from({ length: cards.reduce((sum, one) => sum + one.seats, 0) }, (_, seat) => ({
            host,
            seat,
          })),
        );
        const right = able.filter(
          (seat) =>
            !holds.some((one) => one.host === seat.host && one.seat === seat.seat && overlaps(one, visit)) &&
            allFit(given, [...holds, { ...seat, ...visit, app }]),
        );
        expect(openSeats(plans, app, visit)).toEqual(right);
        const found = fittingSeat(plans, app, visit);
        if (found === undefined) expect(right).toEqual([]);
        else expect(right).toContainEqual(found);
      }
    }
  });

  test.each<[placing: Capacity['placing'], taken: number[], seat: number]>([
    ['spread', [], 0],
    ['spread', [0], 3],
    ['spread', [0, 3], 1],
    ['pack', [], 0],
    ['pack', [3], 4],
    ['pack', [0], 1],
  ])('fittingSeat() by "%s" beside visits on %j takes seat %d', (placing, taken, seat) => {
    const { a = capacityOf(0) } = fleet(placing).hosts;
    const visit = { from: 12 * slot_ms, to: 24 * slot_ms };
    const holds = taken.map((at) => ({ host: 'a', seat: at, app: 'Menu', ...visit }));
    const seats = Array.from({ length: 5 }, (_, at) => ({ host: 'a', seat: at }));
    const free = { ...a, needs: [{ rc_name: 'Menu', vram_mb: 0, encoders: 0 }] };
    const plans = planCards(free, [], planSeats(seats, holds));
    expect(fittingSeat(plans, 'Menu', visit)).toEqual({ host: 'a', seat });
  });

  test('fittingSeat() leaves draining cards alone', () => {
    const given: Fleet = { hosts: { a: fleet().hosts.a ?? capacityOf(0) } };
    const visit = { from: 0, to: slot_ms };
    expect(fittingSeat(plansOf(given, [], [0]), 'Loft', visit)?.seat).toBe(3);
    expect(fittingSeat(plansOf(given, [], [0, 1]), 'Loft', visit)).toBeUndefined();
    expect(freeSeats(plansOf(given, [], [0]), 'Loft', visit, slot_ms)).toEqual([{ from: 0, seats: 2 }]);
  });
});

describe('freeSeats() and cards', () => {
  test('freeSeats() counts as many as one can book at once from each slot on', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seeded(seed);
      const given = fleet();
      const holds = booked(random, given, random.below(50));
      const app = random.pick(apps);
      const length_ms = (1 + random.below(10)) * slot_ms;
      const range = { from: random.below(5) * slot_ms, to: (20 + random.below(20)) * slot_ms };
      const said = freeSeats(plansOf(given, holds), app, range, length_ms);
      for (const { from, seats } of said) {
        const visit = { from, to: from + length_ms };
        const more = [...holds];
        let found = 0;
        for (;;) {
          const seat = fittingSeat(plansOf(given, more), app, visit);
          if (seat === undefined) break;
          more.push({ ...seat, ...visit, app });
          found += 1;
        }
        expect(seats).toBe(found);
      }
    }
  });
});
