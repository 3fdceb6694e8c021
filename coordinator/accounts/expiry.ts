import { isErasing } from '../kit/erased.ts';
import { olderThan, portion, type Removals } from '../kit/sweep.ts';
import type { Tables } from '../store/tables.ts';

/** Rejected accounts, with what is noted of how they look; one that is being erased goes when nothing names it any more. */
const removeRejected = async ({ accounts, account_looks }: Tables, created_at: { to: number }) => {
  const old = await accounts.find({ state: 'rejected', created_at }, { order: ['created_at'], ...portion });
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

/** Tokens, links and keys that nobody can use any more, and accounts that were let in by nobody. */
export const accountRemovals: Removals = {
  refresh_tokens: (tables, now) => tables.refresh_tokens.remove({ expires_at: { to: now + 1 } }, portion),
  reset_links: ({ reset_links }, now) => reset_links.remove({ expires_at: { to: now + 1 } }, portion),
  signing_keys: ({ signing_keys }, now) => signing_keys.remove({ expires_at: { to: now + 1 } }, portion),
  accounts: async (tables, now, { keep_rejected_accounts_days: days }) =>
    days === undefined ? 0 : removeRejected(tables, olderThan(now, days)),
};
