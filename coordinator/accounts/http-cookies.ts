import { generateCookie, getCookie } from 'hono/cookie';
import { withoutFinalDot } from '../../shared/request-url.ts';
import { publicBase } from '../kit/http-addresses.ts';
import type { Ctx } from '../kit/http-env.ts';
import type { Configuration } from '../kit/settings.ts';

/** What a browser keeps of a login. Pages cannot read it, and it goes to this very host only. */
export interface AuthCookies {
  readonly access: string | undefined;
  readonly refresh: string | undefined;
  /** That somebody has logged in with this browser before; it outlives the login. */
  readonly device: string | undefined;
}

/** A cookie's value and when (epoch ms) it ends. */
export interface CookieValue {
  readonly value: string;
  readonly expires: number;
}

const names = { access: 'vitrina_access', refresh: 'vitrina_refresh', device: 'vitrina_device' } as const;

/** Browsers keep no cookie longer. */
const device_ms = 400 * 86_400_000;

/** Plain http is for development: browsers take neither the prefix nor Secure there. */
const isSecure = (c: Ctx, configuration: Configuration): boolean =>
  publicBase(c, configuration).protocol === 'https:';

const nameOf = (which: keyof typeof names, secure: boolean): string =>
  secure ? `__Host-${names[which]}` : names[which];

/** The cookies that came with the request. */
export const readCookies = (c: Ctx, configuration: Configuration): AuthCookies => {
  const secure = isSecure(c, configuration);
  return {
    access: getCookie(c, nameOf('access', secure)),
    refresh: getCookie(c, nameOf('refresh', secure)),
    device: getCookie(c, nameOf('device', secure)),
  };
};

/** The answer, with these cookies set; `undefined` takes the login's back, and leaves the device's. */
export const withCookies = (
  c: Ctx,
  configuration: Configuration,
  response: Response,
  cookies:
    | { readonly access: CookieValue; readonly refresh: CookieValue; readonly device: string }
    | undefined,
  now: number,
): Response => {
  const secure = isSecure(c, configuration);
  const over = { value: '', expires: now };
  const { access = over, refresh = over, device } = cookies ?? {};
  const kept = device === undefined ? {} : { device: { value: device, expires: now + device_ms } };
  const set: Partial<Record<keyof typeof names, CookieValue>> = { access, refresh, ...kept };
  for (const which of ['access', 'refresh', 'device'] as const) {
    if (set[which] === undefined) continue;
    const { value, expires } = set[which];
    const cookie = generateCookie(nameOf(which, secure), value, {
      path: '/',
      httpOnly: true,
      secure,
      sameSite: 'Strict',
      maxAge: Math.max(0, Math.floor((expires - now) / 1_000)),
    });
    response.headers.append('Set-Cookie', cookie);
  }
  return response;
};

/**
 * Whether a page of our own asks. A cookie goes along with whatever page makes the browser ask, so it counts only then:
 * the browser says which page it was, and no script can make it say otherwise.
 */
export const fromOwnPage = (c: Ctx, { public_url }: Configuration): boolean => {
  const origin = c.req.header('origin');
  const site = c.req.header('sec-fetch-site');
  if (origin === undefined || (site !== undefined && site !== 'same-origin')) return false;
  if (public_url !== undefined) return withoutFinalDot(origin) === public_url;
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin);
  return from.origin === origin && withoutFinalDot(from.host) === withoutFinalDot(new URL(c.req.url).host);
};
