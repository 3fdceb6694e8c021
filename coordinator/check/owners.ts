import { erased } from '../kit/erased.ts';
import { bounds } from '../kit/limits.ts';
import { rowOf, sessionOf } from '../sessions/rows.ts';
import { isLive } from '../sessions/rules-session.ts';
import type { ReadTables } from '../store/tables.ts';
import { absentFrom, by_repair, type Check, rule, whereSql } from './check.ts';

/** How far the clocks of two coordinators may be apart, and more. */
const clocks_ms = 600_000;
/** Every key that a coordinator makes has more; with fewer a token can be made by trying. */
const secret_chars = 32;

/** Those of the rows that name an account that is gone. What an erasure left belongs to nobody by its word. */
const ofNobody = async <Row extends { readonly account_id: string | null }>(
  tables: ReadTables,
  rows: readonly Row[],
) => {
  const owned = rows.flatMap((row) =>
    row.account_id === null || row.account_id === erased ? [] : [{ row, account_id: row.account_id }],
  );
  const gone = await absentFrom(
    tables,
    'accounts',
    owned.map(({ account_id }) => account_id),
  );
  return owned
    .filter(({ account_id }) => gone.has(account_id))
    .map(({ row, account_id }) => ({ row, text: `belongs to the account ${account_id}, which is gone` }));
};

const bookingOfNobody = rule('bookings', {
  name: 'booking_of_nobody',
  by_hand: () => by_repair,
  wrong: ofNobody,
  // Whoever has its token keeps it: as it is with what an erasure leaves.
  async mend(_, { bookings }, { id }) {
    await bookings.update({ id }, { account_id: erased });
  },
});

const sessionOfNobody = rule('sessions', {
  name: 'session_of_nobody',
  by_hand: () => by_repair,
  wrong: ofNobody,
  async mend({ clock }, { sessions }, row) {
    const session = sessionOf(row);
    if (session === undefined) return;
    const { id, created_at: _, ...right } = rowOf({ ...session, account_id: erased }, clock.now());
    await sessions.update({ id }, right);
  },
});

const withoutOwner = rule('sessions', {
  name: 'session_without_owner',
  by_hand: ({ id }) =>
    `nobody in it can end it or let anybody in: end it by DELETE /api/v1/sessions/${id}, as an operator`,
  wrong: async (_, rows) =>
    rows.flatMap((row) => {
      const session = sessionOf(row);
      // Of a booking's session the owner comes later, and of many people those who left are forgotten.
      if (session === undefined || !isLive(session) || session.booking_id !== null) return [];
      const { participants } = session;
      const known = participants.length < bounds.participants_remembered;
      return known && !participants.some(({ owner }) => owner) ? [{ row, text: 'has no owner' }] : [];
    }),
});

const family = rule('refresh_tokens', {
  name: 'token_family',
  by_hand: () => by_repair,
  async wrong({ refresh_tokens }, rows) {
    const families = [...new Set(rows.map((row) => row.family))];
    const all = families.length === 0 ? [] : await refresh_tokens.find({ family: { in: families } });
    const members = Map.groupBy(all, (row) => row.family);
    return rows.flatMap((row) => {
      const others = members.get(row.family) ?? [];
      // Told once of each login.
      if (others.some(({ token_hash }) => token_hash < row.token_hash)) return [];
      if (others.some(({ account_id }) => account_id !== row.account_id))
        return [{ row, text: 'is of a login of two accounts' }];
      return others.filter(({ used_at }) => used_at === null).length > 1
        ? [{ row, text: 'is of a login that two tokens go on with' }]
        : [];
    });
  },
  // As when a token comes twice: somebody has what is not theirs, and whoever it was logs in again.
  async mend(_, { refresh_tokens }, row) {
    await refresh_tokens.remove({ family: row.family });
  },
});

const weakKey = rule('signing_keys', {
  name: 'key_weak',
  by_hand: ({ id }) =>
    `send POST /api/v1/keys/rotation, as an administrator; then DELETE FROM signing_keys ${whereSql({ id })}: who is logged in gets a new token by itself`,
  wrong: async (_, rows) =>
    rows
      .filter(({ secret }) => secret.length < secret_chars)
      .map((row) => ({ row, text: 'is a key so short that tokens can be forged' })),
});

const keyOfTomorrow = rule('signing_keys', {
  name: 'key_of_tomorrow',
  by_hand: () => by_repair,
  wrong: async (_, rows, now) =>
    rows
      .filter(({ created_at }) => created_at > now + clocks_ms)
      .map((row) => ({ row, text: 'was made in the future, and does not sign before' })),
  async mend({ clock }, { signing_keys }, { id }) {
    await signing_keys.update({ id }, { created_at: clock.now() });
  },
});

/** Whose something is, and what proves it. */
export const ownerChecks: readonly Check[] = [
  sessionOfNobody,
  withoutOwner,
  bookingOfNobody,
  family,
  weakKey,
  keyOfTomorrow,
];
