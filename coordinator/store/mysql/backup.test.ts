import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type DatabasePrograms, databasePrograms } from '../../../shared/testing/database-process.ts';
import { type PrivateMariadb, startMariadb, testServer } from '../../../shared/testing/mariadb.ts';
import { connectTo, openMigrated } from '../../testing/mysql.ts';
import { account, booking, slot } from '../../testing/rows.ts';
import { schemaDifferences } from './schema-check.ts';
import { schemaStatus } from './schema-status.ts';

setDefaultTimeout(120_000);

/** The programs of the server of this run; a cluster's nodes are MariaDB. */
const kind = testServer();
const mysql = kind === 'mysql';

let server: PrivateMariadb;
let programs: DatabasePrograms;
beforeAll(async () => {
  programs = await databasePrograms(kind === 'galera' ? 'mariadb' : kind);
  // A server that keeps GTIDs is where a dump without the documented option asks for more than these grants.
  server = await startMariadb({ options: mysql ? ['--gtid-mode=ON', '--enforce-gtid-consistency=ON'] : [] });
});
afterAll(() => server[Symbol.asyncDispose]());

/** Runs a tool of the server on its socket; what it printed, and what it said. */
const runTool = async (url: string, command: readonly string[], user: string, stdin = '') => {
  const socket = new URL(url).searchParams.get('socket') ?? '';
  const [tool = '', ...rest] = command;
  const options = ['--no-defaults', `--socket=${socket}`, `--user=${user}`];
  const child = Bun.spawn(programs.run(dirname(socket), [tool, ...options, ...rest]), {
    stdin: Buffer.from(stdin),
    stdout: 'pipe',
    stderr: 'pipe',
    env: { ...process.env, ...(user === 'backup' ? { MYSQL_PWD: '...' } : {}) },
  });
  const [printed, said] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { printed, said, exit: await child.exited };
};

test('schemaStatus() of what the documented backup user has dumped, and its owner restored, has nothing due', async () => {
  const readme = await readFile(join(import.meta.dir, '..', '..', '..', 'migrations', 'README.md'), 'utf8');
  const chapter = readme.slice(readme.indexOf('## Backup'), readme.indexOf('## Clusters'));
  const grants = /```sql\n([\s\S]*?)```/.exec(chapter)?.[1] ?? '';
  const tool = mysql ? 'mysqldump' : 'mariadb-dump';
  const [, options = ''] = new RegExp(`\`${tool} (.*?) vitrina > vitrina.sql\``).exec(chapter) ?? [];
  expect([grants.includes('GRANT'), options.includes('--single-transaction')]).toEqual([true, true]);

  const url = await server.createDatabase('vitrina');
  const db = await openMigrated(url);
  await db.transact(async (tables) => {
    await tables.accounts.insert(account(1, { name: 'Ünï 𝄞' }));
    await tables.bookings.insert(booking(1));
    await tables.seat_slots.insert(slot(0), slot(1));
  });
  await db.close();
  for (const sql of grants.split(';').filter((one) => one.trim() !== '')) await server.administer(sql);
  const dump = await runTool(url, [tool, ...options.split(' '), 'vitrina'], 'backup');
  expect([dump.exit, dump.said]).toEqual([0, '']);

  const restored = await server.createDatabase('restored');
  const load = await runTool(restored, [mysql ? 'mysql' : 'mariadb', 'restored'], 'root', dump.printed);
  expect([load.said, load.exit]).toEqual(['', 0]);
  const connection = await connectTo(restored);
  const { due, unknown, changed } = await schemaStatus(connection);
  expect([due, unknown, changed, await schemaDifferences(connection)]).toEqual([[], [], [], []]);
  await connection.end();
  const again = await openMigrated(restored);
  expect(await again.read(({ accounts }) => accounts.find({}))).toMatchObject([{ name: 'Ünï 𝄞' }]);
  expect(await again.read(({ seat_slots }) => seat_slots.count({}))).toBe(2);
  await again.close();
});
