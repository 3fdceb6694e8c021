import { withoutFinalDot } from '../../shared/request-url.ts';
import type { Ctx } from './http-env.ts';
import type { Configuration } from './settings.ts';

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
  if (withoutFinalDot(origin) === public_url || allowed_origins.includes(origin)) return true;
  const host = withoutFinalDot(new URL(c.req.url).host);
  // Of the public host only the public address is ours; a page of another scheme or port there is not.
  if (public_url !== undefined && new URL(public_url).host === host) return false;
  return URL.canParse(origin) && withoutFinalDot(new URL(origin).host) === host;
};
