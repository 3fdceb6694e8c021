import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { problemSchema } from '../../shared/protocol/http.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { startRedis } from '../../shared/testing/redis.ts';
import { loadSite } from '../http/pages.ts';
import page from '../site/index.html';
import { appUnderTest } from '../testing/app.ts';
import { recordedLog } from '../testing/log.ts';
import { keyOf, memoryStore } from '../testing/store.ts';
import { createRateLimits, limitRate } from './http-rates.ts';
import { bounds } from './limits.ts';

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

describe(`${limitRate.name}()`, () => {
  test('limitRate() refuses with the seconds to wait, for what starts something sooner', async () => {
    const under = await appUnderTest({ starts_per_minute: 2, requests_burst: 5, requests_per_second: 1 });
    const join = () => under.request('/api/v1/join', { method: 'POST', body: { code: '0000' } });
    expect([(await join()).status, (await join()).status]).toEqual([404, 404]);
    const refused = await join();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
    expect(problemSchema.parse(await refused.json()).code).toBe('too_many_messages');
    for (const status of [200, 200, 429]) expect((await under.request('/api/v1/apps')).status).toBe(status);
    expect((await under.request('/api/v1/apps')).headers.get('retry-after')).toBe('1');
    expect((await under.request('/healthz')).status).toBe(200);
    under.clock.advance(30_000);
    expect((await join()).status).toBe(404);
  });

  test('limitRate() counts booking and queueing among what starts something', async () => {
    const under = await appUnderTest({ starts_per_minute: 2 });
    const bodies: [path: string, body: object][] = [
      ['queue', { app: 'Castle' }],
      ['bookings', { app: 'Castle', date: '2026-01-02', time: '10:00' }],
    ];
    for (const [path, body] of bodies) {
      expect((await under.request(`/api/v1/${path}`, { method: 'POST', body })).status).toBe(404);
    }
    for (const [path, body] of bodies) {
      const refused = await under.request(`/api/v1/${path}`, { method: 'POST', body });
      expect(problemSchema.parse(await refused.json()).code).toBe('too_many_messages');
    }
  });

  test('limitRate() limits every route that there is, and addresses where nothing is', async () => {
    const patch = { requests_burst: 2, requests_per_second: 1, connections_per_address: 1 };
    const under = await appUnderTest(patch, { picture: 'loft.svg' }, await loadSite(page));
    const served = under.app.routes.filter(({ method }) => method !== 'ALL');
    expect(served.length).toBeGreaterThan(60);
    const nothing = ['GET', 'POST', 'OPTIONS', 'HEAD', 'BREW'].flatMap((method) =>
      ['/nowhere', '/api/v1/nowhere', '/api/v1/sessions/a/b/c', '//', '/%'].map((path) => ({ method, path })),
    );
    const preflights = served.map(({ path }) => ({ method: 'OPTIONS', path }));
    const most = bounds.health_burst + 1;
    for (const [number, { method, path }] of [...served, ...nothing, ...preflights].entries()) {
      const from = { network: `network-${number}` };
      const headers = {
        Origin: 'http://localhost',
        'Access-Control-Request-Method': 'POST',
        Authorization: 'Bearer a',
      };
      const ask = () => under.request(path.replaceAll(/:\w+(\{[^}]*\})?/g, 'x'), { method, headers }, from);
      let answered = await ask();
      for (let asked = 1; asked < most && answered.status !== 429; asked++) answered = await ask();
      expect([method, path, answered.status]).toEqual([method, path, 429]);
      expect(Number(answered.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answered.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  test('limitRate() keeps hosts and health apart from what visitors of the same network use up', async () => {
    const under = await appUnderTest({
      connections_per_address: 1,
      requests_burst: 1,
      requests_per_second: 1,
    });
    const status = async (path: string, headers = {}) => (await under.request(path, { headers })).status;
    const until429 = async (path: string, headers = {}) => {
      while ((await status(path, headers)) !== 429);
    };
    const of = (key: string) => ({ Upgrade: 'websocket', Authorization: `Bearer ${key}` });
    await until429('/ws', { Upgrade: 'websocket' });
    expect(await status('/agent', of('made-up'))).toBe(429);
    for (const path of ['/', '/docs', '/nowhere', '/api/v1/apps']) await until429(path);
    expect([await status('/agent', of(keyOf('a'))), await status('/healthz')]).toEqual([200, 200]);
    await until429('/healthz');
    expect(await status('/agent', of(keyOf('a')))).toBe(200);
  });
});
