import { setDefaultTimeout } from 'bun:test';
import { testAccounts } from '../testing/accounts-suite.ts';
import { memoryDatabase } from '../testing/database.ts';
import { startMariadb } from '../testing/mariadb.ts';
import { openMigrated } from '../testing/mysql.ts';

setDefaultTimeout(120_000);

testAccounts('memory', async () => {
  const database = memoryDatabase();
  return { databases: [database, database], [Symbol.asyncDispose]: () => database.close() };
});

testAccounts('MariaDB', async () => {
  const server = await startMariadb();
  const url = await server.createDatabase('accounts');
  const databases = [await openMigrated(url), await openMigrated(url)] as const;
  return {
    databases,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(databases.map((database) => database.close()));
      await server[Symbol.asyncDispose]();
    },
  };
});
