import { z } from 'zod';
import { fetchVerified } from '../../shared/fetch-verified.ts';
import { problemSchema } from '../../shared/protocol/http.ts';

const answer_ms = 30_000;

export interface RemoteEnrolment {
  /** Where the coordinator is reached. */
  readonly url: string;
  readonly email: string;
  readonly password: string;
  readonly host: string;
  readonly apps: readonly string[];
  readonly minutes: number;
}

/** The coordinator said no, or is not there; the message is for the operator. */
export class Declined extends Error {
  override readonly name = 'Declined';
}

interface Request {
  readonly method?: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly body?: object;
  /** The version that the request means to change. */
  readonly version?: number;
  readonly token?: string;
}

/** One request; the body of the answer, or undefined when what it would make is there already. Throws Declined. */
const ask = async (url: URL, { method = 'POST', path, body, version, token }: Request): Promise<unknown> => {
  const answer = await fetchVerified(new URL(`/api/v1${path}`, url), {
    method,
    headers: {
      'Content-Type': 'application/json',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(version === undefined ? {} : { 'If-Match': `"${version}"` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: 'error',
    signal: AbortSignal.timeout(answer_ms),
  }).catch((error: unknown) => {
    throw new Declined(`${url.origin} cannot be reached: ${error instanceof Error ? error.message : error}`);
  });
  const content: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return content;
  const problem = problemSchema.safeParse(content).data;
  if (problem?.code === 'name_taken') return undefined;
  const { title, detail } = problem ?? { title: `${url.origin} answers with status ${answer.status}.` };
  throw new Declined(detail === undefined ? title : `${title} (${detail})`);
};

const loginSchema = z.object({ access_token: z.string() });
const tokenSchema = z.object({ token: z.string() });
const hostSchema = z.object({ apps: z.array(z.string()), version: z.number() });

/**
 * The token by which the host is enrolled, made by the coordinator that runs at `url` for an operator who logs in there; the
 * host and its apps are made if need be. Throws Declined.
 */
export const enrolByRest = async ({ url, email, password, host, apps, minutes }: RemoteEnrolment) => {
  const base = new URL(url);
  const { access_token: token } = loginSchema.parse(
    await ask(base, { path: '/login', body: { email, password } }),
  );
  for (const name of apps) await ask(base, { path: '/catalogue/apps', body: { name }, token });
  const wanted = [...new Set(apps)];
  const made = await ask(base, { path: '/catalogue/hosts', body: { name: host, apps: wanted }, token });
  const path = `/catalogue/hosts/${encodeURIComponent(host)}`;
  if (made === undefined && wanted.length > 0) {
    const { apps: had, version } = hostSchema.parse(await ask(base, { method: 'GET', path, token }));
    const all = [...new Set([...had, ...wanted])];
    if (all.length > had.length) {
      await ask(base, { method: 'PATCH', path, version, body: { apps: all }, token });
    }
  }
  const enrolment = await ask(base, { path: `${path}/enrolments`, body: { minutes }, token });
  return tokenSchema.parse(enrolment).token;
};
