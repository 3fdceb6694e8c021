import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { startRedis } from '../../shared/testing/redis.ts';
import { recordedLog } from '../testing/log.ts';
import { memoryStore } from '../testing/store.ts';
import { bounds } from './limits.ts';
import { createRateLimits } from './rates.ts';

setDefaultTimeout(60_000);

const opened = (patch: object, clock: Clock = fakeClock()) => {
  const recorded = recordedLog();
  return { limits: createRateLimits(memoryStore([], patch), clock, recorded.log), recorded };
};

describe('createRateLimits()', () => {
  test('createRateLimits() lets a burst through, then as many as the rate says, each network for itself', async () => {
    const clock = fakeClock();
    const { limits } = opened({ requests_burst: 3, requests_per_second: 2 }, clock);
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
    expect(limits.health()).toBeUndefined();
  });

  test('createRateLimits() remembers a bounded number of networks', async () => {
    const { limits } = opened({ starts_per_minute: 1 });
    for (let network = 0; network <= bounds.networks_remembered; network++) {
      await limits.take('start', `network-${network}`);
    }
    expect(await limits.take('start', `network-${bounds.networks_remembered}`)).toBeGreaterThan(0);
    expect(await limits.take('start', 'network-0')).toBe(0);
  });

  test('createRateLimits() counts in Redis for all processes, and each for itself while Redis is away', async () => {
    await using redis = await startRedis();
    let skipped_ms = 0;
    const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skipped_ms };
    const patch = { redis_url: redis.url, starts_per_minute: 3 };
    const [first, second] = [opened(patch, clock), opened(patch, clock)];
    const take = ({ limits }: typeof first, network = 'a') => limits.take('start', network);
    expect([await take(first), await take(second), await take(first)]).toEqual([0, 0, 0]);
    for (const one of [first, second]) {
      const wait_ms = await take(one);
      expect(wait_ms).toBeGreaterThan(0);
      expect(wait_ms).toBeLessThanOrEqual(60_000);
      expect(one.limits.health()).toEqual({ ok: true });
    }

    await redis.kill();
    expect([await take(first, 'b'), await take(first, 'b'), await take(first, 'b')]).toEqual([0, 0, 0]);
    expect(await take(first, 'b')).toBeGreaterThan(0);
    expect([await take(second, 'b'), first.limits.health()]).toEqual([
      0,
      { ok: false, note: 'Redis is away: each process counts requests for itself' },
    ]);

    await redis.start();
    while (first.limits.health()?.ok === false || second.limits.health()?.ok === false) {
      skipped_ms += 5_000;
      await Promise.all([take(first, 'c'), take(second, 'c')]);
      await new Promise(setImmediate);
    }
    expect([await take(first, 'd'), await take(second, 'd'), await take(first, 'd')]).toEqual([0, 0, 0]);
    expect(await take(second, 'd')).toBeGreaterThan(0);
    expect(first.recorded.messages('warn')).toEqual([
      'Redis is away: each process counts requests for itself',
    ]);
    for (const { limits } of [first, second]) limits.stop();
  });
});
