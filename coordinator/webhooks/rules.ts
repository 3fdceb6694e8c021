const second_ms = 1_000;
const minute_ms = 60 * second_ms;
const hour_ms = 60 * minute_ms;

/** How long after one failed attempt the next one is made. After the last one the event is given up, about a day old. */
const delays_ms = [
  10 * second_ms,
  minute_ms,
  5 * minute_ms,
  30 * minute_ms,
  2 * hour_ms,
  6 * hour_ms,
  12 * hour_ms,
] as const;

/** How much longer than its delay a wait may become, so that the events of an outage do not all return at once. */
const jitter_share = 0.15;

/** Attempts for one event. */
export const attempts_most = delays_ms.length + 1;

/** The wait in ms after so many failed attempts; undefined: give up. `jitter` is drawn from [0, 1). */
export const retryDelay = (attempts: number, jitter: number): number | undefined => {
  const delay = delays_ms[attempts - 1];
  return delay === undefined ? undefined : Math.round(delay * (1 + jitter_share * jitter));
};

/** What a delivery's signature covers, by Standard Webhooks. `timestamp` is in seconds, so that a receiver can refuse an old one. */
export const signedText = (id: string, timestamp: number, body: string): string =>
  `${id}.${timestamp}.${body}`;

/** A secret as verifiers of Standard Webhooks take it. The key of the signature is the stored text itself, byte by byte. */
export const shownSecret = (secret: string): string => `whsec_${btoa(secret)}`;

/** How long the secret before signs beside a new one, so that a receiver can change over without refusing anything. */
export const changeover_ms = 24 * hour_ms;

/** The secrets of a webhook: the one that it was given last, and until an instant (epoch ms) the one before. */
interface Secrets {
  readonly secret: string;
  readonly secret_before: string | null;
  readonly secret_before_until: number | null;
}

/** What a webhook's deliveries are signed with now, the newest first. */
export const signingSecrets = (
  { secret, secret_before, secret_before_until }: Secrets,
  now: number,
): string[] =>
  secret_before !== null && now < (secret_before_until ?? 0) ? [secret, secret_before] : [secret];

export type Outcome = 'delivered' | 'failed' | 'gone';

/** What the answer's status means: 410 asks never to be told again; a redirection is not followed, so it is a failure. */
export const outcomeOf = (status: number): Outcome => {
  if (status >= 200 && status < 300) return 'delivered';
  return status === 410 ? 'gone' : 'failed';
};
