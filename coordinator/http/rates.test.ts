import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { problemSchema } from '../../shared/protocol/http.ts';
import { bounds } from '../kit/limits.ts';
import page from '../site/index.html';
import { appUnderTest } from '../testing/app.ts';
import { keyOf } from '../testing/store.ts';
import { loadSite } from './pages.ts';
import { limitRate } from './rates.ts';

setDefaultTimeout(60_000);

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
