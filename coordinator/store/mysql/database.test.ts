import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../../../shared/clock.ts';
import { systemIds } from '../../../shared/ids.ts';
import { silentLog } from '../../../shared/log.ts';
import { type PrivateMariadb, startMariadb } from '../../../shared/testing/mariadb.ts';
import { testDatabase } from '../../testing/database-suite.ts';
import { temporaryFolder } from '../../testing/folder.ts';
import { interleavings, letMeet } from '../../testing/interleavings.ts';
import { connectTo, openMigrated } from '../../testing/mysql.ts';
import { account, appRow, booking, session, slot } from '../../testing/rows.ts';
import { importFiles, migrateSchema } from '../commands.ts';
import { type Database, Taken, Unavailable, Unusable } from '../database.ts';
import { openJsonDatabase } from '../json/open.ts';
import { shapes } from '../shapes.ts';
import type { AnyRow, Column, Shape } from '../table.ts';
import { openMysqlDatabase } from './database.ts';
import { migrate, schemaStatus } from './migrate.ts';
import { type Migration, migrationOf, migrations } from './migrations.ts';

type AnyShape = Pick<Shape<AnyRow, string>, 'name' | 'columns' | 'key' | 'unique' | 'indexes'>;

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

/** Of all migrations together. */
const steps = migrations.flatMap((migration) => migration.steps).length;
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
    coordinators = [await openMigrated(url), await openMigrated(url)];
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

describe('migrate()', () => {
  test('migrate() makes the tables that tables.ts describes, and nothing the second time', async () => {
    const url = await server.createDatabase('described');
    await using connection = await connectTo(url);
    expect(await migrate(connection, 'described')).toBe(steps);
    expect(await migrate(connection, 'described')).toBe(0);
    const [columns] = await connection.execute(
      "SELECT CONCAT(table_name, '.', column_name) AS name, data_type AS type, is_nullable AS optional, " +
        'collation_name AS collation, character_maximum_length AS length ' +
        "FROM information_schema.columns WHERE table_schema = 'described' AND table_name <> 'schema_steps'",
    );
    const types = { id: 'varchar', choice: 'varchar', name: 'varchar', text: 'varchar', long: 'mediumtext' };
    const numbers = { int: 'int', instant: 'bigint', flag: 'tinyint' };
    const wanted = Object.values<AnyShape>(shapes).flatMap((shape) =>
      Object.entries<Column>(shape.columns).map(([name, { kind, optional, length }]) => ({
        name: `${shape.name}.${name}`,
        type: { ...types, ...numbers }[kind],
        optional: optional ? 'YES' : 'NO',
        collation: kind in numbers ? null : ['id', 'choice'].includes(kind) ? 'ascii_bin' : 'utf8mb4_bin',
        length: kind in numbers ? null : kind === 'long' ? 2 ** 24 - 1 : length,
      })),
    );
    expect(new Set<unknown>(Array.isArray(columns) ? columns : [])).toEqual(new Set<unknown>(wanted));
    const [indexes] = await connection.execute(
      "SELECT CONCAT(table_name, ' ', index_name, ' ', GROUP_CONCAT(column_name ORDER BY seq_in_index)) AS described " +
        "FROM information_schema.statistics WHERE table_schema = 'described' AND table_name <> 'schema_steps' " +
        'GROUP BY table_name, index_name, non_unique',
    );
    const found = Array.isArray(indexes)
      ? indexes.flatMap((row) => ('described' in row ? [String(row.described)] : []))
      : [];
    const wantedIndexes = Object.values<AnyShape>(shapes).flatMap((shape) => [
      `${shape.name} PRIMARY ${shape.key.join(',')}`,
      ...Object.entries<readonly string[]>({ ...shape.unique, ...shape.indexes }).map(
        ([name, of]) => `${shape.name} ${shape.name}_${name} ${of.join(',')}`,
      ),
    ]);
    expect(found.toSorted()).toEqual(wantedIndexes.toSorted());
  });

  const late: Migration = migrationOf(
    '0002_notes',
    [
      'ALTER TABLE apps ADD notes int',
      'CREATE INDEX apps_notes ON apps (notes)',
      'ALTER TABLE apps ADD more int',
      'ALTER TABLE apps DROP COLUMN notes',
    ].join('\n--> statement-breakpoint\n'),
  );

  test('migrate() goes on where it was killed, whichever step that was and whether its effect was recorded', async () => {
    const first = migrationOf('0001_apps', 'CREATE TABLE IF NOT EXISTS apps (name int)');
    const all = [first, late];
    const url = await server.createDatabase('killed');
    await using admin = await connectTo(url);
    const steps = all.flatMap(({ steps }) => steps).length;
    for (let step = 0; step < steps * 2; step++) {
      await admin.query('DROP DATABASE killed');
      await admin.query('CREATE DATABASE killed');
      await admin.query('USE killed');
      const victim = await connectTo(url);
      const query = victim.query.bind(victim);
      const execute = victim.execute.bind(victim);
      let left = Math.floor(step / 2) + 2; // the first statement makes the table of steps
      const cut = async () => {
        left = Number.NaN;
        victim.destroy();
        throw new Error('killed');
      };
      Object.assign(victim, {
        async query(sql: string) {
          left -= 1;
          if (left === 0 && step % 2 === 0) return cut();
          const answer = await query(sql);
          return left === 0 ? cut() : answer;
        },
        execute: (sql: string, values: string[]) =>
          Number.isNaN(left) ? Promise.reject(new Error('killed')) : execute(sql, values),
      });
      expect(String(await failed(migrate(victim, 'killed', all)))).toContain('killed');
      expect(await migrate(admin, 'killed', all)).toBeGreaterThan(0);
      const status = await schemaStatus(admin, all);
      expect(status).toEqual({ due: [], unknown: [], changed: [], applied: all.map(({ name }) => name) });
    }
  });

  test('migrate() by two at once applies each step once', async () => {
    const url = await server.createDatabase('both');
    await using a = await connectTo(url);
    await using b = await connectTo(url);
    const counts = await Promise.all([migrate(a, 'both'), migrate(b, 'both')]);
    expect(counts.toSorted((x, y) => x - y)).toEqual([0, steps]);
  });

  test('migrate() says what is wrong with a step, and does not take a foreign table for its own', async () => {
    const url = await server.createDatabase('foreign');
    await using connection = await connectTo(url);
    await connection.query('CREATE TABLE mine (id int)');
    const wrong = [migrationOf('0001_x', 'CREATE TABLE mine (id int)')];
    for (const _ of [1, 2]) {
      expect(String(await failed(migrate(connection, 'foreign', wrong)))).toContain('already exists');
    }
  });

  test('openMysqlDatabase() refuses a schema that is older, newer or changed, and says what to do', async () => {
    const url = await server.createDatabase('versions');
    await using connection = await connectTo(url);
    const open = async () => String(await failed(openMysqlDatabase({ url, ...parts })));
    expect(await open()).toContain(
      `older than this coordinator: ${steps} steps are due. Run "coordinator migrate"`,
    );
    await migrate(connection, 'versions', [...migrations, late]);
    expect(await open()).toContain('newer than this coordinator (0002_notes). Update the coordinator');
    await connection.query("DELETE FROM schema_steps WHERE migration = '0002_notes'");
    await connection.query("UPDATE schema_steps SET checksum = 'x' WHERE step = 3");
    expect(await open()).toContain('another text of 0001_first_tables step 3');
    expect(await failed(openMysqlDatabase({ url, ...parts }))).toBeInstanceOf(Unusable);
  });

  test('migrateSchema() applies, tells the status and prints what is due', async () => {
    const url = await server.createDatabase('commands');
    const said: string[] = [];
    const say = (text: string) => void said.push(text);
    expect(await migrateSchema('status', url, say)).toBe(1);
    expect(said).toContain('due      0001_first_tables step 1');
    expect(await migrateSchema('apply', url, say)).toBe(0);
    expect(said.at(-1)).toBe(`Applied ${steps} steps to commands.`);
    expect(await migrateSchema('status', url, say)).toBe(0);
    expect(said.at(-1)).toBe(`applied  ${migrations.at(-1)?.name}`);
    expect(await migrateSchema('apply', undefined, say)).toBe(1);
    expect(said.at(-1)).toContain('Set DATABASE_URL');
    expect(await migrateSchema('apply', 'mysql://root@localhost/x?socket=/nowhere', say)).toBe(1);
    expect(said.at(-1)).toContain('The database cannot do it');
    expect(await migrateSchema('apply', 'mysql://root@localhost/x?multipleStatements=true', say)).toBe(1);
    expect(said.at(-1)).toContain('"multipleStatements" that is not known');
  });
});

test('importFiles() copies a data directory, equal row by row, into an empty database only', async () => {
  await using folder = await temporaryFolder();
  const source = await openJsonDatabase({ directory: folder.path, ...parts });
  await source.transact(async ({ accounts, bookings, seat_slots, sessions, apps }) => {
    for (let at = 0; at < 1_200; at += 400) {
      const numbers = Array.from({ length: 400 }, (_, more) => at + more);
      await accounts.insert(...numbers.map((number) => account(number)));
      await bookings.insert(...numbers.map((number) => booking(number, { title: `Ё ${number}` })));
      await seat_slots.insert(...numbers.map((number) => slot(number)));
    }
    await sessions.insert(session(1, { data: 'x'.repeat(900_000) }));
    await apps.insert(appRow('Сад', { lobby: true, enabled: false }));
  });
  const dump = (database: Database) =>
    database.read(async (tables) => {
      const rows = await Promise.all(Object.values(tables).map((table) => table.find({})));
      return Object.fromEntries(Object.keys(tables).map((name, at) => [name, rows[at]]));
    });
  const before = await dump(source);
  await source.close();
  const url = await server.createDatabase('imported');
  const target = await openMigrated(url);
  const said: string[] = [];
  const run = (directory = folder.path) =>
    importFiles(directory, { url, ...parts, say: (text) => void said.push(text) });
  await using other = await temporaryFolder();
  expect(await run(other.path)).toBe(1);
  expect(await run()).toBe(0);
  expect(said).toEqual([`There is nothing to copy in ${other.path}.`, 'Copied 3602 rows.']);
  expect(await dump(target)).toEqual(before);
  expect(await run()).toBe(1);
  expect(said.at(-1)).toContain('is not empty');
  await target.close();
});
