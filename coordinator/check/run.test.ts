import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { systemIds } from '../../shared/ids.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import { createLooks } from '../accounts/looks.ts';
import { keepRecord, rowOf } from '../sessions/rows.ts';
import { openSession, type Session } from '../sessions/rules-session.ts';
import type { Database } from '../store/database.ts';
import { tableNames } from '../store/import.ts';
import type { AnyRow } from '../store/table.ts';
import type { Tables } from '../store/tables.ts';
import { memoryDatabase } from '../testing/database.ts';
import { rules } from '../testing/domain.ts';
import { openMigrated } from '../testing/mysql.ts';
import { account, appRow, booking, hostRow, outboxRow, slot, webhookRow } from '../testing/rows.ts';
import { keyOf } from './check.ts';
import { checkData } from './run.ts';

setDefaultTimeout(120_000);

const start = Date.UTC(2026, 10, 2, 9);
const later = start + 3_600_000;

const opened = (id: string, changes: Partial<Session> = {}): Session => ({
  ...openSession(
    {
      ...{ id, app: 'garden', host: 'host-a', seat: 1, account_id: null, booking_id: null, code: '5678' },
      ...{ language: null, invite: 'invite-2', lobby: false, ends_at: later, longest_end: later },
      ...{ cut_short: false, idle_ms: 60_000, awaited_until: null, owner: null },
    },
    start,
    rules,
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
        .insert(booking(3, { code: '4321' }))
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
    breaks: ({ bookings }) => bookings.update({ id: 'booking-1' }, { app: 'gone' }),
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
  {
    check: 'session_of_gone_host',
    breaks: async (tables) => {
      const lost = opened('session-4', { host: 'gone', code: '0004' });
      await tables.sessions.insert({ ...rowOf(lost, start), version: 1 });
      const seat = { host: 'gone', seat: 1, holder: lost.id };
      await tables.seat_slots.insert(...Array.from({ length: 12 }, (_, at) => slot(at, seat)));
      await tables.codes.insert({ code: '0004', holder: lost.id, free_at: null });
    },
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
    breaks: ({ queue }) =>
      queue.insert({
        ...{ id: 'x', app: 'gone', token_hash: 'x', created_at: start, seen_at: start, version: 1 },
        ...{ claim_until: null, state: 'waiting' },
      }),
  },
  {
    check: 'event_of_no_webhook',
    breaks: ({ outbox }) => outbox.insert(outboxRow(2, { webhook_id: 'gone' })),
  },
  {
    check: 'request_never_done',
    breaks: ({ idempotency }) =>
      idempotency.insert({
        ...{ scope: 'x', request_key: 'x', body_hash: 'x', state: 'running', status: 0, response: '' },
        expires_at: later,
      }),
  },
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
