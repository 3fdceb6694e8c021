import { type Connection, createConnection } from 'mysql2/promise';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import type { Database } from '../store/database.ts';
import { parseDatabaseUrl } from '../store/mysql/address.ts';
import { openMysqlDatabase } from '../store/mysql/database.ts';
import { migrate } from '../store/mysql/migrate.ts';
import { configureSession, driverConfig } from '../store/mysql/session.ts';

/** A bare connection, as a DBA's. */
export const connectTo = (url: string): Promise<Connection> =>
  createConnection(driverConfig(parseDatabaseUrl(url)));

/** The database of the URL with the current schema, as one coordinator uses it. */
export const openMigrated = async (url: string): Promise<Database> => {
  const connection = await connectTo(url);
  await configureSession(connection, { lock_seconds: 5, statement_seconds: undefined });
  await migrate(connection, parseDatabaseUrl(url).database);
  await connection.end();
  return openMysqlDatabase({ url, clock: systemClock, ids: systemIds, log: silentLog });
};
