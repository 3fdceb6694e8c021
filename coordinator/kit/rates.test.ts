import { describe, expect, test } from 'bun:test';
import type { Clock } from '../../shared/clock.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { memoryBus } from '../testing/bus.ts';
import { memoryStore } from '../testing/store.ts';
import type { Bus } from './bus.ts';
import { bounds } from './limits.ts';
import { createRateLimits, type RateLimits } from './rates.ts';

const opened = (patch: object, clock: Clock = fakeClock(), bus: Pick<Bus, 'take'> = memoryBus(clock)) =>
  createRateLimits(memoryStore([], patch), clock, bus);

describe('createRateLimits()', () => {
  test('createRateLimits() lets a burst through, then as many as the rate says, each network for itself', async () => {
    const clock = fakeClock();
    const limits = opened({ requests_burst: 3, requests_per_second: 2 }, clock);
    const take = (network = 'a') => limits.take('request', network);
    expect([await take(), await take(), await take()]).toEqual([0, 0, 0]);
    expect([await take(), await take('b')]).toEqual([500, 0]);
    clock.advance(499);
    expect(await take()).toBe(1);
    clock.advance(1);
    expect([await take(), await take()]).toEqual([0, 500]);
    clock.advance(3_600_000);
    expect([await take(), await take(), await take(), await take()]).toEqual([0, 0, 0, 500]);
    expect(await limits.take('start', 'a')).toBe(0);
  });

  test('createRateLimits() remembers a bounded number of networks', async () => {
    const limits = opened({ starts_per_minute: 1 });
    for (let network = 0; network <= bounds.networks_remembered; network++) {
      await limits.take('start', `network-${network}`);
    }
    expect(await limits.take('start', `network-${bounds.networks_remembered}`)).toBeGreaterThan(0);
    expect(await limits.take('start', 'network-0')).toBe(0);
  });

  test('createRateLimits() counts what is dear for all processes, and each for itself while nobody counts for all', async () => {
    const clock = fakeClock();
    const bus = memoryBus(clock);
    let away = false;
    const shared: Pick<Bus, 'take'> = {
      take: async (share, rate) => (away ? undefined : bus.take(share, rate)),
    };
    const patch = { starts_per_minute: 3, connections_per_address: 1 };
    const [first, second] = [opened(patch, clock, shared), opened(patch, clock, shared)];
    const take = (limits: RateLimits, network = 'a') => limits.take('start', network);
    expect([await take(first), await take(second), await take(first)]).toEqual([0, 0, 0]);
    expect([await take(first), await take(second)]).toEqual([20_000, 20_000]);
    // What is cheap to answer is bounded by each process.
    const upgrades = Array.from({ length: bounds.upgrades_per_connection }, () => [first, second]).flat();
    for (const limits of upgrades) expect(await limits.take('upgrade', 'a')).toBe(0);
    away = true;
    for (const limits of [first, second]) {
      expect([await take(limits, 'b'), await take(limits, 'b'), await take(limits, 'b')]).toEqual([0, 0, 0]);
      expect(await take(limits, 'b')).toBeGreaterThan(0);
    }
  });
});
