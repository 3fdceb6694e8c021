import { type Connection, createConnection } from 'mysql2/promise';
import type { Clock } from '../../shared/clock.ts';
import type { Ids } from '../../shared/ids.ts';
import type { Log } from '../../shared/log.ts';
import { type Database, Unavailable, Unreadable, Unusable } from './database.ts';
import { openJsonDatabase } from './json/open.ts';
import { parseDatabaseUrl } from './mysql/address.ts';
import { openMysqlDatabase } from './mysql/database.ts';
import { failureOf, seen } from './mysql/failures.ts';
import { configureSession, driverConfig } from './mysql/session.ts';

export type Say = (text: string) => void;

const missing = 'Set DATABASE_URL to the database, like mysql://user:password@host:3306/database.';

/** Runs a command; what an operator can mend is said, and the exit code tells of it. */
export const attempt = async (say: Say, run: () => Promise<number>): Promise<number> => {
  try {
    return await run();
  } catch (error) {
    const known = seen(error, failureOf(error));
    if (known instanceof Unusable || known instanceof Unreadable) say(known.message);
    else if (known instanceof Unavailable) say(`The database cannot do it: ${known.message}`);
    else if (error instanceof Error && 'sqlState' in error) say(`The database refuses: ${error.message}`);
    else throw error;
    return 1;
  }
};

/** DATABASE_URL, for a command that has no use without it. Throws Unusable. */
export const requireUrl = (url: string | undefined): string => {
  if (url === undefined) throw new Unusable(missing);
  return url;
};

/** Runs `run` on one connection to the database at `url`. Throws Unusable when there is no URL, or a wrong one. */
export const withConnection = async (
  url: string | undefined,
  run: (connection: Connection, database: string) => Promise<number>,
): Promise<number> => {
  const address = parseDatabaseUrl(requireUrl(url));
  const connection = await createConnection(driverConfig(address));
  try {
    // An ALTER of a large table takes as long as it takes; that others wait behind one that waits is bounded all the same.
    const { lock_seconds } = address.limits;
    await configureSession(connection, { lock_seconds, statement_seconds: undefined });
    return await run(connection, address.database);
  } finally {
    connection.destroy();
  }
};

/** What a command works with that copies. */
export interface ImportOptions {
  url: string | undefined;
  clock: Clock;
  ids: Ids;
  log: Log;
  say: Say;
}

/** The database that `serve` works with: MySQL at `url`, else the JSON files of the data directory. Throws Unusable. */
export const openDatabase = (
  directory: string,
  { url, ...parts }: Omit<ImportOptions, 'say'>,
): Promise<Database> =>
  url === undefined ? openJsonDatabase({ directory, ...parts }) : openMysqlDatabase({ url, ...parts });
