import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { z } from 'zod';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import { createLooks, looksOfAccount } from '../accounts/looks.ts';
import { erased } from '../kit/erased.ts';
import { capacityText } from '../seats/hosts.ts';
import { keepRecord, rowOf } from '../sessions/rows.ts';
import { newParticipant, openSession, type Session } from '../sessions/rules-session.ts';
import type { Database, Unreadable } from '../store/database.ts';
import { tableNames } from '../store/import.ts';
import { openMysqlDatabase } from '../store/mysql/database.ts';
import type { AnyRow } from '../store/table.ts';
import type { Account, Booking, Queued, Stranger, Tables } from '../store/tables.ts';
import { memoryDatabase } from '../testing/database.ts';
import { settings } from '../testing/domain.ts';
import { connectTo, openMigrated } from '../testing/mysql.ts';
import { startRig } from '../testing/rig.ts';
import {
  account,
  appRow,
  auditRow,
  booking,
  hostRow,
  outboxRow,
  recordRow,
  slot,
  webhookRow,
} from '../testing/rows.ts';
import { keyOf, type RowIn } from './check.ts';
import { checks } from './checks.ts';
import { checkData } from './run.ts';

setDefaultTimeout(120_000);

const start = Date.UTC(2026, 10, 2, 9);
const later = start + 3_600_000;

const opened = (id: string, changes: Partial<Session> = {}): Session => ({
  ...openSession(
    {
      ...{ id, app: 'garden', host: 'host-a', seat: 1, account_id: null, booking_id: null, code: '5678' },
      ...{ language: null, invite: 'invite-2', lobby: false, ends_at: later, longest_end: later },
      ...{ cut_short: false, idle_ms: 60_000, awaited_until: null },
      owner: { id: 'owner', token_hash: 'x' },
    },
    start,
    settings,
  ).session,
  ...changes,
});

const ended = opened('session-2', {
  ...{ phase: 'ended', seat: 2, code: '9999', seat_held: false, end: { reason: 'time_up', at: start } },
});

/** Everything that the rules speak of, as it has to be. */
const healthy = async (tables: Tables): Promise<void> => {
  await tables.hosts.insert(hostRow('host-a'));
  await tables.apps.insert(appRow('garden'));
  await tables.host_apps.insert({ host: 'host-a', app: 'garden' });
  await tables.accounts.insert(account(1, { role: 'admin' }), account(2, { name: '\u0410nna' }));
  await tables.bookings.insert(booking(1), booking(2, { state: 'cancelled' }));
  await tables.seat_slots.insert(...Array.from({ length: 12 }, (_, at) => slot(at)));
  const session = opened('session-1');
  const seat = { seat: 1, holder: session.id };
  await tables.seat_slots.insert(...Array.from({ length: 12 }, (_, at) => slot(at, seat)));
  for (const one of [session, ended]) await tables.sessions.insert({ ...rowOf(one, start), version: 1 });
  await keepRecord(tables, ended, { reason: 'time_up', at: start });
  await tables.codes.insert(
    { code: '1234', holder: 'booking-1', free_at: null },
    { code: '5678', holder: 'session-1', free_at: null },
    { code: '9999', holder: 'session-2', free_at: later },
  );
  await tables.webhooks.insert(webhookRow(1));
  await tables.outbox.insert(outboxRow(1));
};

const clear = async (tables: Tables): Promise<void> => {
  for (const name of tableNames) {
    const table = tables[name] as unknown as {
      find(where: object): Promise<AnyRow[]>;
      remove(where: object): Promise<number>;
    };
    for (const row of await table.find({})) await table.remove(keyOf(name, row));
  }
};

interface Fault {
  readonly check: string;
  readonly breaks: (tables: Tables) => Promise<unknown>;
  /** A person has to decide. */
  readonly by_hand?: true;
}

const token = { account_id: 'nobody', expires_at: later, used_at: null };
const broken =
  (changes: Partial<Session>, id = 'session-1') =>
  (tables: Tables) =>
    tables.sessions.update({ id }, { data: JSON.stringify(opened(id, changes)) });

const over = {
  ...{ ends_at: start - 3_600_000, longest_end: start - 3_600_000, code: '0004' },
  phases: { accepted: start - 7_200_000 },
};

/** Stores the session with its code, and no seat. */
const play = async ({ sessions, codes }: Tables, one: Session): Promise<void> => {
  await sessions.insert({ ...rowOf(one, start), version: 1 });
  await codes.insert({ code: one.code, holder: one.id, free_at: null });
};

/** A second booking, on a seat of its own. */
const book = async (tables: Tables, changes: Partial<Booking>): Promise<void> => {
  const own = { seat: 6, code: '4321', invite: 'invite-3', ...changes };
  await tables.bookings.insert(booking(3, own));
  await tables.codes.insert({ code: '4321', holder: 'booking-3', free_at: null });
  const first = ((own.starts_at ?? start) - start) / 300_000;
  const seat = { seat: 6, holder: 'booking-3', app: own.app ?? 'garden' };
  await tables.seat_slots.insert(...Array.from({ length: 12 }, (_, at) => slot(first + at, seat)));
};

/** A session of that booking. */
const playBooked = async ({ sessions }: Tables, id: string): Promise<void> => {
  const one = opened(id, { booking_id: 'booking-3', seat: 6, code: '4321' });
  await sessions.insert({ ...rowOf(one, start), version: 1 });
};

/** Stores the account, unless it is there, and notes those of its looks that nobody has. */
const register = async ({ accounts, account_looks }: Tables, row: Account, added = true): Promise<void> => {
  if (added) await accounts.insert(row);
  for (const [look, spelling] of looksOfAccount(row)) {
    if ((await account_looks.get({ look })) !== undefined) continue;
    await account_looks.insert({ look, spelling, account_id: row.id });
  }
};

const place: Queued = {
  ...{ id: 'x', token_hash: 'x', created_at: start, seen_at: start, version: 1 },
  ...{ app: 'garden', claim_until: null, state: 'waiting' },
};
const stranger: Stranger = {
  ...{ holder: 'booking-1', kind: 'booking', network: '192.0.2.1', wide: '192.0.2.1' },
  expires_at: later,
};
const counter = { name: 'x', window_at: start, hits: 1, expires_at: later };
const request: RowIn<'idempotency'> = {
  ...{ scope: 'x', request_key: 'x', body_hash: 'x', state: 'running', status: 0, response: '' },
  expires_at: later,
};

/** Tokens of one login. */
const login = async (
  { refresh_tokens }: Tables,
  ...tokens: readonly Partial<RowIn<'refresh_tokens'>>[]
): Promise<void> => {
  for (const [at, one] of tokens.entries())
    await refresh_tokens.insert({ ...token, token_hash: `${at}`, family: 'family', ...one });
};

const sign = ({ signing_keys }: Tables, changes: Partial<RowIn<'signing_keys'>>) =>
  signing_keys.insert({
    ...{ id: 'key', purpose: 'access', secret: systemIds.secret(), created_at: start, expires_at: null },
    ...changes,
  });

const faults: readonly Fault[] = [
  { check: 'booking_without_seat', breaks: ({ seat_slots }) => seat_slots.remove({ holder: 'booking-1' }) },
  {
    check: 'booking_without_seat',
    breaks: ({ seat_slots }) => seat_slots.remove({ holder: 'booking-1', slot_at: start + 300_000 }),
  },
  {
    check: 'booking_without_seat',
    breaks: (tables) =>
      tables.bookings
        .insert(booking(3, { code: '4321', invite: 'invite-3' }))
        .then(() => tables.codes.insert({ code: '4321', holder: 'booking-3', free_at: null })),
    by_hand: true,
  },
  { check: 'session_without_seat', breaks: ({ seat_slots }) => seat_slots.remove({ holder: 'session-1' }) },
  {
    check: 'seat_of_nobody',
    breaks: ({ seat_slots }) => seat_slots.insert(slot(0, { seat: 5, holder: 'x' })),
  },
  {
    check: 'seat_of_nobody',
    breaks: ({ seat_slots }) => seat_slots.insert(slot(0, { seat: 5, holder: 'booking-2' })),
  },
  { check: 'seat_of_nobody', breaks: ({ seat_slots }) => seat_slots.insert(slot(12)) },
  { check: 'seat_of_nobody', breaks: ({ seat_slots }) => seat_slots.insert(slot(0, { seat: 5 })) },
  {
    check: 'code_of_nobody',
    breaks: ({ codes }) => codes.insert({ code: '0001', holder: 'x', free_at: null }),
  },
  {
    check: 'code_of_nobody',
    breaks: ({ codes }) => codes.insert({ code: '0001', holder: 'session-1', free_at: null }),
  },
  { check: 'booking_without_code', breaks: ({ codes }) => codes.remove({ code: '1234' }) },
  {
    check: 'booking_without_code',
    breaks: ({ codes }) => codes.update({ code: '1234' }, { free_at: later }),
  },
  { check: 'session_without_code', breaks: ({ codes }) => codes.remove({ code: '5678' }) },
  {
    check: 'session_without_code',
    breaks: async (tables) => {
      const twin = opened('session-3', { seat: 3 });
      await tables.sessions.insert({ ...rowOf(twin, start), version: 1 });
      const seat = { seat: 3, holder: twin.id };
      await tables.seat_slots.insert(...Array.from({ length: 12 }, (_, at) => slot(at, seat)));
    },
    by_hand: true,
  },
  {
    check: 'booking_of_nothing',
    breaks: (tables) => book(tables, { app: 'gone' }),
    by_hand: true,
  },
  {
    check: 'session_unreadable',
    breaks: ({ sessions }) => sessions.update({ id: 'session-2' }, { data: '{' }),
    by_hand: true,
  },
  {
    check: 'session_columns',
    breaks: ({ sessions }) => sessions.update({ id: 'session-1' }, { phase: 'ready' }),
  },
  { check: 'session_columns', breaks: broken({ ends_at: later - 300_000 }) },
  { check: 'session_overdue', breaks: (tables) => play(tables, opened('session-4', { ...over, seat: 4 })) },
  {
    check: 'session_overdue',
    breaks: async (tables) => {
      const seat = { host: 'gone', seat: 4 };
      await play(tables, opened('session-4', { ...over, ...seat }));
      await tables.seat_slots.insert(slot(-13, { ...seat, holder: 'session-4' }));
    },
  },
  {
    check: 'session_with_record',
    breaks: ({ records }) => records.insert(recordRow(1)),
    by_hand: true,
  },
  {
    check: 'session_left',
    breaks: async (tables) => {
      const end = { reason: 'time_up', at: start - 2 * 86_400_000 } as const;
      const old = opened('session-4', {
        ...{ phase: 'ended', seat_held: false, end },
        phases: { accepted: start - 3 * 86_400_000 },
      });
      await tables.sessions.insert({ ...rowOf(old, start), version: 1 });
      await keepRecord(tables, old, end);
    },
  },
  {
    check: 'session_of_booking',
    breaks: async (tables) => {
      await book(tables, { state: 'open' });
      await playBooked(tables, 'session-4');
    },
  },
  {
    check: 'session_of_booking',
    breaks: async (tables) => {
      await book(tables, { state: 'open', session_id: 'session-4' });
      await playBooked(tables, 'session-4');
      await playBooked(tables, 'session-5');
    },
    by_hand: true,
  },
  {
    check: 'session_participants',
    breaks: broken({ participants: [1, 2].map(() => newParticipant({ id: 'x', token_hash: 'x' }, true)) }),
    by_hand: true,
  },
  {
    check: 'session_without_owner',
    breaks: broken({ participants: [newParticipant({ id: 'x', token_hash: 'x' }, false)] }),
    by_hand: true,
  },
  {
    check: 'session_of_nobody',
    breaks: ({ sessions }) => {
      const { id: _, created_at: __, ...changes } = rowOf(opened('session-1', { account_id: 'gone' }), start);
      return sessions.update({ id: 'session-1' }, changes);
    },
  },
  {
    check: 'booking_of_nobody',
    breaks: ({ bookings }) => bookings.update({ id: 'booking-1' }, { account_id: 'gone' }),
  },
  {
    check: 'token_family',
    breaks: (tables) => login(tables, { account_id: 'account-1' }, { account_id: 'account-1' }),
  },
  {
    check: 'token_family',
    breaks: (tables) =>
      login(tables, { account_id: 'account-1', used_at: start }, { account_id: 'account-2' }),
  },
  { check: 'key_weak', breaks: (tables) => sign(tables, { secret: 'short' }), by_hand: true },
  { check: 'key_of_tomorrow', breaks: (tables) => sign(tables, { created_at: start + 86_400_000 }) },
  {
    check: 'booking_times',
    breaks: ({ bookings }) => bookings.update({ id: 'booking-1' }, { starts_at: start + 60_000 }),
    by_hand: true,
  },
  {
    check: 'booking_of_gone_session',
    breaks: ({ bookings }) => bookings.update({ id: 'booking-1' }, { session_id: 'gone' }),
  },
  {
    check: 'booking_of_gone_session',
    breaks: ({ bookings }) => bookings.update({ id: 'booking-1' }, { session_id: 'session-2' }),
  },
  {
    check: 'booking_invite_twice',
    breaks: (tables) => book(tables, { invite: 'invite-1' }),
    by_hand: true,
  },
  {
    check: 'seat_of_another_app',
    breaks: ({ seat_slots }) => seat_slots.update(slot(3), { app: 'villa' }),
  },
  {
    check: 'host_without_room',
    breaks: async (tables) => {
      await book(tables, {});
      const cards = [{ index: 0, seats: 10, vram_mb: null, encoders: 1 }];
      const needs = [{ rc_name: 'garden', vram_mb: 0, encoders: 1 }];
      const capacity = capacityText({ cards, needs, placing: 'spread' });
      await tables.hosts.update({ name: 'host-a' }, { capacity });
    },
    by_hand: true,
  },
  {
    check: 'host_without_room',
    breaks: async (tables) => {
      await book(tables, {});
      await tables.hosts.update({ name: 'host-a' }, { seats: 3 });
    },
    by_hand: true,
  },
  {
    check: 'host_drain',
    breaks: ({ hosts }) => hosts.update({ name: 'host-a' }, { drained_by_host_at: start }),
  },
  {
    check: 'app_minutes',
    breaks: ({ apps }) => apps.update({ name: 'garden' }, { max_minutes: 1 }),
    by_hand: true,
  },
  {
    check: 'account_email',
    breaks: async (tables) => {
      const [odd, right] = [{ email: 'Anna@Example.com' }, { email: 'anna@example.com' }];
      await register(tables, account(3, right));
      await tables.accounts.update({ id: 'account-3' }, odd);
      await tables.account_looks.remove({ account_id: 'account-3' });
      await register(tables, account(3, odd), false);
    },
  },
  {
    check: 'look_wrong',
    breaks: async ({ account_looks }) => {
      const [row] = await account_looks.find({ account_id: 'account-2' });
      await account_looks.update({ look: row?.look ?? '' }, { spelling: 'x' });
    },
  },
  {
    check: 'look_missing',
    breaks: async (tables) => {
      await register(tables, account(4, { name: '\u0410nna' }));
      await tables.accounts.update({ id: 'account-2' }, { state: 'rejected' });
    },
  },
  {
    check: 'account_double',
    breaks: (tables) => register(tables, account(3, { name: 'Anna' })),
    by_hand: true,
  },
  {
    check: 'queue_left',
    breaks: ({ queue }) => queue.insert({ ...place, seen_at: start - 3_600_000 }),
  },
  {
    check: 'queue_left',
    breaks: ({ queue }) =>
      queue.insert({
        ...place,
        ...{ state: 'offered', seen_at: start - 3_600_000, claim_until: start - 3_600_000 },
      }),
  },
  {
    check: 'stranger_network',
    breaks: ({ strangers }) => strangers.insert({ ...stranger, wide: '192.0.2.2' }),
  },
  {
    check: 'stranger_expires',
    breaks: ({ strangers }) => strangers.insert({ ...stranger, expires_at: start + 1 }),
  },
  { check: 'count_negative', breaks: ({ counters }) => counters.insert({ ...counter, hits: -1 }) },
  {
    check: 'plan_expires',
    breaks: ({ counters }) => counters.insert({ ...counter, name: 'plan:host-a', window_at: 0 }),
  },
  {
    check: 'record_times',
    breaks: ({ records }) => records.update({ session_id: 'session-2' }, { minutes: -1 }),
    by_hand: true,
  },
  {
    check: 'answer_unreadable',
    breaks: ({ idempotency }) => idempotency.insert({ ...request, state: 'done', response: '{' }),
    by_hand: true,
  },
  { check: 'session_without_record', breaks: ({ records }) => records.remove({ session_id: 'session-2' }) },
  { check: 'look_missing', breaks: ({ account_looks }) => account_looks.remove({ account_id: 'account-2' }) },
  {
    check: 'look_of_nobody',
    breaks: ({ account_looks }) => account_looks.insert({ look: 'x', spelling: 'x', account_id: 'nobody' }),
  },
  {
    check: 'no_administrator',
    breaks: ({ accounts }) => accounts.update({ id: 'account-1' }, { role: 'user' }),
    by_hand: true,
  },
  {
    check: 'token_of_nobody',
    breaks: (tables) => tables.refresh_tokens.insert({ ...token, token_hash: 'x', family: 'x' }),
  },
  {
    check: 'link_of_nobody',
    breaks: (tables) => tables.reset_links.insert({ ...token, token_hash: 'x', made_by: 'x' }),
  },
  {
    check: 'enrolment_of_nothing',
    breaks: ({ enrolments }) =>
      enrolments.insert({ token_hash: 'x', host: 'gone', made_by: 'x', expires_at: later, used_at: null }),
  },
  { check: 'app_of_no_host', breaks: (tables) => tables.host_apps.insert({ host: 'gone', app: 'garden' }) },
  { check: 'host_of_no_app', breaks: (tables) => tables.host_apps.insert({ host: 'host-a', app: 'gone' }) },
  {
    check: 'queue_of_no_app',
    breaks: ({ queue }) => queue.insert({ ...place, app: 'gone' }),
  },
  {
    check: 'event_of_no_webhook',
    breaks: ({ outbox }) => outbox.insert(outboxRow(2, { webhook_id: 'gone' })),
  },
  {
    check: 'request_never_done',
    breaks: ({ idempotency }) => idempotency.insert(request),
  },
];

/** What coordinators do, or leave behind for a while, and what must not be taken for a fault. */
const usual: [name: string, happens: (tables: Tables) => Promise<unknown>][] = [
  [
    'a booked app that was started early',
    async (tables) => {
      await book(tables, {
        ...{ state: 'open', session_id: 'session-4' },
        ...{ starts_at: start + 600_000, ends_at: later + 600_000 },
      });
      await tables.seat_slots.insert(...[0, 1].map((at) => slot(at, { seat: 6, holder: 'booking-3' })));
      const ends = { ends_at: later + 600_000, longest_end: later + 600_000 };
      const early = opened('session-4', { booking_id: 'booking-3', seat: 6, code: '4321', ...ends });
      await tables.sessions.insert({ ...rowOf(early, start), version: 1 });
    },
  ],
  [
    'the time that a failed early start had taken',
    async (tables) => {
      await book(tables, { state: 'open', starts_at: start + 600_000, ends_at: later + 600_000 });
      await tables.seat_slots.insert(...[0, 1].map((at) => slot(at, { seat: 6, holder: 'booking-3' })));
    },
  ],
  [
    'a session that goes on although its host is no longer listed',
    async (tables) => {
      await play(tables, opened('session-4', { host: 'gone', code: '0004' }));
      const seat = { host: 'gone', seat: 1, holder: 'session-4' };
      await tables.seat_slots.insert(...Array.from({ length: 12 }, (_, at) => slot(at, seat)));
    },
  ],
  [
    'a booking that is played by somebody who came, longer than booked',
    async (tables) => {
      await book(tables, { state: 'used', session_id: 'session-4' });
      await tables.seat_slots.insert(slot(12, { seat: 6, holder: 'booking-3' }));
      const longer = { ends_at: later + 300_000, longest_end: later + 600_000 };
      const one = opened('session-4', { booking_id: 'booking-3', seat: 6, code: '4321', ...longer });
      await tables.sessions.insert({ ...rowOf(one, start), version: 1 });
    },
  ],
  [
    'an extension of which only the seat is stored',
    (tables) =>
      tables.sessions
        .update(
          { id: 'session-1' },
          { data: JSON.stringify(opened('session-1', { longest_end: later + 600_000 })) },
        )
        .then(() => tables.seat_slots.insert(slot(12, { seat: 1, holder: 'session-1' }))),
  ],
  [
    'an ended session whose host has yet to say that its processes are gone',
    async (tables) => {
      const end = { reason: 'time_up', at: start } as const;
      const one = opened('session-4', { phase: 'ended', seat: 4, code: '0004', end });
      await tables.sessions.insert({ ...rowOf(one, start), version: 1 });
      await tables.codes.insert({ code: '0004', holder: one.id, free_at: later });
      const seat = { seat: 4, holder: one.id };
      await tables.seat_slots.insert(...Array.from({ length: 12 }, (_, at) => slot(at, seat)));
      await keepRecord(tables, one, end);
    },
  ],
  [
    'a login that has been renewed, and the key of it',
    async (tables) => {
      const account_id = 'account-1';
      await login(tables, { account_id, used_at: start }, { account_id });
      await sign(tables, {});
    },
  ],
  [
    'what an erased account leaves behind',
    ({ bookings }) => bookings.update({ id: 'booking-1' }, { account_id: erased }),
  ],
  ['somebody who queues', ({ queue }) => queue.insert(place)],
  ['a booking of a stranger', ({ strangers }) => strangers.insert(stranger)],
  [
    'the account that is being erased',
    (tables) =>
      tables.accounts
        .update({ id: 'account-2' }, { email: 'erased.1', name: 'erased', state: 'rejected' })
        .then(() => tables.account_looks.remove({ account_id: 'account-2' })),
  ],
];

let server: PrivateMariadb;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server[Symbol.asyncDispose]());

const databases: [name: string, open: () => Promise<Database>][] = [
  ['memory', async () => memoryDatabase()],
  ['MariaDB', async () => openMigrated(await server.createDatabase('checked'))],
];

describe.each(databases)('checkData() on %s', (_, open) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    await db.transact(clear);
    await db.transact(healthy);
    await createLooks({ db })();
  });
  const look = (repair: boolean) => checkData({ db, clock: fakeClock(start), ids: systemIds }, repair);

  test('checkData() finds nothing where all is as it has to be', async () => {
    expect(await look(false)).toMatchObject({ findings: [], repaired: [] });
    expect(await look(true)).toMatchObject({ findings: [], repaired: [] });
  });

  for (const [name, happens] of usual) {
    test(`checkData() finds nothing wrong with ${name}`, async () => {
      await db.transact(async (tables) => void (await happens(tables)));
      const seats = await db.read((tables) => tables.seat_slots.count({}));
      expect(await look(false)).toMatchObject({ findings: [], repaired: [] });
      expect(await look(true)).toMatchObject({ findings: [], repaired: [] });
      expect(await db.read((tables) => tables.seat_slots.count({}))).toBe(seats);
    });
  }

  for (const [at, { check, breaks, by_hand }] of faults.entries()) {
    const does = by_hand ? 'leaves to a person' : 'repairs';
    test(`checkData() finds and ${does} ${check} (${at})`, async () => {
      await db.transact(async (tables) => void (await breaks(tables)));
      const found = await look(false);
      expect([found.findings.map((one) => one.check), found.repaired]).toEqual([[check], []]);
      const mended = await look(true);
      const names = [mended.findings, mended.repaired].map((list) => list.map((one) => one.check));
      if (by_hand) expect(names).toEqual([[check], []]);
      else {
        expect(names[0]).toEqual([]);
        expect(names[1]).toContain(check);
        expect(await look(false)).toMatchObject({ findings: [], repaired: [] });
      }
    });
  }
});

test('checkData() tells a thousand findings of a check and that there are more, and repairs all of them', async () => {
  const db = memoryDatabase();
  await db.transact(healthy);
  const orphan = (at: number) => ({ code: `no-${at}`, holder: 'x', free_at: null });
  const orphans = Array.from({ length: 1_300 }, (_, at) => orphan(at));
  await db.transact(({ codes }) => codes.insert(...orphans.slice(0, 700)));
  await db.transact(({ codes }) => codes.insert(...orphans.slice(700)));
  const look = (repair: boolean) => checkData({ db, clock: fakeClock(start), ids: systemIds }, repair);
  const found = await look(false);
  expect([found.findings.length, found.more]).toEqual([1_000, ['code_of_nobody']]);
  const mended = await look(true);
  expect([mended.findings, mended.repaired.length, mended.more]).toEqual([[], 1_000, ['code_of_nobody']]);
  expect(await look(false)).toMatchObject({ findings: [], more: [] });
  await db.close();
});

/** What cannot be read, and what belongs to it. */
const unread = [
  "UPDATE bookings SET state = 'paused' WHERE id = 'booking-1'",
  "UPDATE sessions SET phase = 'dreaming' WHERE id = 'session-1'",
  "UPDATE accounts SET role = 'emperor' WHERE id = 'account-2'",
  "UPDATE hosts SET draining_cards = '[true]' WHERE name = 'host-a'",
  "UPDATE apps SET title = '' WHERE name = 'garden'",
  "UPDATE webhooks SET events = '[1]' WHERE id = 'webhook-1'",
  "UPDATE audit SET detail = '' WHERE id = 'audit-1'",
];

test('checkData() reads every table, and takes nothing from what cannot be read', async () => {
  const url = await server.createDatabase('unread');
  await (await openMigrated(url)).close();
  const left: Unreadable[] = [];
  const leftOut = (row: Unreadable) => void left.push(row);
  const db = await openMysqlDatabase({ url, clock: systemClock, ids: systemIds, log: silentLog, leftOut });
  await db.transact(async (tables) => {
    await healthy(tables);
    await tables.audit.insert(auditRow(1));
    await tables.refresh_tokens.insert({ ...token, account_id: 'account-2', token_hash: 'x', family: 'x' });
  });
  await createLooks({ db })();
  const connection = await connectTo(url);
  for (const sql of unread) await connection.query(sql);
  connection.destroy();
  const rows = () =>
    db.read(async (tables) => [
      await tables.seat_slots.count({}),
      await tables.codes.count({ free_at: null }),
      await tables.account_looks.count({}),
      await tables.refresh_tokens.count({}),
      await tables.host_apps.count({}),
      await tables.outbox.count({}),
    ]);
  const before = await rows();
  const report = await checkData({ db, clock: fakeClock(start), ids: systemIds }, true);
  expect([report.findings, report.repaired]).toEqual([[], []]);
  expect(await rows()).toEqual(before);
  const named = new Set(left.map(({ table, key, column }) => `${table} ${key} ${column}`));
  expect([...named].toSorted()).toEqual([
    'accounts {"id":"account-2"} role',
    'apps {"name":"garden"} title',
    'audit {"id":"audit-1"} detail',
    'bookings {"id":"booking-1"} state',
    'hosts {"name":"host-a"} draining_cards',
    'sessions {"id":"session-1"} phase',
    'webhooks {"id":"webhook-1"} events',
  ]);
  await db.close();
});

test('by_hand() advises nothing but requests that there are', async () => {
  await using rig = await startRig();
  const { body } = await rig.request('GET', '/openapi.json');
  const { paths } = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) }).parse(body);
  const known = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, 'ID')}`),
  );
  // Whatever column is asked for, it holds ID, or an instant.
  const row = new Proxy({}, { get: (_, column) => (String(column).endsWith('_at') ? start : 'ID') });
  const advised = checks.flatMap(({ by_hand }) => by_hand(row).match(/[A-Z]+ \/api\/v1\/[\w/]+/g) ?? []);
  expect(advised.length).toBeGreaterThan(8);
  expect(advised.filter((request) => !known.includes(request))).toEqual([]);
});
