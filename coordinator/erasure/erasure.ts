import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { lockWithAdmins } from '../accounts/accounts.ts';
import { endLogins } from '../accounts/logins.ts';
import { accountBy } from '../accounts/resets.ts';
import { bookingBudget } from '../bookings/bookings.ts';
import { untilSettled } from '../bookings/choose.ts';
import { closeBooking, lockBooking } from '../bookings/moves.ts';
import { nextState } from '../bookings/rules.ts';
import { audit } from '../kit/audit.ts';
import { emit } from '../kit/outbox.ts';
import type { Services } from '../kit/services.ts';
import { happen, type World } from '../sessions/live.ts';
import { isLive } from '../sessions/rules-session.ts';
import type { Account, OutboxRow, Tables } from '../store/tables.ts';

/** Whose what is left of somebody is: nobody knows any more. */
const erased = 'erased';

/** E-mail addresses of accounts that are being erased; no person's has this form. */
const erasing = { from: 'erased.', to: 'erased/' } as const;
/** Rows of one transaction. */
const portion = { limit: 200 };
/** Rows of the outbox that are looked at together. */
const page_rows = 500;
/** How often is looked for accounts that are being erased. */
const look_ms = 5_000;

type Parts = Pick<Services, 'db' | 'clock' | 'ids'>;

/**
 * Begins to erase the account: at once nobody logs in with it, and its name, address and password are gone. The rest follows by
 * `createErasures` on a coordinator that runs. Who asks twice hears account_unknown or the same. Refuses account_unknown and last_admin.
 */
export const beginErasure = (parts: Parts, actor: string, id: string): Promise<undefined | Refusal> =>
  parts.db.transact(async (tables) => {
    const { account, others } = await lockWithAdmins(tables, id);
    if (account === undefined) return refuse('account_unknown');
    if (account.email.startsWith(erasing.from) && account.password_hash === erased) return undefined;
    if (account.role === 'admin' && account.state === 'approved' && others === 0) return refuse('last_admin');
    await endLogins(tables, account, {
      ...{ email: `${erasing.from}${parts.ids.id()}`, name: erased, password_hash: erased, reason: null },
      ...{ role: 'user', state: 'rejected', quota_sessions: null, quota_minutes: null, decided_by: null },
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
  const named = JSON.stringify(id);
  for (let after: OutboxRow | undefined; ; ) {
    const last = after;
    const page = await db.read(({ outbox }) =>
      outbox.find({}, { limit: page_rows, ...(last === undefined ? {} : { after: last }) }),
    );
    after = page.at(-1);
    if (after === undefined) return;
    const wrong = page.filter(({ body, event }) => event !== 'account.erased' && body.includes(named));
    if (wrong.length === 0) continue;
    await db.transact(async ({ outbox }) => {
      for (const row of wrong) {
        await outbox.update({ id: row.id }, { body: row.body.replaceAll(named, JSON.stringify(erased)) });
      }
    });
  }
};

/** Cancels what the account has booked, and ends what it plays on this coordinator. */
const stopAll = async (world: World, account_id: string): Promise<void> => {
  for (const session of world.sessions.values()) {
    if (session.account_id !== account_id || !isLive(session)) continue;
    happen(world, session.id, { type: 'end', reason: 'admin_ended' });
    await world.saver.saved(session.id);
  }
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
    if (session_id !== null) happen(world, session_id, { type: 'end', reason: 'admin_ended' });
  }
};

/** Removes the account when nothing names it any more; its sessions' rows go some minutes after their end. */
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

/** Goes on with the erasure of one account, portion by portion; whether it is done. What fails is gone on with the next time. */
export const erase = async (world: World, id: string): Promise<boolean> => {
  await stopAll(world, id);
  for (const scrub of scrubs) {
    let rows: number;
    do {
      rows = await world.db.transact((tables) => scrub(tables, id));
    } while (rows > 0);
  }
  await scrubEvents(world, id);
  return finish(world, id);
};

/** Goes on with what was begun, by whichever coordinator, until nothing of it is left. */
export const createErasures = (world: World): (() => Promise<void>) => {
  let due = 0;
  return async () => {
    if (world.clock.now() < due) return;
    due = world.clock.now() + look_ms;
    const found = await world.db.read(({ accounts }) => accounts.find({ email: erasing }, portion));
    for (const { id } of found) {
      if (await erase(world, id)) world.log.info('an account was erased');
    }
  };
};
