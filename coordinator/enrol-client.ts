import { z } from 'zod';
import { enrolmentSchema } from '../shared/protocol/catalogue.ts';
import { problemSchema } from '../shared/protocol/http.ts';

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

/** One request; the body of the answer, or undefined when what it would make is there already. Throws Declined. */
const post = async (url: URL, path: string, body: object, token?: string): Promise<unknown> => {
  const answer = await fetch(new URL(`/api/v1${path}`, url), {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
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

/**
 * The token by which the host is enrolled, made by the coordinator that runs at `url` for an operator who logs in there; the
 * host and its apps are made if need be. Throws Declined.
 */
export const enrolByRest = async ({ url, email, password, host, apps, minutes }: RemoteEnrolment) => {
  const base = new URL(url);
  const { access_token } = loginSchema.parse(await post(base, '/login', { email, password }));
  for (const name of apps) await post(base, '/catalogue/apps', { name }, access_token);
  await post(base, '/catalogue/hosts', { name: host, apps: [...new Set(apps)] }, access_token);
  const path = `/catalogue/hosts/${encodeURIComponent(host)}/enrolments`;
  return enrolmentSchema.parse(await post(base, path, { minutes }, access_token)).token;
};
