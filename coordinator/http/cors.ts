import { createMiddleware } from 'hono/factory';
import type { Store } from '../store/store.ts';
import type { Env } from './env.ts';

const preflight = {
  'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type, If-Match, Idempotency-Key',
  'Access-Control-Max-Age': '600',
};

/**
 * Lets pages of `allowed_origins`, and of no other site, read our answers. No cookie counts there, so none is allowed.
 * To a page of another site nothing here says that it may.
 */
export const allowOrigins = (store: Store) =>
  createMiddleware<Env>(async (c, next) => {
    const origin = c.req.header('origin');
    const allowed = origin !== undefined && store.configuration().allowed_origins.includes(origin);
    const asks = c.req.method === 'OPTIONS' && c.req.header('access-control-request-method') !== undefined;
    if (allowed && asks) c.res = new Response(null, { status: 204, headers: preflight });
    else await next();
    c.res.headers.append('Vary', 'Origin');
    if (!allowed) return;
    c.res.headers.set('Access-Control-Allow-Origin', origin);
    c.res.headers.set('Access-Control-Expose-Headers', 'ETag, Retry-After, X-Incident-Id');
  });
