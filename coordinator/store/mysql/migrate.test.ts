import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { systemClock } from '../../../shared/clock.ts';
import { systemIds } from '../../../shared/ids.ts';
import { silentLog } from '../../../shared/log.ts';
import { type PrivateMariadb, startMariadb } from '../../../shared/testing/mariadb.ts';
import { connectTo } from '../../testing/mysql.ts';
import { Unusable } from '../database.ts';
import { migrateSchema } from '../migrate-command.ts';
import { shapes } from '../shapes.ts';
import type { AnyRow, Column, Shape } from '../table.ts';
import { openMysqlDatabase } from './database.ts';
import { migrate } from './migrate.ts';
import { type Migration, migrationOf, migrations } from './migrations.ts';
import { schemaStatus } from './schema-status.ts';

type AnyShape = Pick<Shape<AnyRow, string>, 'name' | 'columns' | 'key' | 'unique' | 'indexes'>;

setDefaultTimeout(120_000);

let server: PrivateMariadb;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server[Symbol.asyncDispose]());

const parts = { clock: systemClock, ids: systemIds, log: silentLog };
const failed = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing',
    (error: unknown) => error,
  );
const stepsOf = (all: readonly Migration[]): number => all.flatMap(({ steps }) => steps).length;

describe('migrate()', () => {
  test('migrate() makes the tables that tables.ts describes, and nothing the second time', async () => {
    const url = await server.createDatabase('described');
    await using connection = await connectTo(url);
    const steps = stepsOf(migrations);
    expect(await migrate(connection, 'described')).toBe(steps);
    expect(await migrate(connection, 'described')).toBe(0);
    const [columns] = await connection.execute(
      "SELECT CONCAT(table_name, '.', column_name) AS name, data_type AS type, is_nullable AS optional, " +
        'collation_name AS collation, character_maximum_length AS length ' +
        "FROM information_schema.columns WHERE table_schema = 'described' AND table_name NOT LIKE 'schema\\_%'",
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
        "FROM information_schema.statistics WHERE table_schema = 'described' AND table_name NOT LIKE 'schema\\_%' " +
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

  test('migrate() goes on where it was killed, whichever statement that was', async () => {
    const all = [migrationOf('0001_apps', 'CREATE TABLE IF NOT EXISTS apps (name int)'), late];
    const url = await server.createDatabase('killed');
    await using admin = await connectTo(url);
    let killed = 0;
    for (let statement = 1; statement === killed + 1; statement++) {
      await admin.query('DROP DATABASE killed');
      await admin.query('CREATE DATABASE killed');
      await admin.query('USE killed');
      const victim = await connectTo(url);
      const query = victim.query.bind(victim);
      const execute = victim.execute.bind(victim);
      let left = statement;
      const ended = () => Promise.reject(new Error('killed'));
      Object.assign(victim, {
        async query(sql: string) {
          left -= 1;
          const answer = await query(sql);
          if (left > 0) return answer;
          victim.destroy();
          return ended();
        },
        execute: (sql: string, values: string[]) => (left > 0 ? execute(sql, values) : ended()),
      });
      const end = String(await failed(migrate(victim, 'killed', all)));
      victim.destroy();
      if (end === 'nothing') continue;
      expect(end).toContain('killed');
      killed = statement;
      await migrate(admin, 'killed', all);
      const names = all.map(({ name }) => name);
      expect(await schemaStatus(admin, all)).toEqual({
        ...{ due: [], unknown: [], ahead: [], changed: [], applied: names },
      });
      const [, columns] = await admin.query('SELECT * FROM apps LIMIT 0');
      expect(columns.map(({ name }) => name)).toEqual(['name', 'more']);
    }
    // Each step: is it done, do it, record it.
    expect(killed).toBeGreaterThan(3 * stepsOf(all));
  });

  test('migrate() by two at once applies each step once', async () => {
    const url = await server.createDatabase('both');
    await using a = await connectTo(url);
    await using b = await connectTo(url);
    const counts = await Promise.all([migrate(a, 'both'), migrate(b, 'both')]);
    expect(counts.toSorted((x, y) => x - y)).toEqual([0, stepsOf(migrations)]);
  });

  const foreign: [what: string, made: string, said: string][] = [
    ['has no key', 'CREATE TABLE mine (id int NOT NULL, at bigint)', 'misses primary key (id)'],
    [
      'has another key',
      'CREATE TABLE mine (id int NOT NULL, at bigint NOT NULL, PRIMARY KEY (id, at))',
      'misses primary key (id)',
    ],
    [
      'compares texts in another way',
      'CREATE TABLE mine (id int PRIMARY KEY, at bigint, word varchar(9) COLLATE utf8mb4_general_ci)',
      'misses column word varchar(9) ascii_bin NULL',
    ],
    ['has no transactions', 'CREATE TABLE mine (id int PRIMARY KEY) ENGINE=Aria', 'misses engine InnoDB'],
    ['takes no null', 'CREATE TABLE mine (id int PRIMARY KEY, at bigint NOT NULL)', 'column at bigint NULL'],
    ['has another type', 'CREATE TABLE mine (id int UNSIGNED PRIMARY KEY)', 'misses column id int NOT NULL'],
    [
      'has an index of that name over others',
      'CREATE TABLE mine (id int PRIMARY KEY, at bigint, INDEX mine_at (id))',
      'misses index mine_at (at)',
    ],
  ];
  for (const [number, [what, made, said]] of foreign.entries()) {
    test(`migrate() does not take a table for its own that ${what}`, async () => {
      const name = `foreign${number}`;
      await using connection = await connectTo(await server.createDatabase(name));
      await connection.query(made);
      const wanted = migrationOf(
        '0001_x',
        'CREATE TABLE IF NOT EXISTS `mine` (`id` int NOT NULL, `at` bigint, `word` varchar(9) CHARACTER SET ascii COLLATE ascii_bin, PRIMARY KEY(`id`), INDEX `mine_at` (`at`));',
      );
      for (const _ of [1, 2]) {
        const error = await failed(migrate(connection, name, [wanted]));
        expect(error).toBeInstanceOf(Unusable);
        expect(String(error)).toContain('0001_x step 1 meets something');
        expect(String(error)).toContain(said);
      }
    });
  }

  test('migrate() records what was applied by hand, whatever part of it that was', async () => {
    const statements = [
      'CREATE TABLE IF NOT EXISTS `mine` (`id` int NOT NULL, PRIMARY KEY(`id`))',
      'ALTER TABLE `mine` ADD `at` bigint, ADD `gone` int',
      "ALTER TABLE mine ADD COLUMN word varchar(9) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '', ADD INDEX mine_at (at, id)",
      'CREATE UNIQUE INDEX `mine_word` ON `mine` (`word`)',
      'ALTER TABLE `mine` MODIFY COLUMN `at` bigint NOT NULL',
      'ALTER TABLE `mine` DROP COLUMN `gone`',
      'DROP INDEX `mine_at` ON `mine`',
      '-- due while this finds anything: SELECT id AS differs FROM mine WHERE at = 0\nUPDATE mine SET at = 1 WHERE at = 0',
      'ALTER TABLE `mine` DROP INDEX mine_word, ADD CONSTRAINT `mine_words` UNIQUE(`word`)',
    ];
    const all = [migrationOf('0001_mine', statements.join('\n--> statement-breakpoint\n'))];
    for (let hand = 0; hand <= statements.length; hand++) {
      const name = `hand${hand}`;
      await using connection = await connectTo(await server.createDatabase(name));
      for (const statement of statements.slice(0, hand)) await connection.query(statement);
      expect(await migrate(connection, name, all)).toBe(statements.length);
      expect(await migrate(connection, name, all)).toBe(0);
      const [made] = await connection.query('SHOW CREATE TABLE mine');
      const [row] = Array.isArray(made) ? made : [];
      const lines = String(row !== undefined && 'Create Table' in row ? row['Create Table'] : '').split('\n');
      expect(lines.slice(1, -1).map((line) => line.trim())).toEqual([
        '`id` int(11) NOT NULL,',
        '`at` bigint(20) NOT NULL,',
        "`word` varchar(9) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',",
        'PRIMARY KEY (`id`),',
        'UNIQUE KEY `mine_words` (`word`)',
      ]);
    }
  });

  test('migrationOf() knows what only adds, and wants to know how the rest can be seen', () => {
    const additive = (sql: string) => migrationOf('x', sql).additive;
    expect(additive('CREATE TABLE a (id int PRIMARY KEY, UNIQUE KEY a_id (id))')).toBeTrue();
    expect(additive('ALTER TABLE a ADD b int, ADD c int NOT NULL DEFAULT 0')).toBeTrue();
    expect(additive('CREATE INDEX i ON a (b, c)')).toBeTrue();
    expect(additive('ALTER TABLE a ADD b int NOT NULL')).toBeFalse();
    expect(additive('CREATE UNIQUE INDEX i ON a (b)')).toBeFalse();
    expect(additive('ALTER TABLE a DROP COLUMN b')).toBeFalse();
    expect(additive('ALTER TABLE a MODIFY b bigint')).toBeFalse();
    expect(() => migrationOf('x', 'UPDATE a SET b = 1')).toThrow('due while this finds anything');
    expect(() => migrationOf('x', 'ALTER TABLE a ADD b varchar(9)')).toThrow('COLLATE');
  });

  test('migrateSchema() prints a script that, run by hand, leaves nothing due', async () => {
    const url = await server.createDatabase('script');
    const program = Bun.spawn(
      [process.execPath, join(import.meta.dir, '..', '..', 'main.ts'), 'migrate', '--dry-run'],
      { env: { PATH: process.env.PATH ?? '', DATABASE_URL: url }, stdin: 'ignore', stderr: 'inherit' },
    );
    const script = await new Response(program.stdout).text();
    expect(await program.exited).toBe(0);
    expect(script).toContain('-- People who can log in.');
    await server.administer(`USE script; ${script}`);
    const said: string[] = [];
    expect(await migrateSchema('status', url, (text) => void said.push(text))).toBe(0);
    expect(said).toEqual(migrations.map(({ name }) => `applied  ${name}`));
    await (await openMysqlDatabase({ url, ...parts })).close();
    expect(await migrateSchema('dry-run', url, () => undefined)).toBe(0);
  });

  test('migrateSchema() tells what was done by hand and what differs', async () => {
    const url = await server.createDatabase('differing');
    await using connection = await connectTo(url);
    const [first] = migrations;
    await connection.query(first?.steps[0]?.sql ?? '');
    await connection.query('CREATE TABLE codes (code int)');
    const told = async () => {
      const said: string[] = [];
      const code = await migrateSchema('status', url, (text) => void said.push(text));
      return { code, said };
    };
    const before = await told();
    expect(before.code).toBe(1);
    expect(before.said[0]).toStartWith('done     0001_first_tables step 1');
    expect(before.said).toContain('due      0001_first_tables step 2');
    expect(before.said).toContain('differs  0001_first_tables step 12: misses primary key (code)');
    await connection.query('DROP TABLE codes');
    expect(await migrateSchema('apply', url, () => undefined)).toBe(0);
    await connection.query('ALTER TABLE seat_slots DROP PRIMARY KEY, ADD surprise int NOT NULL');
    await connection.query('ALTER TABLE outbox DROP INDEX outbox_due');
    await connection.query('CREATE UNIQUE INDEX mine ON bookings (code)');
    const after = await told();
    expect(after.code).toBe(1);
    expect(after.said.slice(migrations.length)).toEqual([
      'differs  bookings: has an index mine that refuses rows',
      'differs  seat_slots: misses primary key (host, seat, slot_at)',
      'differs  seat_slots: has a column surprise that wants a value of every row',
      'differs  outbox: misses index outbox_due (state, due_at)',
    ]);
  });

  test('openMysqlDatabase() refuses a schema that is older, newer or changed, and says what to do', async () => {
    const url = await server.createDatabase('versions');
    await using connection = await connectTo(url);
    const open = async () =>
      String(await failed(openMysqlDatabase({ url, ...parts }).then((database) => database.close())));
    expect(await open()).toContain(
      `older than this coordinator: ${stepsOf(migrations)} steps are due. Run "coordinator migrate"`,
    );
    await migrate(connection, 'versions', [...migrations, late]);
    expect(await open()).toContain('newer than this coordinator (0002_notes). Update the coordinator');
    await connection.query("DELETE FROM schema_steps WHERE migration = '0002_notes'");
    const more = migrationOf('0002_more', 'ALTER TABLE codes ADD more int');
    await migrate(connection, 'versions', [...migrations, more]);
    expect(await open()).toBe('nothing');
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
    expect(said.at(-1)).toBe(`Applied ${stepsOf(migrations)} steps to commands.`);
    expect(await migrateSchema('status', url, say)).toBe(0);
    expect(said.slice(-migrations.length)).toEqual(migrations.map(({ name }) => `applied  ${name}`));
    expect(await migrateSchema('apply', undefined, say)).toBe(1);
    expect(said.at(-1)).toContain('Set DATABASE_URL');
    expect(await migrateSchema('apply', 'mysql://root@localhost/x?socket=/nowhere', say)).toBe(1);
    expect(said.at(-1)).toContain('The database cannot do it');
    expect(await migrateSchema('apply', 'mysql://root@localhost/x?multipleStatements=true', say)).toBe(1);
    expect(said.at(-1)).toContain('"multipleStatements" that is not known');
  });
});
