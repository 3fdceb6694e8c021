import type { z } from 'zod';
import { type ErrorCode, errors } from '../../../shared/errors.ts';
import {
  type App,
  appsSchema,
  type Participation,
  participationSchema,
  problemSchema,
  type Session,
  sessionSchema,
  type Ticket,
  ticketSchema,
} from '../../../shared/protocol/http.ts';

/** The coordinator's own codes, no answer at all, or an answer that is not of the protocol. */
export type FailureCode = ErrorCode | 'unreachable' | 'unreadable';

export interface Failure {
  failed: FailureCode;
  /** Quoted by the visitor when the fault is ours. */
  incident?: string;
  /** In how many seconds trying again can help. */
  retry_after?: number;
}

export type Answer<T> = T | Failure;

export const isFailure = (answer: unknown): answer is Failure =>
  typeof answer === 'object' && answer !== null && 'failed' in answer;

interface Call {
  token?: string;
  body?: unknown;
  signal?: AbortSignal;
  timeout_ms?: number;
  /** Lets the request outlive the page. */
  keepalive?: boolean;
}

const usual_timeout_ms = 10_000;
/** The coordinator holds a long poll for at most 25 s. */
const poll_timeout_ms = 40_000;

const send = async (method: string, path: string, call: Call): Promise<Response | Failure> => {
  const timeout = AbortSignal.timeout(call.timeout_ms ?? usual_timeout_ms);
  const headers = new Headers({ accept: 'application/json' });
  if (call.token !== undefined) headers.set('authorization', `Bearer ${call.token}`);
  if (call.body !== undefined) headers.set('content-type', 'application/json');
  try {
    const response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      cache: 'no-store',
      keepalive: call.keepalive ?? false,
      signal: call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout]),
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
    return response.ok ? response : await failureOf(response);
  } catch {
    // fetch rejects for one reason that a visitor can act on: no answer came (offline, timeout, or aborted by us).
    return { failed: 'unreachable' };
  }
};

/** A refusal in the coordinator's own words; a proxy's error page counts as the coordinator being out of reach. */
const failureOf = async (response: Response): Promise<Failure> => {
  const problem = problemSchema.safeParse(await response.json().catch(() => undefined));
  if (!problem.success) return { failed: response.status >= 500 ? 'unreachable' : 'unreadable' };
  const { code, incident, retry_after } = problem.data;
  return {
    failed: code,
    ...(incident === undefined ? {} : { incident }),
    ...(retry_after === undefined ? {} : { retry_after }),
  };
};

const request = async <S extends z.ZodType>(
  method: string,
  path: string,
  schema: S,
  call: Call = {},
): Promise<Answer<z.infer<S>>> => {
  const response = await send(method, path, call);
  if (isFailure(response)) return response;
  const parsed = schema.safeParse(await response.json().catch(() => undefined));
  return parsed.success ? parsed.data : { failed: 'unreadable' };
};

const command = async (method: string, path: string, call: Call): Promise<Answer<undefined>> => {
  const response = await send(method, path, call);
  return isFailure(response) ? response : undefined;
};

/** The catalogue. */
export const getApps = async (signal: AbortSignal): Promise<Answer<App[]>> => {
  const answer = await request('GET', '/apps', appsSchema, { signal });
  return isFailure(answer) ? answer : answer.apps;
};

export const createSession = (app: string, language: string): Promise<Answer<Participation>> =>
  request('POST', '/sessions', participationSchema, { body: { app, language } });

/** By code; `name` is what the owner reads, should one have to be let in. */
export const joinSession = (code: string, name: string): Promise<Answer<Participation>> =>
  request('POST', '/join', participationSchema, { body: { code, ...(name === '' ? {} : { name }) } });

export const joinByInvite = (invite: string): Promise<Answer<Participation>> =>
  request('POST', '/join', participationSchema, { body: { invite } });

/** Sets a new password by the secret of a reset link. */
export const setNewPassword = (token: string, password: string): Promise<Answer<undefined>> =>
  command('POST', '/reset', { body: { token, password } });

/** Lets someone in from the lobby, or sends them away; for the owner only. */
export const admitGuest = (
  id: string,
  token: string,
  participant_id: string,
  admitted: boolean,
): Promise<Answer<undefined>> =>
  command('POST', `/sessions/${id}/admission`, { token, body: { participant_id, admitted } });

/** The session at once, or with `after` as soon as it is newer than that version (at most 25 s). */
export const getSession = (
  id: string,
  token: string,
  after: number | undefined,
  signal: AbortSignal,
): Promise<Answer<Session>> =>
  request('GET', `/sessions/${id}${after === undefined ? '' : `?after=${after}`}`, sessionSchema, {
    token,
    signal,
    timeout_ms: poll_timeout_ms,
  });

/** Opens one signalling connection. */
export const getTicket = (id: string, token: string, signal: AbortSignal): Promise<Answer<Ticket>> =>
  request('POST', `/sessions/${id}/tickets`, ticketSchema, { token, signal });

export const leaveSession = (id: string, token: string): Promise<Answer<undefined>> =>
  command('POST', `/sessions/${id}/leave`, { token, keepalive: true });

/** There was input: the session is not idle. */
export const tellActivity = (id: string, token: string): Promise<Answer<undefined>> =>
  command('POST', `/sessions/${id}/activity`, { token });

/** What the browser said when it could not show the picture. */
export const tellTrouble = (id: string, token: string, text: string): Promise<Answer<undefined>> =>
  command('POST', `/sessions/${id}/trouble`, { token, body: { text } });

/** Lets the session go on beyond its end; for its owner only. */
export const extendSession = (id: string, token: string): Promise<Answer<Session>> =>
  request('POST', `/sessions/${id}/extension`, sessionSchema, { token });

/** Ends the session for everyone; for its owner only. */
export const endSession = (id: string, token: string): Promise<Answer<undefined>> =>
  command('DELETE', `/sessions/${id}`, { token });

/** Whether the same request can succeed later without anybody changing it. */
export const canRetry = ({ failed }: Failure): boolean =>
  failed === 'unreachable' || (failed !== 'unreadable' && errors[failed].retryable);
