import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { lockWithAdmins } from '../accounts/accounts.ts';
import { endLogins } from '../accounts/logins.ts';
import { accountBy } from '../accounts/resets.ts';
import { isAdmin } from '../accounts/rules.ts';
import { bookingBudget } from '../bookings/bookings.ts';
import { untilSettled } from '../bookings/choose.ts';
import { closeBooking, lockBooking } from '../bookings/moves.ts';
import { nextState } from '../bookings/rules.ts';
import { audit } from '../kit/audit.ts';
import { erased, erasing, isErasing } from '../kit/erased.ts';
import { emit } from '../kit/outbox.ts';
import type { Services } from '../kit/services.ts';
import { change } from '../sessions/change.ts';
import type { World } from '../sessions/live.ts';
import { playing } from '../sessions/rows.ts';
import type { Account, OutboxRow, Tables } from '../store/tables.ts';

/** Rows of one transaction. */
const portion = { limit: 200 };
/** Rows of the outbox that are looked at together. */
const page_rows = 500;
/** How often is looked for accounts that are being erased. */
const look_ms = 5_000;
/** What was let in before the account was locked is over by then: no transaction takes as long. */
const settled_ms = 20_000;
/** What has not ended by then cannot be read by any coordinator. */
const patience_ms = 10 * 60_000;

type Parts = Pick<Services, 'db' | 'clock' | 'ids'>;
type Erasing = Pick<Account, 'id' | 'decided_at'>;

/**
 * Begins to erase the account: at once nobody logs in with it, and its name, address and password are gone. The rest follows by
 * `createErasures` on a coordinator that runs. Who asks twice hears account_unknown or the same. Refuses account_unknown and last_admin.
 */
export const beginErasure = (parts: Parts, actor: string, id: string): Promise<undefined | Refusal> =>
  parts.db.transact(async (tables) => {
    const { account, others } = await lockWithAdmins(tables, id);
    if (account === undefined) return refuse('account_unknown');
    if (isErasing(account)) return undefined;
    if (isAdmin(account) && others === 0) return refuse('last_admin');
    await endLogins(tables, account, {
      ...{ email: `${erasing.from}${parts.ids.id()}`, name: erased, password_hash: erased, reason: null },
      ...{ role: 'user', state: 'rejected', quota_sessions: null, quota_minutes: null, decided_by: null },
      // Since when it is being erased.
      decided_at: parts.clock.now(),
    });
    await tables.reset_links.remove({ account_id: id });
    await tables.account_looks.remove({ account_id: id });
    // Neither who it was, nor that it was they themselves.
    await audit(parts, tables, actor === id ? erased : actor, 'account.erased', erased);
    return undefined;
  });

/** `beginErasure` for whoever sits at the coordinator's machine; malformed, too. */
export const beginErasureOf = async (parts: Parts, email: string): Promise<Account | Refusal> => {
  const account = await parts.db.read((tables) => accountBy(tables, email));
  if (isRefusal(account)) return account;
  return (await beginErasure(parts, 'command-line', account.id)) ?? account;
};

/** Makes a portion of the rows of one table nobody's; how many those were. */
type Scrub = (tables: Tables, id: string) => Promise<number>;

/** The JSON with nobody where a text is the id, which has nothing in it that JSON escapes. */
const without = (id: string, json: string): string =>
  json.replaceAll(JSON.stringify(id), JSON.stringify(erased));

/** Sessions that have ended, or all: whoever has them in memory keeps what the row says of whose they are. */
const scrubSessions = async ({ sessions }: Tables, account_id: string, live: boolean): Promise<number> => {
  const found = await sessions.find({ account_id, ...(live ? {} : { phase: 'ended' }) }, portion);
  for (const { id } of found) {
    const row = await sessions.lock({ id });
    if (row !== undefined)
      await sessions.update({ id }, { account_id: erased, data: without(account_id, row.data) });
  }
  return found.length;
};

const scrubs: readonly Scrub[] = [
  async ({ records }, account_id) => {
    const found = await records.find({ account_id }, portion);
    for (const { session_id } of found) await records.update({ session_id }, { account_id: erased });
    return found.length;
  },
  async ({ bookings }, account_id) => {
    const over = { in: ['used', 'cancelled', 'missed', 'lost'] } as const;
    const found = await bookings.find({ account_id, state: over }, portion);
    for (const { id } of found) await bookings.update({ id }, { account_id: erased, title: null });
    return found.length;
  },
  async (tables, actor) => {
    const found = await tables.audit.find({ actor }, portion);
    for (const { id } of found) await tables.audit.update({ id }, { actor: erased });
    return found.length;
  },
  async (tables, subject) => {
    const found = await tables.audit.find({ subject }, portion);
    for (const { id } of found) await tables.audit.update({ id }, { subject: erased, detail: '{}' });
    return found.length;
  },
  async ({ accounts }, decided_by) => {
    const found = await accounts.find({ decided_by }, portion);
    for (const { id } of found) await accounts.update({ id }, { decided_by: erased });
    return found.length;
  },
  async ({ enrolments }, made_by) => {
    const found = await enrolments.find({ made_by }, portion);
    for (const { token_hash } of found) await enrolments.update({ token_hash }, { made_by: erased });
    return found.length;
  },
  async ({ reset_links }, made_by) => {
    const found = await reset_links.find({ made_by }, portion);
    for (const { token_hash } of found) await reset_links.update({ token_hash }, { made_by: erased });
    return found.length;
  },
  async ({ idempotency }, id) =>
    (await idempotency.remove({ scope: `sessions ${id}` }, portion)) +
    (await idempotency.remove({ scope: `bookings ${id}` }, portion)),
  ({ refresh_tokens }, account_id) => refresh_tokens.remove({ account_id }, portion),
  // A coordinator that was just noting how accounts look may have come second.
  ({ account_looks }, account_id) => account_looks.remove({ account_id }, portion),
  ({ counters }, id) => counters.remove({ name: bookingBudget(id) }, portion),
];

/** Events that name the account, waiting or kept, name nobody then; but for the one that tells of its end. */
const scrubEvents = async ({ db }: Parts, id: string): Promise<void> => {
  for (let after: OutboxRow | undefined; ; ) {
    const last = after;
    const page = await db.read(({ outbox }) =>
      outbox.find({}, { limit: page_rows, ...(last === undefined ? {} : { after: last }) }),
    );
    after = page.at(-1);
    if (after === undefined) return;
    const wrong = page.filter(({ body, event }) => event !== 'account.erased' && body !== without(id, body));
    if (wrong.length === 0) continue;
    await db.transact(async ({ outbox }) => {
      for (const row of wrong) await outbox.update({ id: row.id }, { body: without(id, row.body) });
    });
  }
};

/** Cancels what the account has booked, and ends what it plays. */
const stopAll = async (world: World, account_id: string): Promise<void> => {
  const played = await world.db.read(({ sessions }) => sessions.find({ account_id, phase: playing }));
  for (const { id } of played) await change(world, id, { type: 'end', reason: 'admin_ended' });
  const booked = await world.db.read(({ bookings }) =>
    bookings.find({ account_id, state: { in: ['held', 'open'] } }, portion),
  );
  for (const { id } of booked) {
    const cancelled = await untilSettled(() =>
      world.db.transact(async (tables) => {
        const booking = await lockBooking(tables, id);
        if (booking === undefined || isRefusal(nextState(booking, 'cancel'))) return undefined;
        return closeBooking(world, tables, booking, 'cancelled');
      }),
    );
    const session_id = cancelled?.session_id ?? null;
    if (session_id !== null) await change(world, session_id, { type: 'end', reason: 'admin_ended' });
  }
};

/** Removes the account, as the last of all that names it. */
const finish = (parts: Parts, account_id: string): Promise<boolean> =>
  parts.db.transact(async (tables) => {
    const account = await tables.accounts.lock({ id: account_id });
    if (account === undefined) return true;
    const left =
      (await tables.sessions.count({ account_id })) +
      (await tables.bookings.count({ account_id })) +
      (await tables.records.count({ account_id }));
    if (left > 0) return false;
    await tables.accounts.remove({ id: account_id });
    await emit(parts, tables, 'account.erased', { account_id });
    return true;
  });

const inPortions = async ({ db }: Parts, id: string, scrub: Scrub): Promise<void> => {
  while ((await db.transact((tables) => scrub(tables, id))) > 0);
};

/**
 * Goes on with the erasure of one account, portion by portion; whether it is done. What fails is gone on with the next time.
 * Nothing is looked for while something can still come: sessions that run, and what was let in before.
 */
export const erase = async (world: World, { id, decided_at }: Erasing): Promise<boolean> => {
  await stopAll(world, id);
  const waited = world.clock.now() - (decided_at ?? 0);
  await inPortions(world, id, (tables) => scrubSessions(tables, id, waited > patience_ms));
  const running = await world.db.read(({ sessions }) => sessions.count({ account_id: id }));
  if (running > 0 || waited < settled_ms) return false;
  for (const scrub of scrubs) await inPortions(world, id, scrub);
  await scrubEvents(world, id);
  // Before, so that a crash in between leaves no name in a file, and after, for the id.
  await world.db.compact();
  const done = await finish(world, id);
  if (done) await world.db.compact();
  return done;
};

/**
 * Goes on with what was begun, by whichever coordinator, until nothing of it is left. `leave` closes the connections that an
 * account has on this one.
 */
export const createErasures = (world: World, leave: (account_id: string) => void): (() => Promise<void>) => {
  let due = 0;
  return async () => {
    if (world.clock.now() < due) return;
    due = world.clock.now() + look_ms;
    const found = await world.db.read(({ accounts }) => accounts.find({ email: erasing }, portion));
    for (const account of found) {
      leave(account.id);
      try {
        if (await erase(world, account)) world.log.info('an account was erased');
      } catch (error) {
        world.log.warn({ error }, 'an account could not be erased further; it is tried again');
      }
    }
  };
};
