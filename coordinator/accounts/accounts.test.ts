import { afterAll, beforeAll, setDefaultTimeout } from 'bun:test';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import type { TwoCoordinators } from '../testing/accounts-rig.ts';
import { testAccounts } from '../testing/accounts-suite.ts';
import { memoryDatabase } from '../testing/database.ts';
import { testLogins } from '../testing/logins-suite.ts';
import { openMigrated } from '../testing/mysql.ts';

setDefaultTimeout(120_000);

let server: PrivateMariadb;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server[Symbol.asyncDispose]());

const inMemory = async (): Promise<TwoCoordinators> => {
  const database = memoryDatabase();
  return { databases: [database, database], [Symbol.asyncDispose]: () => database.close() };
};

const onMariadb = (name: string) => async (): Promise<TwoCoordinators> => {
  const url = await server.createDatabase(name);
  const databases = [await openMigrated(url), await openMigrated(url)] as const;
  return {
    databases,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(databases.map((database) => database.close()));
    },
  };
};

testAccounts('memory', inMemory);
testAccounts('MariaDB', onMariadb('accounts'));
testLogins('memory', inMemory);
testLogins('MariaDB', onMariadb('logins'));
