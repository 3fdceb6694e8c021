import { isIP } from 'node:net';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { refuse } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { requestUrl } from '../../shared/request-url.ts';
import type { Settings } from '../kit/data-directory.ts';
import { originAllowed } from '../kit/http-addresses.ts';
import type { Env } from '../kit/http-env.ts';
import { problem } from '../kit/http-problems.ts';
import { bounds } from '../kit/limits.ts';
import type { Configuration } from '../kit/settings.ts';

const ownHosts = ['localhost', '127.0.0.1', '[::1]'];

/** Without a word about names those that no other site can have: addresses, and what this machine is called at home. */
const servesHost = (
  hostname: string,
  { public_url, allowed_hosts }: Configuration,
  host_name: string,
): boolean => {
  if (public_url === undefined && allowed_hosts.length === 0) {
    return isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || ['localhost', host_name].includes(hostname);
  }
  const named = public_url === undefined ? [] : [new URL(public_url).hostname];
  return [...named, ...ownHosts, ...allowed_hosts].includes(hostname);
};

/**
 * Refuses a Host header that makes no address, and two, before anybody builds one from it, and one that names another server:
 * a page of that name may be an attacker's, whose name now points here. Health checks call us by any name. `host_name` is
 * this machine's.
 */
export const checkHost = (store: Settings, host_name: string) => {
  const own_name = host_name.toLowerCase();
  return createMiddleware<Env>(async (c, next) => {
    const url = requestUrl(c.req.raw);
    if (url === undefined) return problem(refuse('malformed', 'the Host header'));
    const { hostname, pathname } = url;
    if (pathname === '/healthz' || servesHost(hostname, store.configuration(), own_name)) return next();
    return problem(refuse('misdirected'));
  });
};

/** Refuses changes that a foreign page asks for. Reading is harmless: without CORS headers it cannot see the answer. */
export const checkOrigin = (store: Settings) =>
  createMiddleware<Env>(async (c, next) => {
    const changes = c.req.method !== 'GET' && c.req.method !== 'HEAD';
    if (changes && !originAllowed(c, store.configuration())) return problem(refuse('origin_refused'));
    return next();
  });

const limitedTo = (bytes: number) =>
  bodyLimit({ maxSize: bytes, onError: () => problem(refuse('frame_too_large', `at most ${bytes} bytes`)) });

const limitText = limitedTo(limits.body_bytes);
const limitPicture = limitedTo(bounds.picture_bytes);

/** Bounds every body; only the route that takes a picture takes a large one. */
export const limitBody = createMiddleware<Env>((c, next) => {
  const picture = c.req.method === 'PUT' && /^\/api\/v1\/catalogue\/apps\/[^/]+\/picture$/.test(c.req.path);
  return picture ? limitPicture(c, next) : limitText(c, next);
});

const apiHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

const https_only = { 'Strict-Transport-Security': `max-age=${365 * 24 * 3_600}` };

const httpsHeaders = { ...apiHeaders, ...https_only } as const;

/** Headers of every answer. */
export const ownHeaders = ({ public_url }: Configuration): Readonly<Record<string, string>> =>
  public_url?.startsWith('https:') === true ? httpsHeaders : apiHeaders;

/** Sets them. An answer may bring its own, as pages do. */
export const setHeaders = (store: Settings) =>
  createMiddleware<Env>(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(ownHeaders(store.configuration()))) {
      if (!c.res.headers.has(name)) c.res.headers.set(name, value);
    }
  });
