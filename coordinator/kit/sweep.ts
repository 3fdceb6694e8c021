import type { Tables } from '../store/tables.ts';
import { isErasing } from './erased.ts';
import { bounds } from './limits.ts';
import type { Services } from './services.ts';
import type { Configuration } from './settings.ts';

/** How often what has expired is looked for. */
const sweep_ms = 60_000;
/** Rows of one transaction: it holds its locks for a moment only. */
const portion_rows = 1_000;
/** Transactions for one table in one sweep, so that a program that is stopped need not wait for a long one. */
const portions = 50;
const day_ms = 86_400_000;

type Remove = (tables: Tables, now: number, configuration: Configuration) => Promise<number>;

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
};

/** Everything that began more than so many days ago; nothing while it is kept for ever. */
const olderThan = (now: number, days: number) => ({ to: Math.max(0, now - days * day_ms) });

/** Rejected accounts, with what is noted of how they look; one that is being erased goes when nothing names it any more. */
const removeRejected = async ({ accounts, account_looks }: Tables, created_at: { to: number }) => {
  const old = await accounts.find({ state: 'rejected', created_at }, { order: ['created_at'], ...limit });
  const found = old.filter((account) => !isErasing(account));
  const ids = { in: found.map(({ id }) => id) };
  const removed = await accounts.remove({
    id: ids,
    state: 'rejected',
    // As it was found: whoever begins to erase one takes its address away.
    email: { in: found.map(({ email }) => email) },
  });
  // Of one that has been let in meanwhile they stay.
  const left = removed === found.length ? [] : await accounts.find({ id: ids });
  const gone = ids.in.filter((id) => left.every((one) => one.id !== id));
  await account_looks.remove({ account_id: { in: gone } });
  return removed;
};

/** What is over and was to be kept so long only, by table: a portion of it at a time. */
const past: Readonly<Record<string, Remove>> = {
  outbox: ({ outbox }, now, { keep_events_days }) =>
    outbox.remove(
      // Done with for so long, or due for so long.
      { state: { in: ['waiting', 'delivered', 'given_up'] }, due_at: olderThan(now, keep_events_days) },
      limit,
    ),
  bookings: async ({ bookings }, now, { keep_bookings_days: days }) => {
    if (days === undefined) return 0;
    // The longest one that began then has been over for so long.
    const starts_at = olderThan(now - bounds.booking_minutes * 60_000, days);
    return bookings.remove({ state: { in: ['used', 'cancelled', 'missed', 'lost'] }, starts_at }, limit);
  },
  records: async ({ records }, now, { keep_records_days: days }) =>
    days === undefined ? 0 : records.remove({ ended_at: olderThan(now, days) }, limit),
  audit: async (tables, now, { keep_audit_days: days }) =>
    days === undefined ? 0 : tables.audit.remove({ at: olderThan(now, days) }, limit),
  accounts: async (tables, now, { keep_rejected_accounts_days: days }) =>
    days === undefined ? 0 : removeRejected(tables, olderThan(now, days)),
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
  for (let portion = 0; portion < portions && full; portion++) {
    const rows = await db.transact((tables) => remove(tables, clock.now(), store.configuration()));
    removed += rows;
    full = rows === portion_rows;
  }
  if (removed >= portion_rows) log.info({ table, removed, more: full }, 'removed what had expired');
  return full;
};

/**
 * Removes rows that nobody can use any more (counts, codes out of quarantine, repeated answers, tokens, links, keys), and what
 * is over and has been kept as long as the configuration wants (bookings, records, audit, rejected accounts, events). Each portion is a transaction of its own, and a table that cannot be worked on keeps no other from its turn. Says
 * whether there is more to remove now.
 */
export const removeExpired = async (needs: Needs): Promise<boolean> => {
  let more = false;
  for (const [table, remove] of Object.entries({ ...expired, ...past })) {
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
