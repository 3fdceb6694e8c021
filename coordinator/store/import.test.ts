import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import { temporaryFolder } from '../testing/folder.ts';
import { openMigrated } from '../testing/mysql.ts';
import { account, appRow, booking, session, slot } from '../testing/rows.ts';
import { importFiles } from './commands.ts';
import type { Database } from './database.ts';
import { openJsonDatabase } from './json/open.ts';

setDefaultTimeout(120_000);

let server: PrivateMariadb;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server[Symbol.asyncDispose]());

const parts = { clock: systemClock, ids: systemIds, log: silentLog };

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
