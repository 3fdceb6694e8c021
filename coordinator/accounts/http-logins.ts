import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import {
  accountSchema,
  type LoggedIn,
  loggedInSchema,
  loginSchema,
  passwordChangeSchema,
  refreshSchema,
  resetSchema,
} from '../../shared/protocol/accounts.ts';
import { beyondRate } from '../kit/budget.ts';
import { callerWith } from '../kit/http-caller.ts';
import type { Ctx, Env } from '../kit/http-env.ts';
import { answers, byBearer, describedRoutes, done, refuses, takes } from '../kit/http-openapi.ts';
import { problem } from '../kit/http-problems.ts';
import { etagOf } from '../kit/http-versions.ts';
import type { RateLimits } from '../kit/rates.ts';
import type { Services } from '../kit/services.ts';
import { rememberDevice } from './devices.ts';
import { fromOwnPage, readCookies, withCookies } from './http-cookies.ts';
import { viewOf } from './http-views.ts';
import { type Login, login, logout, logoutEverywhere, refresh } from './logins.ts';
import type { Passwords } from './passwords.ts';
import { changePassword, useResetLink } from './resets.ts';
import type { AccessTokens } from './tokens.ts';

export interface LoginNeeds {
  readonly services: Services;
  readonly passwords: Passwords;
  readonly tokens: AccessTokens;
  readonly rates: RateLimits;
}

const tags = ['logins'];
const loggedIn = answers(loggedInSchema, 'Logged in: with tokens, or with cookies for a page of ours.');

const described = {
  login: createRoute({
    method: 'post',
    path: '/login',
    tags,
    summary: 'Log in with e-mail and password',
    request: { body: takes(loginSchema) },
    responses: {
      200: loggedIn,
      ...refuses('malformed', 'login_failed', 'login_throttled', 'too_busy', 'origin_refused'),
      ...refuses('too_many_messages'),
    },
  }),
  refresh: createRoute({
    method: 'post',
    path: '/refresh',
    tags,
    summary: 'Get the next tokens',
    description:
      'Each refresh token is good once. Its second use, but for a repetition within 5 s, ends the login.',
    request: { body: takes(refreshSchema) },
    responses: { 200: loggedIn, ...refuses('malformed', 'unauthorized', 'origin_refused') },
  }),
  logout: createRoute({
    method: 'post',
    path: '/logout',
    tags,
    summary: 'Log out here',
    request: { body: takes(refreshSchema) },
    responses: { 204: done('Logged out, or was not logged in.'), ...refuses('malformed', 'origin_refused') },
  }),
  everywhere: createRoute({
    method: 'post',
    path: '/logout-everywhere',
    tags,
    security: byBearer,
    summary: 'Log out on every device',
    responses: { 204: done('Every token is void.'), ...refuses('account_required', 'origin_refused') },
  }),
  me: createRoute({
    method: 'get',
    path: '/me',
    tags,
    security: byBearer,
    summary: 'Who is logged in',
    responses: { 200: answers(accountSchema, 'The account.'), ...refuses('account_required') },
  }),
  password: createRoute({
    method: 'post',
    path: '/me/password',
    tags,
    security: byBearer,
    summary: 'Change the password',
    description: 'Logs out everywhere else.',
    request: { body: takes(passwordChangeSchema) },
    responses: {
      200: loggedIn,
      ...refuses('malformed', 'account_required', 'unauthorized', 'login_failed', 'login_throttled'),
      ...refuses('password_weak', 'too_busy', 'origin_refused'),
    },
  }),
  reset: createRoute({
    method: 'post',
    path: '/reset',
    tags,
    summary: 'Set a new password by a reset link',
    description: 'Logs in here, and out everywhere else.',
    request: { body: takes(resetSchema) },
    responses: {
      200: loggedIn,
      ...refuses('malformed', 'reset_link_wrong', 'password_weak', 'too_busy', 'origin_refused'),
    },
  }),
};

interface Way {
  readonly cookies: boolean;
  /** The token of the device, where no cookie holds it. */
  readonly device?: string | undefined;
  /** Whether the answer holds the next one. */
  readonly remembered?: boolean;
}

/** The answer to who has logged in: tokens in the body, or in cookies that a page of ours asked for. */
const welcome = async (
  { services, tokens }: LoginNeeds,
  c: Ctx,
  { account, refresh_token, refresh_expires }: Login,
  by: Way,
): Promise<Response> => {
  const { access_token, expires } = await tokens.issue(account);
  const body = { account: viewOf(account), expires };
  const configuration = services.store.configuration();
  if (!by.cookies) {
    const device_token = by.remembered
      ? { device_token: rememberDevice(services.ids, by.device, account) }
      : {};
    return c.json({ ...body, access_token, refresh_token, ...device_token } satisfies LoggedIn);
  }
  const set = {
    access: { value: access_token, expires },
    refresh: { value: refresh_token, expires: refresh_expires },
    device: rememberDevice(services.ids, readCookies(c, configuration).device, account),
  };
  const response = c.json(body satisfies LoggedIn);
  return withCookies(c, configuration, response, set, services.clock.now());
};

/** Runs a way to log in. Cookies are set for our own pages only: no other logs a visitor in as somebody. */
const enter = async (
  needs: LoginNeeds,
  c: Ctx,
  by: Way,
  way: () => Promise<Login | Refusal>,
): Promise<Response> => {
  if (by.cookies && !fromOwnPage(c, needs.services.store.configuration())) {
    return problem(refuse('origin_refused'));
  }
  const entered = await way();
  return isRefusal(entered) ? problem(entered) : welcome(needs, c, entered, by);
};

/** Takes the cookies back. */
const goodbye = ({ services }: LoginNeeds, c: Ctx, response: Response): Response =>
  withCookies(c, services.store.configuration(), response, undefined, services.clock.now());

const next = async (needs: LoginNeeds, c: Ctx, given: string | undefined): Promise<Response> => {
  const { services } = needs;
  if (given !== undefined) return enter(needs, c, { cookies: false }, () => refresh(services, given));
  const configuration = services.store.configuration();
  const { refresh: kept } = readCookies(c, configuration);
  if (kept === undefined) return problem(refuse('unauthorized', 'refresh_token'));
  if (!fromOwnPage(c, configuration)) return problem(refuse('origin_refused'));
  const entered = await refresh(services, kept);
  if (isRefusal(entered)) return goodbye(needs, c, problem(entered));
  return welcome(needs, c, entered, { cookies: true });
};

const leave = async (needs: LoginNeeds, c: Ctx, given: string | undefined): Promise<Response> => {
  const { services } = needs;
  if (given !== undefined) {
    await logout(services, given);
    return c.body(null, 204);
  }
  const configuration = services.store.configuration();
  const { refresh: kept } = readCookies(c, configuration);
  if (kept === undefined) return c.body(null, 204);
  if (!fromOwnPage(c, configuration)) return problem(refuse('origin_refused'));
  await logout(services, kept);
  return goodbye(needs, c, c.body(null, 204));
};

/** Logging in and out, and what everybody may do with their own account; under `/api/v1`. */
export const loginRoutes = (needs: LoginNeeds): OpenAPIHono<Env> => {
  const { services, passwords, rates } = needs;
  return describedRoutes()
    .openapi(described.login, (c) => {
      const { cookies, device_token, ...given } = c.req.valid('json');
      const { network } = c.env;
      const device = device_token ?? readCookies(c, services.store.configuration()).device;
      const admit = async () => {
        const wait_ms = await rates.take('start', network);
        return wait_ms === 0 ? undefined : beyondRate(wait_ms);
      };
      const by = { cookies, device: device_token, remembered: true };
      return enter(needs, c, by, () => login(services, passwords, { ...given, network, device, admit }));
    })
    .openapi(described.refresh, (c) => next(needs, c, c.req.valid('json').refresh_token))
    .openapi(described.logout, (c) => leave(needs, c, c.req.valid('json').refresh_token))
    .openapi(described.everywhere, async (c) => {
      const caller = callerWith(c, 'user');
      if (isRefusal(caller)) return problem(caller);
      await logoutEverywhere(services, caller.id);
      return goodbye(needs, c, c.body(null, 204));
    })
    .openapi(described.me, (c) => {
      const caller = callerWith(c, 'user');
      if (isRefusal(caller)) return problem(caller);
      c.header('ETag', etagOf(caller.version));
      return c.json(viewOf(caller));
    })
    .openapi(described.password, (c) => {
      const caller = callerWith(c, 'user');
      if (isRefusal(caller)) return problem(caller);
      const { current_password: current, new_password: password, cookies } = c.req.valid('json');
      const change = { current, password };
      return enter(needs, c, { cookies, remembered: true }, () =>
        changePassword(services, passwords, caller, change),
      );
    })
    .openapi(described.reset, (c) => {
      const { cookies, ...given } = c.req.valid('json');
      return enter(needs, c, { cookies, remembered: true }, () => useResetLink(services, passwords, given));
    });
};
