import { expect, test } from 'bun:test';
import { abuseRoutes } from './abuse-routes.ts';

/** Above what any share lets through in the second that is asked for. */
const most_of_a_share = 5_000;

test('abuseRoutes() leaves /healthz and the hosts alone, whatever a stranger asks for over many connections', async () => {
  const { routes, met, bare } = await abuseRoutes({
    seconds: 1,
    connections: 100,
    hosts: 2,
    only: ['/docs', '/healthz', '/ws', '/api/v1/login'],
  });
  expect(met).toMatchObject({ healthz_always_200: true, no_host_silent: true });
  expect(bare.healthz.asked).toBeGreaterThan(0);
  expect(Object.keys(routes)).toEqual(['GET /docs', 'GET /ws', 'GET /healthz', 'POST /api/v1/login']);
  for (const { answers, healthz } of Object.values(routes)) {
    // On a machine that is busy enough a second is too short to go beyond a share.
    const asked = Object.values(answers).reduce((sum, count) => sum + count, 0);
    expect(asked < most_of_a_share || (answers['429'] ?? 0) > 0).toBeTrue();
    // The machine of a test may be busy; without limits it was 21 s.
    expect(healthz.p99_ms).toBeLessThan(5_000);
    expect(healthz.asked).toBeGreaterThan(0);
  }
}, 180_000);
