import { createMiddleware } from 'hono/factory';
import { isHostKey } from '../fleet/fleet.ts';
import { beyondRate } from '../kit/budget.ts';
import type { Env } from '../kit/http-env.ts';
import { problem } from '../kit/http-problems.ts';
import type { Kind, RateLimits } from '../kit/rates.ts';
import { bearer } from '../kit/secrets.ts';
import type { World } from '../sessions/live.ts';

/** What starts something, or tries a secret. A login counts itself: that of a known device needs no share of its network's. */
const starts = new Set([
  ...['sessions', 'join', 'queue', 'bookings', 'accounts', 'enrolments'].map(
    (name) => `POST /api/v1/${name}`,
  ),
  'GET /agent/check',
  'POST /agent/draining',
]);

const signalling = /^\/api\/v1\/sessions\/[^/]+\/signalling$/;

/** What a request to that path is counted as. */
export const kindOf = (world: World, path: string, authorization: string | null | undefined): Kind => {
  if (path === '/healthz' || path === '/readyz') return 'health';
  // Behind one address visitors must not keep hosts out, nor those who only say that they are hosts.
  if (path === '/agent') return isHostKey(world, bearer(authorization)) ? 'host' : 'upgrade';
  if (path === '/ws' || signalling.test(path)) return 'upgrade';
  return path.startsWith('/api/') || path.startsWith('/agent/') ? 'request' : 'page';
};

export const retryAfter = (wait_ms: number) => ({ 'Retry-After': String(Math.ceil(wait_ms / 1_000)) });

/** Refuses what goes beyond the caller's share, whatever it asks for, with the seconds until there is some again. */
export const limitRate = (limits: RateLimits, world: World) =>
  createMiddleware<Env>(async (c, next) => {
    const { network } = c.env;
    let wait_ms = await limits.take(kindOf(world, c.req.path, c.req.header('authorization')), network);
    if (wait_ms === 0 && starts.has(`${c.req.method} ${c.req.path}`)) {
      wait_ms = await limits.take('start', network);
    }
    if (wait_ms === 0) return next();
    return problem(beyondRate(wait_ms));
  });
