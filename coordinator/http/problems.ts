import { HTTPException } from 'hono/http-exception';
import type { z } from 'zod';
import { errors, isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { Ids } from '../../shared/ids.ts';
import type { Log } from '../../shared/log.ts';
import type { Problem } from '../../shared/protocol/http.ts';
import { Unavailable } from '../store/database.ts';
import type { Ctx } from './env.ts';

/** An error answer: application/problem+json with a code of the closed list. */
export const problem = ({ refused, detail }: Refusal, incident?: string): Response => {
  const { http, retryable, text } = errors[refused];
  const body: Problem = {
    type: 'about:blank',
    title: text,
    status: http,
    code: refused,
    retryable,
    ...(detail === undefined ? {} : { detail }),
    ...(incident === undefined ? {} : { incident }),
  };
  return new Response(JSON.stringify(body), {
    status: http,
    headers: {
      'Content-Type': 'application/problem+json',
      ...(http === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
      ...(incident === undefined ? {} : { 'X-Incident-Id': incident }),
    },
  });
};

/** What Hono does with a throw: nothing of it leaves but an incident id, by which the log line is found. */
export const onError =
  (log: Log, ids: Ids) =>
  (error: Error): Response => {
    if (error instanceof HTTPException) return error.getResponse();
    if (error instanceof Unavailable) {
      log.warn({ reason: error.message, ...error.refusal }, 'the database cannot do it');
      return problem(error.refusal);
    }
    const incident = ids.id();
    log.error({ error, incident }, 'a request failed');
    return problem(refuse('internal'), incident);
  };

/** The body against its schema; malformed says which field is wrong. Only application/json, which no form can send. */
export const readBody = async <S extends z.ZodType>(c: Ctx, schema: S): Promise<z.infer<S> | Refusal> => {
  if (!/^application\/json\b/i.test(c.req.header('content-type') ?? '')) {
    return refuse('malformed', 'the Content-Type is not application/json');
  }
  let body: unknown;
  try {
    body = JSON.parse(await c.req.text());
  } catch {
    return refuse('malformed', 'the body is not JSON');
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return refuse('malformed', `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'wrong'}`);
};

/** The value as JSON, or the refusal as a problem. */
export const answer = (c: Ctx, value: object | Refusal, status: 200 | 201 = 200): Response =>
  isRefusal(value) ? problem(value) : c.json(value, status);
