import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../../../shared/clock.ts';
import { systemIds } from '../../../shared/ids.ts';
import { silentLog } from '../../../shared/log.ts';
import { type PrivateMariadb, startMariadb } from '../../../shared/testing/mariadb.ts';
import { testDatabase } from '../../testing/database-suite.ts';
import { interleavings, letMeet } from '../../testing/interleavings.ts';
import { openMigrated } from '../../testing/mysql.ts';
import { account, booking } from '../../testing/rows.ts';
import { type Database, Taken, Unavailable } from '../database.ts';
import { openMysqlDatabase } from './database.ts';

setDefaultTimeout(120_000);

let server: PrivateMariadb;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server[Symbol.asyncDispose]());

testDatabase('openMysqlDatabase()', async () => {
  const database = await openMigrated(await server.createDatabase('conformance'));
  return { database, [Symbol.asyncDispose]: () => database.close() };
});

const parts = { clock: systemClock, ids: systemIds, log: silentLog };
const failed = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing',
    (error: unknown) => error,
  );

describe('openMysqlDatabase()', () => {
  let coordinators: readonly [Database, Database];
  beforeAll(async () => {
    const url = await server.createDatabase('meetings');
    coordinators = [await openMigrated(url), await openMigrated(server.elsewhere(url))];
  });
  afterAll(() => Promise.all(coordinators.map((database) => database.close())));

  for (const interleaving of interleavings) {
    test(`openMysqlDatabase() when two meet: ${interleaving.name}`, async () => {
      const { winners } = interleaving;
      expect(await letMeet(interleaving, coordinators)).toEqual({ winners, errors: [], wrong: [] });
    });
  }

  test('openMysqlDatabase() loses nothing it acknowledged and is back by itself when the server is killed', async () => {
    const [database] = coordinators;
    const acknowledged: string[] = [];
    const write = async (from: number) => {
      for (let number = from; number < from + 40; number++) {
        const error = await failed(database.transact(({ bookings }) => bookings.insert(booking(number))));
        if (error === 'nothing') acknowledged.push(`booking-${number}`);
        else expect(error instanceof Unavailable || error instanceof Taken).toBeTrue();
      }
    };
    const writing = Promise.all([1_000, 2_000, 3_000, 4_000].map(write));
    await database.transact(({ bookings }) => bookings.insert(booking(5_000)));
    await server.kill();
    expect(await database.health()).toMatchObject({ ok: false });
    await server.start();
    await writing;
    await database.transact(({ bookings }) => bookings.insert(booking(6_000)));
    const found = await database.read(({ bookings }) => bookings.find({}));
    const there = new Set(found.map(({ id }) => id));
    expect(acknowledged.filter((id) => !there.has(id))).toEqual([]);
    expect(there.has('booking-5000') && there.has('booking-6000')).toBeTrue();
  });
});

describe('a server that only half works', () => {
  const opened = async (name: string) => {
    const url = await server.createDatabase(name);
    await (await openMigrated(url)).close();
    // The administrator may write to a server that is read only.
    await server.administer(`CREATE USER ${name}@localhost; GRANT ALL ON ${name}.* TO ${name}@localhost`);
    return openMysqlDatabase({ url: url.replace('root@', `${name}@`), ...parts });
  };
  const troubles: [name: string, setting: string, back: string][] = [
    ['replica', 'read_only = 1', 'read_only = 0'],
    ['statements', 'max_prepared_stmt_count = 0', 'max_prepared_stmt_count = 16382'],
  ];
  for (const [name, setting, back] of troubles) {
    test(`openMysqlDatabase() refuses writes retryably and health() notices under ${setting}`, async () => {
      const database = await opened(name);
      expect(await database.health()).toEqual({ ok: true });
      await server.administer(`SET GLOBAL ${setting}`);
      try {
        const error = await failed(database.transact(({ accounts }) => accounts.insert(account(1))));
        expect(error instanceof Unavailable && error.refusal.refused).toBe('storage_away');
        expect(await database.health()).toEqual({
          ok: false,
          note: expect.stringContaining('cannot be written'),
        });
      } finally {
        await server.administer(`SET GLOBAL ${back}`);
      }
      await database.transact(({ accounts }) => accounts.insert(account(1)));
      expect(await database.health()).toEqual({ ok: true });
      await database.close();
    });
  }

  test('openMysqlDatabase() says that the account is not let in, without a stack', async () => {
    const url = (await server.createDatabase('barred')).replace('root@', 'nobody@');
    const error = await failed(openMysqlDatabase({ url, ...parts }));
    expect(error instanceof Unavailable && error.message).toContain('nobody');
  });
});
