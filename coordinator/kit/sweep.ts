import type { Tables } from '../store/tables.ts';
import type { Services } from './services.ts';
import type { Configuration } from './settings.ts';

/** How often what has expired is looked for. */
const sweep_ms = 60_000;
/** Rows of one transaction: it holds its locks for a moment only. */
const portion_rows = 1_000;
/** Transactions for one table in one sweep, so that a program that is stopped need not wait for a long one. */
const portions = 50;
const day_ms = 86_400_000;

/** Removes a portion of what has expired of one table; how many rows that were. */
export type Remove = (tables: Tables, now: number, configuration: Configuration) => Promise<number>;

/** What removes each noun's rows, by table. */
export type Removals = Readonly<Record<string, Remove>>;

export const portion = { limit: portion_rows };

/** Everything that began more than so many days ago. */
export const olderThan = (now: number, days: number) => ({ to: Math.max(0, now - days * day_ms) });

/** Counts, repeated answers, events and what administrators did. */
export const kitRemovals: Removals = {
  counters: ({ counters }, now) => counters.remove({ expires_at: { to: now + 1 } }, portion),
  idempotency: ({ idempotency }, now) => idempotency.remove({ expires_at: { to: now + 1 } }, portion),
  outbox: ({ outbox }, now, { keep_events_days }) =>
    outbox.remove(
      // Done with for so long, or due for so long.
      { state: { in: ['waiting', 'delivered', 'given_up'] }, due_at: olderThan(now, keep_events_days) },
      portion,
    ),
  audit: async (tables, now, { keep_audit_days: days }) =>
    days === undefined ? 0 : tables.audit.remove({ at: olderThan(now, days) }, portion),
};

type Needs = Pick<Services, 'db' | 'store' | 'clock' | 'log'>;

/** Removes portions of one table; whether more is left. */
const removeFrom = async (
  { db, store, clock, log }: Needs,
  table: string,
  remove: Remove,
): Promise<boolean> => {
  let removed = 0;
  let full = true;
  for (let count = 0; count < portions && full; count++) {
    const rows = await db.transact((tables) => remove(tables, clock.now(), store.configuration()));
    removed += rows;
    full = rows === portion_rows;
  }
  if (removed >= portion_rows) log.info({ table, removed, more: full }, 'removed what had expired');
  return full;
};

/**
 * Removes rows that nobody can use any more, and what is over and has been kept as long as the configuration wants. Each portion
 * is a transaction of its own, and a table that cannot be worked on keeps no other from its turn. Says whether there is more to
 * remove now.
 */
export const removeExpired = async (needs: Needs, removals: Removals): Promise<boolean> => {
  let more = false;
  for (const [table, remove] of Object.entries(removals)) {
    try {
      more = (await removeFrom(needs, table, remove)) || more;
    } catch (error) {
      needs.log.warn({ table, error }, 'what has expired could not be removed; it is tried again');
    }
  }
  return more;
};

/** Removes what has expired: once a minute, and with every call while there is more than one sweep can take. */
export const createSweep = (needs: Needs, removals: Removals): (() => Promise<void>) => {
  let due = needs.clock.now() + sweep_ms;
  return async () => {
    if (needs.clock.now() < due) return;
    due = needs.clock.now() + sweep_ms;
    if (await removeExpired(needs, removals)) due = needs.clock.now();
  };
};
