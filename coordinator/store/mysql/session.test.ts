import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { type PrivateMariadb, startMariadb, testServer } from '../../../shared/testing/mariadb.ts';
import { testDatabase } from '../../testing/database-suite.ts';
import { interleavings, letMeet } from '../../testing/interleavings.ts';
import { openMigrated } from '../../testing/mysql.ts';
import { migrateSchema } from '../migrate-command.ts';

setDefaultTimeout(120_000);

/** Whatever a server may have as its default that could change what our statements mean or do. */
const options = [
  '--sql-mode=ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,NO_ZERO_DATE',
  '--character-set-server=latin1',
  '--collation-server=latin1_german1_ci',
  '--loose-skip-character-set-client-handshake',
  '--autocommit=0',
  '--default-time-zone=-05:30',
  '--transaction-isolation=SERIALIZABLE',
  '--transaction-read-only=1',
  '--lower-case-table-names=1',
  '--completion-type=CHAIN',
  '--lc-messages=de_DE',
  '--innodb-lock-wait-timeout=1',
  '--lock-wait-timeout=1',
];
const globals = [
  'sql_select_limit = 1',
  'sql_safe_updates = 1',
  'sql_big_selects = 0',
  'max_join_size = 1',
  testServer() === 'mysql' ? 'max_execution_time = 10' : 'max_statement_time = 0.01',
  'unique_checks = 0',
];

let server: PrivateMariadb;
beforeAll(async () => {
  server = await startMariadb({ options });
  for (const setting of globals) await server.administer(`SET GLOBAL ${setting}`);
});
afterAll(() => server[Symbol.asyncDispose]());

testDatabase('openMigrated() on a server with hostile defaults', async () => {
  const database = await openMigrated(await server.createDatabase('hostile'));
  return { database, [Symbol.asyncDispose]: () => database.close() };
});

test('openMigrated() lets two coordinators meet on such a server as on any other', async () => {
  const url = await server.createDatabase('meetings');
  const coordinators = [await openMigrated(url), await openMigrated(server.elsewhere(url))] as const;
  for (const interleaving of interleavings) {
    const { winners } = interleaving;
    expect(await letMeet(interleaving, coordinators)).toEqual({ winners, errors: [], wrong: [] });
  }
  for (const database of coordinators) await database.close();
});

test('migrateSchema() applies, and knows what it has applied, on such a server', async () => {
  const url = await server.createDatabase('migrated');
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  expect(await migrateSchema('apply', url, say)).toBe(0);
  expect(await migrateSchema('status', url, say)).toBe(0);
  expect(said[0]).toMatch(/^Applied \d+ steps/);
});
