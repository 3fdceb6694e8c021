import type { Tables } from '../store/tables.ts';
import type { Services } from './services.ts';

/** How often what has expired is looked for. */
const sweep_ms = 60_000;
/** Rows of one transaction: it holds its locks for a moment only. */
const portion_rows = 1_000;
/** Transactions for one table in one sweep, so that a program that is stopped need not wait for a long one. */
const portions = 50;
/** An event that has been done with, or has been due, for so long is removed. */
const outbox_kept_ms = 7 * 86_400_000;

type Remove = (tables: Tables, now: number) => Promise<number>;

const limit = { limit: portion_rows };

/** What nobody can use any more, by table: a portion of it at a time. */
const expired: Readonly<Record<string, Remove>> = {
  codes: ({ codes }, now) => codes.remove({ free_at: { to: now + 1 } }, limit),
  counters: ({ counters }, now) => counters.remove({ expires_at: { to: now + 1 } }, limit),
  enrolments: ({ enrolments }, now) => enrolments.remove({ expires_at: { to: now + 1 } }, limit),
  idempotency: ({ idempotency }, now) => idempotency.remove({ expires_at: { to: now + 1 } }, limit),
  knocks: ({ knocks }, now) => knocks.remove({ expires_at: { to: now + 1 } }, limit),
  strangers: ({ strangers }, now) => strangers.remove({ expires_at: { to: now + 1 } }, limit),
  refresh_tokens: (tables, now) => tables.refresh_tokens.remove({ expires_at: { to: now + 1 } }, limit),
  reset_links: ({ reset_links }, now) => reset_links.remove({ expires_at: { to: now + 1 } }, limit),
  signing_keys: ({ signing_keys }, now) => signing_keys.remove({ expires_at: { to: now + 1 } }, limit),
  outbox: ({ outbox }, now) =>
    outbox.remove(
      {
        state: { in: ['waiting', 'delivered', 'given_up'] },
        due_at: { to: Math.max(0, now - outbox_kept_ms) },
      },
      limit,
    ),
};

type Needs = Pick<Services, 'db' | 'clock' | 'log'>;

/** Removes portions of one table; whether more is left. */
const removeFrom = async ({ db, clock, log }: Needs, table: string, remove: Remove): Promise<boolean> => {
  let removed = 0;
  let full = true;
  for (let portion = 0; portion < portions && full; portion++) {
    const rows = await db.transact((tables) => remove(tables, clock.now()));
    removed += rows;
    full = rows === portion_rows;
  }
  if (removed >= portion_rows) log.info({ table, removed, more: full }, 'removed what had expired');
  return full;
};

/**
 * Removes rows that nobody can use any more: counts, codes out of quarantine, repeated answers, tokens, links, keys, old
 * events. Each portion is a transaction of its own, and a table that cannot be worked on keeps no other from its turn. Says
 * whether there is more to remove now.
 */
export const removeExpired = async (needs: Needs): Promise<boolean> => {
  let more = false;
  for (const [table, remove] of Object.entries(expired)) {
    try {
      more = (await removeFrom(needs, table, remove)) || more;
    } catch (error) {
      needs.log.warn({ table, error }, 'what has expired could not be removed; it is tried again');
    }
  }
  return more;
};

/** Removes what has expired: once a minute, and with every call while there is more than one sweep can take. */
export const createSweep = (needs: Needs): (() => Promise<void>) => {
  let due = needs.clock.now() + sweep_ms;
  return async () => {
    if (needs.clock.now() < due) return;
    due = needs.clock.now() + sweep_ms;
    if (await removeExpired(needs)) due = needs.clock.now();
  };
};
