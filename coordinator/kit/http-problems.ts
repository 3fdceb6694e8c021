import { HTTPException } from 'hono/http-exception';
import { errors, isRefusal, type Refusal, refuse, waitOf } from '../../shared/errors.ts';
import type { Ids } from '../../shared/ids.ts';
import type { Log } from '../../shared/log.ts';
import type { Problem } from '../../shared/protocol/http.ts';
import { Unavailable, Unreadable } from '../store/database.ts';
import { Fenced } from './fenced.ts';
import type { Ctx } from './http-env.ts';

/** A problem carries its code in this header from where it is made to where it is counted; it does not leave. */
export const code_header = 'x-vitrina-code';

export const problem_type = 'application/problem+json';

/** The body of an error answer, with a code of the closed list. */
export const problemText = (refusal: Refusal, incident?: string): string => {
  const { refused, detail } = refusal;
  const retry_after = waitOf(refusal);
  const { http, retryable, text } = errors[refused];
  const body: Problem = {
    type: 'about:blank',
    title: text,
    status: http,
    code: refused,
    retryable,
    ...(detail === undefined ? {} : { detail }),
    ...(retry_after === undefined ? {} : { retry_after }),
    ...(incident === undefined ? {} : { incident }),
  };
  return JSON.stringify(body);
};

/** An error answer. */
export const problem = (refusal: Refusal, incident?: string): Response => {
  const { http } = errors[refusal.refused];
  const retry_after = waitOf(refusal);
  return new Response(problemText(refusal, incident), {
    status: http,
    headers: {
      'Content-Type': problem_type,
      [code_header]: refusal.refused,
      ...(http === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
      ...(retry_after === undefined ? {} : { 'Retry-After': String(retry_after) }),
      ...(incident === undefined ? {} : { 'X-Incident-Id': incident }),
    },
  });
};

/** What Hono does with a throw: nothing of it leaves but an incident id, by which the log line is found. */
export const onError =
  (log: Log, ids: Ids) =>
  (error: Error): Response => {
    // Hono's own complaints about a body that is not what the route takes.
    if (error instanceof HTTPException && error.status < 500) {
      return problem(refuse('malformed', error.message));
    }
    if (error instanceof Unavailable) {
      log.warn({ reason: error.message, ...error.refusal }, 'the database cannot do it');
      return problem(error.refusal);
    }
    if (error instanceof Fenced) {
      log.warn({ reason: error.message }, 'another coordinator has it');
      return problem(error.refusal);
    }
    if (error instanceof Unreadable) {
      log.error({ reason: error.message }, 'a stored row cannot be read');
      return problem(error.refusal);
    }
    const incident = ids.id();
    log.error({ error, incident }, 'a request failed');
    return problem(refuse('internal'), incident);
  };

/** The value as JSON, or the refusal as a problem. */
export const answer = (c: Ctx, value: object | Refusal, status: 200 | 201 = 200): Response =>
  isRefusal(value) ? problem(value) : c.json(value, status);
