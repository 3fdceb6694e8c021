import { createMiddleware } from 'hono/factory';
import { refuse } from '../../shared/errors.ts';
import type { Settings } from '../kit/data-directory.ts';
import type { Env } from '../kit/http-env.ts';
import { problem } from '../kit/http-problems.ts';
import { fromOwnPage, readCookies } from './http-cookies.ts';
import type { AccessTokens } from './tokens.ts';

/** What needs no login, and what gets a browser out of one that is over. */
const withoutLogin = new Set(
  ['login', 'refresh', 'logout', 'reset', 'accounts'].map((name) => `/api/v1/${name}`),
);

/**
 * Sets `c.var.caller`. A bearer token of three or more parts is an access token, and has to be good: who presents one does
 * not want to be served as a stranger. Other bearer tokens are those of participants, and left alone. Only without a
 * bearer token do cookies count, and for changes and WebSockets only when one of our own pages asks. A browser whose cookies
 * need a refresh changes nothing: it would do as a stranger what its visitor does as somebody.
 */
export const identify = (store: Pick<Settings, 'configuration'>, tokens: AccessTokens) =>
  createMiddleware<Env>(async (c, next) => {
    const bearer = /^Bearer +(.*)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (bearer !== undefined) {
      if (!bearer.includes('.')) return next();
      const caller = await tokens.accountOf(bearer);
      if (caller === undefined) return problem(refuse('unauthorized', 'the access token'));
      c.set('caller', caller);
      return next();
    }
    const configuration = store.configuration();
    const { access, refresh } = readCookies(c, configuration);
    if (access === undefined && refresh === undefined) return next();
    const reads = c.req.method === 'GET' || c.req.method === 'HEAD';
    if (!fromOwnPage(c, configuration)) {
      if (!reads) return problem(refuse('origin_refused'));
      // Who may open a WebSocket is decided there; a page of another site opens it as a stranger.
      if (c.req.header('upgrade') !== undefined) return next();
    }
    const caller = access === undefined ? undefined : await tokens.accountOf(access);
    if (caller === undefined && !reads && !(c.req.method === 'POST' && withoutLogin.has(c.req.path))) {
      return problem(refuse('unauthorized', 'the login has to be refreshed'));
    }
    c.set('caller', caller);
    return next();
  });
