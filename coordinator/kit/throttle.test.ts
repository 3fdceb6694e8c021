import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { silentLog } from '../../shared/log.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { seeded } from '../../shared/testing/random.ts';
import { removals } from '../expiry.ts';
import { memoryDatabase } from '../testing/database.ts';
import { memoryStore } from '../testing/store.ts';
import { removeExpired } from './sweep.ts';
import { countHits, hitsLeft, returnHits } from './throttle.ts';

setDefaultTimeout(60_000);

describe('countHits()', () => {
  test('countHits() lets no window see more than the budget, and no more than a sixth of it late', async () => {
    const random = seeded(7);
    const services = { db: memoryDatabase(), clock: fakeClock(), store: memoryStore([]), log: silentLog };
    const budget = { name: 'x', window_ms: 60_000, most: 5 };
    const taken: number[] = [];
    const within = (from: number, to: number) => taken.filter((at) => at > from && at <= to).length;
    for (let step = 0; step < 3_000; step++) {
      services.clock.advance(random.pick([0, 1, 500, 9_999, 10_000, 30_000]) + random.below(3_000));
      if (step % 50 === 0) await removeExpired(services, removals);
      const now = services.clock.now();
      if (await countHits(services, [budget])) taken.push(now);
      else expect(within(now - 70_000, now)).toBeGreaterThanOrEqual(5);
      expect(within(now - 60_000, now)).toBeLessThanOrEqual(5);
    }
    expect(taken.length).toBeGreaterThan(500);
    services.clock.advance(200_000);
    await removeExpired(services, removals);
    expect(await services.db.read(({ counters }) => counters.count({}))).toBe(0);
  });

  test('countHits() has a hit again that was given back, and none that was not taken', async () => {
    const services = { db: memoryDatabase(), clock: fakeClock() };
    const budgets = [{ name: 'x', window_ms: 60_000, most: 1 }];
    const giveBack = (at: number) => services.db.transact((tables) => returnHits(tables, budgets, at));
    const at = services.clock.now();
    await giveBack(at);
    expect([await countHits(services, budgets), await countHits(services, budgets)]).toEqual([true, false]);
    services.clock.advance(30_000);
    await giveBack(at);
    await giveBack(at);
    expect(await hitsLeft(services, budgets)).toBeTrue();
    expect([await countHits(services, budgets), await countHits(services, budgets)]).toEqual([true, false]);
  });
});
