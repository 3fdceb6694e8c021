import { createMiddleware } from 'hono/factory';
import { refuse } from '../../shared/errors.ts';
import type { Store } from '../store/store.ts';
import { fromOwnPage, readCookies } from './auth-cookies.ts';
import type { AccessTokens } from './auth-tokens.ts';
import type { Env } from './env.ts';
import { problem } from './problems.ts';

/**
 * Sets `c.var.caller`. A bearer token of three or more parts is an access token, and has to be good: who presents one does
 * not want to be served as a stranger. Other bearer tokens are those of participants, and left alone. Only without a
 * bearer token do cookies count, and for changes and WebSockets only when one of our own pages asks.
 */
export const identify = (store: Pick<Store, 'configuration'>, tokens: AccessTokens) =>
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
    if (access !== undefined) c.set('caller', await tokens.accountOf(access));
    return next();
  });
