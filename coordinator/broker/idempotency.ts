import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { bounds } from '../limits.ts';
import { hashOf } from '../secrets.ts';
import { Taken } from '../store/database.ts';
import type { ReadTables, Tables } from '../store/tables.ts';
import type { Services } from './services.ts';

/** A request that its sender may repeat. */
export interface Repeatable {
  /** Whose keys these are, and for what: an account or network, and a route. At most 200 characters. */
  readonly scope: string;
  /** The Idempotency-Key; without one each request is a new one. */
  readonly key: string | undefined;
  readonly body_hash: string;
}

/** An answer as it is repeated. */
export interface Reply {
  readonly status: number;
  readonly body: object;
}

/** The hash by which two bodies are known to be the same. */
export const bodyHash = (body: object): string => hashOf(JSON.stringify(body));

type Stored = Pick<Tables, 'idempotency'>;
type Row = NonNullable<Awaited<ReturnType<Stored['idempotency']['get']>>>;

const repeated = (row: Row, body_hash: string): Reply | Refusal => {
  if (row.body_hash !== body_hash) return refuse('idempotency_mismatch');
  if (row.state === 'running') return refuse('idempotency_running');
  return { status: row.status, body: JSON.parse(row.response) };
};

/** The answer to a request that was carried out before; undefined for a new one. Refuses idempotency_mismatch. */
export const repeatOf = async (
  { clock }: Pick<Services, 'clock'>,
  { idempotency }: Pick<ReadTables, 'idempotency'>,
  { scope, key, body_hash }: Repeatable,
): Promise<Reply | Refusal | undefined> => {
  if (key === undefined) return undefined;
  const found = await idempotency.get({ scope, request_key: key });
  return found === undefined || found.expires_at <= clock.now() ? undefined : repeated(found, body_hash);
};

/**
 * Runs the effect once for all requests with the same key, in the same transaction: the others get its answer. A refusal
 * had no effect and is not kept. Refuses idempotency_mismatch when the key came with another body before.
 */
export const once = async (
  { clock }: Pick<Services, 'clock'>,
  { idempotency }: Stored,
  { scope, key, body_hash }: Repeatable,
  effect: () => Promise<Reply | Refusal>,
): Promise<Reply | Refusal> => {
  if (key === undefined) return effect();
  const now = clock.now();
  const place = { scope, request_key: key };
  const found = await idempotency.get(place);
  if (found !== undefined && found.expires_at > now) return repeated(found, body_hash);
  if (found !== undefined) await idempotency.remove({ ...place, expires_at: found.expires_at });
  const row = { ...place, body_hash, status: 0, response: '', expires_at: now + bounds.idempotency_ms };
  try {
    await idempotency.insert({ ...row, state: 'running' });
  } catch (error) {
    if (!(error instanceof Taken)) throw error;
    // The database has waited until the other one was done.
    const other = await idempotency.get(place);
    return other === undefined ? refuse('idempotency_running') : repeated(other, body_hash);
  }
  const reply = await effect();
  if (isRefusal(reply)) await idempotency.remove(place);
  else {
    const { status, body } = reply;
    await idempotency.update(place, { state: 'done', status, response: JSON.stringify(body) });
  }
  return reply;
};
