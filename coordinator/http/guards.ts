import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { refuse } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { Configuration } from '../store/configuration-file.ts';
import type { Store } from '../store/store.ts';
import type { Ctx, Env } from './env.ts';
import { problem } from './problems.ts';

/** The address by which the caller reaches the coordinator. */
export const publicBase = (c: Ctx, { public_url }: Configuration): URL => new URL(public_url ?? c.req.url);

/** The same, for WebSockets. */
export const socketBase = (c: Ctx, configuration: Configuration): URL => {
  const base = publicBase(c, configuration);
  return new URL(`${base.protocol === 'https:' ? 'wss:' : 'ws:'}//${base.host}`);
};

/**
 * A page may talk to us if it is ours or of an allowed site. A program sends no Origin and may: a caller has no rights but
 * those of the token it presents. For cookies that is not enough: see `fromOwnPage`.
 */
export const originAllowed = (c: Ctx, configuration: Configuration): boolean => {
  const origin = c.req.header('origin');
  if (origin === undefined) return true;
  const { public_url, allowed_origins } = configuration;
  if (origin === public_url || allowed_origins.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === new URL(c.req.url).host;
};

/** Refuses a Host header that makes no address, before anybody builds one from it. */
export const checkHost = createMiddleware<Env>(async (c, next) =>
  URL.canParse(c.req.url) ? next() : problem(refuse('malformed', 'the Host header')),
);

/** Refuses changes that a foreign page asks for. Reading is harmless: without CORS headers it cannot see the answer. */
export const checkOrigin = (store: Store) =>
  createMiddleware<Env>(async (c, next) => {
    const changes = c.req.method !== 'GET' && c.req.method !== 'HEAD';
    if (changes && !originAllowed(c, store.configuration())) return problem(refuse('origin_refused'));
    return next();
  });

export const limitBody = bodyLimit({
  maxSize: limits.body_bytes,
  onError: () => problem(refuse('frame_too_large', `at most ${limits.body_bytes} bytes`)),
});

const apiHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** Headers of every answer that is not a page. An answer may bring its own Cache-Control. */
export const setHeaders = createMiddleware<Env>(async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(apiHeaders)) {
    if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  }
});
