import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { Taken } from '../store/database.ts';
import type { ReadTables, Tables } from '../store/tables.ts';
import { bounds } from './limits.ts';
import { hashOf } from './secrets.ts';
import type { Services } from './services.ts';

/** The hash by which two bodies are known to be the same. */
const bodyHash = (body: object): string => hashOf(JSON.stringify(body));

/** A request that its sender may repeat. */
export interface Repeatable {
  /** Whose keys these are, and for what. At most 200 characters. */
  readonly scope: string;
  /** The Idempotency-Key; without one each request is a new one. */
  readonly key: string | undefined;
  readonly body_hash: string;
  /** Whether who sends it again gets the answer; else only that it was carried out. */
  readonly answered: boolean;
}

/** Fewer different digits than this, or more steps from a digit to the next higher one, are no chance: one random key in 10^7 has them. */
const different_digits = 7;
const steps_most = 12;

/** Versions 4 and 7 of RFC 9562, with or without dashes, or more hexadecimal digits than any UUID has. */
const random_key =
  /^(?:[\da-f]{8}(-?)[\da-f]{4}\1[47][\da-f]{3}\1[89ab][\da-f]{3}\1[\da-f]{12}|[\da-f]{40,})$/i;

/** Whether nobody guesses the key: a counter, a row of digits or a UUID made of time and address is none. */
const isSecret = (key: string): boolean => {
  if (!random_key.test(key)) return false;
  const digits = [...key.replaceAll('-', '')].map((digit) => Number.parseInt(digit, 16));
  const steps = digits.filter((digit, at) => at > 0 && digit === ((digits[at - 1] ?? 0) + 1) % 16).length;
  return new Set(digits).size >= different_digits && steps <= steps_most;
};

/**
 * What is repeated with a key. An answer holds the token of what was made, so it is for its owner alone: an account, or a
 * stranger whose key nobody guesses, wherever they call from. Any other key of a stranger may be their neighbour's, too.
 */
export const repeatableOf = (
  what: string,
  { account, network }: { readonly account?: { readonly id: string } | undefined; readonly network: string },
  key: string | undefined,
  body: object,
): Repeatable => {
  const body_hash = bodyHash(body);
  if (account !== undefined) return { scope: `${what} ${account.id}`, key, body_hash, answered: true };
  const answered = key !== undefined && isSecret(key);
  return { scope: `${what} ${answered ? 'strangers' : network}`, key, body_hash, answered };
};

/** An answer as it is repeated. */
export interface Reply {
  readonly status: number;
  readonly body: object;
}

type Stored = Pick<Tables, 'idempotency'>;
type Row = NonNullable<Awaited<ReturnType<Stored['idempotency']['get']>>>;

const not_random = 'without a login only a random UUID gets the answer again';

const repeated = (row: Row, { body_hash, answered }: Repeatable): Reply | Refusal => {
  if (!answered) return refuse('idempotency_mismatch', not_random);
  if (row.body_hash !== body_hash) return refuse('idempotency_mismatch');
  if (row.state === 'running') return refuse('idempotency_running');
  return { status: row.status, body: JSON.parse(row.response) };
};

/** The answer to a request that was carried out before; undefined for a new one. Refuses idempotency_mismatch. */
export const repeatOf = async (
  { clock }: Pick<Services, 'clock'>,
  { idempotency }: Pick<ReadTables, 'idempotency'>,
  request: Repeatable,
): Promise<Reply | Refusal | undefined> => {
  const { scope, key } = request;
  if (key === undefined) return undefined;
  const found = await idempotency.get({ scope, request_key: key });
  return found === undefined || found.expires_at <= clock.now() ? undefined : repeated(found, request);
};

/**
 * Runs the effect once for all requests with the same key, in the same transaction: the others get its answer. A refusal
 * has no effect, as its transaction has none, and is not kept. Refuses idempotency_mismatch when the key came with another body before.
 */
export const once = async (
  { clock }: Pick<Services, 'clock'>,
  { idempotency }: Stored,
  request: Repeatable,
  effect: () => Promise<Reply | Refusal>,
): Promise<Reply | Refusal> => {
  const { scope, key, body_hash } = request;
  if (key === undefined) return effect();
  const now = clock.now();
  const place = { scope, request_key: key };
  const found = await idempotency.get(place);
  if (found !== undefined && found.expires_at > now) return repeated(found, request);
  if (found !== undefined) await idempotency.remove({ ...place, expires_at: found.expires_at });
  const row = { ...place, body_hash, status: 0, response: '', expires_at: now + bounds.idempotency_ms };
  try {
    await idempotency.insert({ ...row, state: 'running' });
  } catch (error) {
    if (!(error instanceof Taken)) throw error;
    // The database has waited until the other one was done.
    const other = await idempotency.get(place);
    return other === undefined ? refuse('idempotency_running') : repeated(other, request);
  }
  const reply = await effect();
  if (isRefusal(reply)) return reply;
  const { status, body } = reply;
  await idempotency.update(place, { state: 'done', status, response: JSON.stringify(body) });
  return reply;
};
