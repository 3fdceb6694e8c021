import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PrivateMariadb, startMariadb } from '../../../shared/testing/mariadb.ts';
import { connectTo, openMigrated } from '../../testing/mysql.ts';
import { account, booking, slot } from '../../testing/rows.ts';
import { schemaDifferences } from './schema-check.ts';
import { schemaStatus } from './schema-status.ts';

setDefaultTimeout(120_000);

let server: PrivateMariadb;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server[Symbol.asyncDispose]());

const socketOf = (url: string): string => new URL(url).searchParams.get('socket') ?? '';

test('schemaStatus() of what the documented backup user has dumped, and its owner restored, has nothing due', async () => {
  const readme = await readFile(join(import.meta.dir, '..', '..', '..', 'migrations', 'README.md'), 'utf8');
  const chapter = readme.slice(readme.indexOf('## Backup'), readme.indexOf('## Clusters'));
  const grants = /```sql\n([\s\S]*?)```/.exec(chapter)?.[1] ?? '';
  const [, options = ''] = /`mariadb-dump (.*?) vitrina > vitrina.sql`/.exec(chapter) ?? [];
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
  const login = ['--socket', socketOf(url), '--user=backup', '--password=...'];
  const dump = Bun.spawn(['mariadb-dump', ...login, ...options.split(' '), 'vitrina'], {
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [sql, said] = await Promise.all([new Response(dump.stdout).text(), new Response(dump.stderr).text()]);
  expect([await dump.exited, said]).toEqual([0, '']);

  const restored = await server.createDatabase('restored');
  const load = Bun.spawn(['mariadb', '--socket', socketOf(restored), '--user=root', 'restored'], {
    stdin: Buffer.from(sql),
    stderr: 'pipe',
  });
  expect([await new Response(load.stderr).text(), await load.exited]).toEqual(['', 0]);
  const connection = await connectTo(restored);
  const { due, unknown, changed } = await schemaStatus(connection);
  expect([due, unknown, changed, await schemaDifferences(connection)]).toEqual([[], [], [], []]);
  await connection.end();
  const again = await openMigrated(restored);
  expect(await again.read(({ accounts }) => accounts.find({}))).toMatchObject([{ name: 'Ünï 𝄞' }]);
  expect(await again.read(({ seat_slots }) => seat_slots.count({}))).toBe(2);
  await again.close();
});
