import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { accountsSchema, loggedInSchema } from '../../shared/protocol/accounts.ts';
import { bookedSchema } from '../../shared/protocol/bookings.ts';
import { eventNames } from '../../shared/protocol/webhooks.ts';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import { type Database, Unavailable } from '../store/database.ts';
import { tableNames } from '../store/import.ts';
import { memoryDatabase } from '../testing/database.ts';
import { addAccounts, password } from '../testing/logins.ts';
import { openMigrated } from '../testing/mysql.ts';
import { startRig } from '../testing/rig.ts';
import { account, booking, recordRow, webhookRow } from '../testing/rows.ts';
import { worldUnderTest } from '../testing/world.ts';
import { beginErasure, erase } from './erasure.ts';

setDefaultTimeout(120_000);

const names = ['account-2', 'someone2@example.com', 'Someone 2'];
const title = 'A flat for Someone 2';

/** Rows of any table that still name the account, but for the event that tells of its end. */
const naming = (db: Database): Promise<string[]> =>
  db.read(async (tables) => {
    const found: string[] = [];
    for (const name of tableNames) {
      const table = tables[name] as unknown as { find(where: object): Promise<{ event?: string }[]> };
      for (const row of await table.find({})) {
        const text = JSON.stringify(row);
        if (row.event !== 'account.erased' && names.some((one) => text.includes(one)))
          found.push(`${name} ${text}`);
      }
    }
    return found;
  });

/** A coordinator on which account 2, an operator, has done everything that leaves a trace. */
const livedIn = async (db: Database) => {
  await addAccounts({ world: { db } });
  await db.transact(async ({ webhooks, records, accounts }) => {
    await webhooks.insert(webhookRow(1, { events: JSON.stringify(eventNames) }));
    await records.insert(
      recordRow(700, { account_id: 'account-2' }),
      recordRow(701, { account_id: 'account-3' }),
    );
    await accounts.update({ id: 'account-5' }, { decided_by: 'account-2' });
  });
  const rig = await startRig({}, db);
  const ask = async (
    method: string,
    path: string,
    options: { body?: object; token?: string; key?: string } = {},
  ) => {
    const { key, ...rest } = options;
    const headers = key === undefined ? {} : { 'Idempotency-Key': key };
    const { status, body } = await rig.request(method, `/api/v1${path}`, { ...rest, headers });
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const login = async (number: number) =>
    loggedInSchema.parse(
      await ask('POST', '/login', { body: { email: `someone${number}@example.com`, password } }),
    ).access_token ?? '';
  const [admin, token] = [await login(1), await login(2)];
  const agent = await rig.host();
  await Promise.all([
    ask('POST', '/sessions', { body: { app: 'Loft' }, token, key: 'mine' }),
    agent.launch(),
  ]);
  await agent.heartbeat();
  const tomorrow = new Date(rig.clock.now() + 86_400_000).toISOString().slice(0, 10);
  const when = { app: 'Loft', date: tomorrow, zone: 'UTC', minutes: 30, title };
  const book = async (time: string, options = {}) =>
    bookedSchema.parse(await ask('POST', '/bookings', { body: { ...when, time }, token, ...options }));
  const cancelled = await book('09:00');
  await rig.request('DELETE', `/api/v1/bookings/${cancelled.id}`, {
    token,
    headers: { 'If-Match': `"${cancelled.version}"` },
  });
  const booked = await book('10:00', { key: 'booked' });
  await ask('POST', '/catalogue/hosts', { body: { name: 'c', apps: [] }, token });
  await ask('POST', '/catalogue/hosts/c/enrolments', { body: { minutes: 5 }, token });
  await ask('POST', '/accounts/account-2/reset-link', { token: admin });
  return { rig, ask, agent, admin, token, booked };
};

test('erase() goes on where it was cut off, after each of its portions', async () => {
  const { world, db, clock } = await worldUnderTest();
  const records = Array.from({ length: 450 }, (_, at) => recordRow(at, { account_id: 'account-2' }));
  await db.transact(async (tables) => {
    await tables.accounts.insert(account(2), account(9, { role: 'admin' }));
    await tables.records.insert(...records);
    await tables.bookings.insert(booking(1, { account_id: 'account-2', state: 'used', title }));
  });
  expect(await beginErasure(world, 'account-9', 'account-2')).toBeUndefined();
  const begun = { id: 'account-2', decided_at: clock.now() };
  clock.advance(30_000);
  let left = 0;
  const flaky: Database = {
    ...{ read: (work) => db.read(work), health: () => db.health(), close: () => db.close() },
    shared: db.shared,
    compact: () => db.compact(),
    transact(work) {
      left -= 1;
      return left < 0 ? Promise.reject(new Unavailable('storage_away', 'cut off')) : db.transact(work);
    },
  };
  let done = false;
  for (let tries = 1; !done && tries < 100; tries++) {
    left = tries;
    done = await erase({ ...world, db: flaky }, begun).catch((error: unknown) => {
      if (error instanceof Unavailable) return false;
      throw error;
    });
  }
  expect([done, await naming(db)]).toEqual([true, []]);
  expect(await db.read((tables) => tables.records.count({ account_id: 'erased' }))).toBe(450);
});

let server: PrivateMariadb;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server[Symbol.asyncDispose]());

const databases: [name: string, open: () => Promise<Database>][] = [
  ['memory', async () => memoryDatabase()],
  ['MariaDB', async () => openMigrated(await server.createDatabase(`erased${Date.now()}`))],
];

describe.each(databases)('beginErasure() on %s', (_, open) => {
  test('beginErasure() leaves nothing that names the account, and every record', async () => {
    const db = await open();
    const { rig, ask, agent, admin, token, booked } = await livedIn(db);
    expect((await naming(db)).length).toBeGreaterThan(8);
    const counts = () =>
      db.read(async ({ records, audit }) => [await records.count({}), await audit.count({})]);
    const [records = 0, audited = 0] = await counts();
    const erase = (id: string) => rig.request('DELETE', `/api/v1/accounts/${id}`, { token: admin });
    expect((await erase('account-2')).status).toBe(204);
    expect((await erase('account-2')).status).toBe(204);
    expect(await rig.refused(rig.request('GET', '/api/v1/me', { token }))).toBe('unauthorized');
    const again = { email: 'someone2@example.com', password };
    expect(await rig.refused(rig.request('POST', '/api/v1/login', { body: again }))).toBe('login_failed');
    for (let at = 0; at < 3; at++) await rig.pass(10_000, agent);
    const { session_id, generation } = await agent.next('END_SESSION');
    agent.send({ msg: 'SESSION_ENDED', session_id, generation, reason: 'admin_ended' });
    for (let minutes = 0; minutes < 60; minutes++) {
      await rig.pass(60_000, agent);
      if ((await db.read(({ accounts }) => accounts.get({ id: 'account-2' }))) === undefined) break;
    }
    expect(await naming(db)).toEqual([]);
    expect(await counts()).toEqual([records + 1, audited + 1]);
    expect(await db.read((tables) => tables.records.count({ account_id: 'erased' }))).toBe(2);
    expect(await db.read((tables) => tables.bookings.get({ id: booked.id }))).toMatchObject({
      ...{ state: 'cancelled', account_id: 'erased', title: null },
    });
    const told = await db.read(({ outbox }) => outbox.find({}));
    expect(told.filter(({ event }) => event === 'account.erased')).toHaveLength(1);
    expect(await rig.refused(erase('account-2'))).toBe('account_unknown');
    expect(await rig.refused(erase('account-1'))).toBe('last_admin');
    expect(accountsSchema.parse(await ask('GET', '/accounts', { token: admin })).accounts).toHaveLength(4);
    await rig[Symbol.asyncDispose]();
    await db.close();
  });
});
