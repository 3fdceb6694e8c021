import { createMiddleware } from 'hono/factory';
import type { Settings } from '../kit/data-directory.ts';
import type { Ctx, Env } from '../kit/http-env.ts';

const preflight = {
  'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type, If-Match, Idempotency-Key',
  'Access-Control-Max-Age': '600',
};

const isAllowed = (c: Ctx, store: Settings): boolean => {
  const origin = c.req.header('origin');
  return origin !== undefined && store.configuration().allowed_origins.includes(origin);
};

/**
 * Lets pages of `allowed_origins`, and of no other site, read our answers. No cookie counts there, so none is allowed.
 * To a page of another site nothing here says that it may.
 */
export const allowOrigins = (store: Settings) =>
  createMiddleware<Env>(async (c, next) => {
    await next();
    c.res.headers.append('Vary', 'Origin');
    if (!isAllowed(c, store)) return;
    c.res.headers.set('Access-Control-Allow-Origin', c.req.header('origin') ?? '');
    c.res.headers.set('Access-Control-Expose-Headers', 'ETag, Retry-After, X-Incident-Id');
  });

/** Answers what a browser asks before it lets such a page change something. */
export const answerPreflight = (store: Settings) =>
  createMiddleware<Env>(async (c, next) => {
    const asks = c.req.method === 'OPTIONS' && c.req.header('access-control-request-method') !== undefined;
    return asks && isAllowed(c, store) ? new Response(null, { status: 204, headers: preflight }) : next();
  });
