import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import { temporaryFolder } from '../testing/folder.ts';
import { connectTo, openMigrated } from '../testing/mysql.ts';
import { account, appRow, booking, session, slot, webhookRow } from '../testing/rows.ts';
import { type Database, Unusable } from './database.ts';
import { importFiles, undoImport } from './import-command.ts';
import { openJsonDatabase } from './json/open.ts';
import { openMysqlDatabase } from './mysql/database.ts';

setDefaultTimeout(120_000);

let server: PrivateMariadb;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server[Symbol.asyncDispose]());

const parts = { clock: systemClock, ids: systemIds, log: silentLog };

const dump = (database: Database) =>
  database.read(async (tables) => {
    const rows = await Promise.all(Object.values(tables).map((table) => table.find({})));
    return Object.fromEntries(Object.keys(tables).map((name, at) => [name, rows[at]]));
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

const numbers = Array.from({ length: 600 }, (_, number) => number);

/** A folder with two pages of accounts, and one more row after them. */
const filledFolder = async () => {
  const folder = await temporaryFolder();
  const source = await openJsonDatabase({ directory: folder.path, ...parts });
  await source.transact(async ({ accounts, webhooks }) => {
    await accounts.insert(...numbers.map((number) => account(number)));
    await webhooks.insert(webhookRow(1));
  });
  await source.close();
  return folder;
};

/** A database in which the import of the folder has ended in the middle, as by a crash. */
const halfImported = async (name: string, directory: string) => {
  const url = await server.createDatabase(name);
  await (await openMigrated(url)).close();
  await using connection = await connectTo(url);
  await connection.query(
    "CREATE TRIGGER cut BEFORE INSERT ON webhooks FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'cut'",
  );
  const said: string[] = [];
  const options = { url, ...parts, say: (text: string) => void said.push(text) };
  expect(await importFiles(directory, options)).toBe(1);
  expect(said.at(-1)).toContain('cut');
  await connection.query('DROP TRIGGER cut');
  const refused = await openMysqlDatabase({ url, ...parts }).then(
    () => 'nothing',
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(Unusable);
  expect(String(refused)).toContain('was begun and not finished. Run "coordinator import DIR" again');
  return { url, options, said };
};

test('importFiles() goes on with what it had begun, until when nothing else works with the database', async () => {
  await using folder = await filledFolder();
  const { url, options, said } = await halfImported('half', folder.path);
  expect(await importFiles(folder.path, options)).toBe(0);
  expect(said.at(-1)).toBe('Copied 601 rows.');
  const target = await openMysqlDatabase({ url, ...parts });
  expect(await target.read(({ accounts }) => accounts.count({}))).toBe(600);
  expect(await target.read(({ webhooks }) => webhooks.count({}))).toBe(1);
  await target.close();
  expect(await undoImport(options)).toBe(1);
  expect(said.at(-1)).toContain('no unfinished import');
});

test('undoImport() leaves an empty database, and importFiles() mixes no folder that has changed into it', async () => {
  await using folder = await filledFolder();
  const { url, options, said } = await halfImported('undone', folder.path);
  const source = await openJsonDatabase({ directory: folder.path, ...parts });
  await source.transact(({ accounts }) => accounts.update({ id: 'account-7' }, { name: 'Renamed' }));
  await source.close();
  expect(await importFiles(folder.path, options)).toBe(1);
  expect(said.at(-1)).toContain('accounts of the database holds other rows');
  expect(await undoImport(options)).toBe(0);
  expect(said.at(-1)).toStartWith('Removed 600 rows.');
  const target = await openMysqlDatabase({ url, ...parts });
  expect(Object.values(await dump(target)).flat()).toEqual([]);
  expect(await importFiles(folder.path, options)).toBe(0);
  expect(said.at(-1)).toBe('Copied 601 rows.');
  await target.close();
});
