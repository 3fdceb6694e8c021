import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { DatabaseAddress } from './address.ts';

/** What the driver is told beyond the address. */
const driverOptions = {
  charset: 'utf8mb4_bin',
  timezone: 'Z',
  supportBigNumbers: true,
  multipleStatements: false,
  // The server has 16,382 for all.
  maxPreparedStatements: 200,
  // A stack kept for each statement costs a tenth of its time.
  trace: false,
} as const;

/** Everything that the driver needs to connect to the address. */
export const driverConfig = ({ driver, limits }: DatabaseAddress) => ({
  ...driver,
  ...driverOptions,
  connectTimeout: limits.connect_seconds * 1_000,
});

/** How long a connection may be silent before the server closes it: longer than the pool lets it be. */
const idle_seconds = 3_600;

/** What a session may wait for, in seconds; a statement that has no limit may take as long as it needs. */
interface SessionLimits {
  readonly lock_seconds: number;
  readonly statement_seconds: number | undefined;
}

/**
 * What each connection is told first, so that nothing depends on the defaults of the server, the database or the account:
 * whatever changes what a statement means, commits, sees, waits for or answers.
 */
const sessionSettings = (
  { lock_seconds, statement_seconds = 0 }: SessionLimits,
  server: 'mysql' | 'mariadb',
): string[] => {
  const settings: Record<string, string | number> = {
    autocommit: 1,
    completion_type: "'NO_CHAIN'",
    innodb_lock_wait_timeout: lock_seconds,
    // For a table that is being altered. MySQL's own default is a year.
    lock_wait_timeout: lock_seconds,
    wait_timeout: idle_seconds,
    time_zone: "'+00:00'",
    sql_mode: "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
    sql_select_limit: '18446744073709551615',
    sql_big_selects: 1,
    sql_safe_updates: 0,
    sql_auto_is_null: 0,
    foreign_key_checks: 1,
    unique_checks: 1,
    // The name of an index is read from "Duplicate entry ... for key ...".
    lc_messages: "'en_US'",
    ...(server === 'mariadb'
      ? { max_statement_time: statement_seconds, idle_transaction_timeout: statement_seconds }
      : { max_execution_time: statement_seconds * 1_000 }),
  };
  return [
    'SET NAMES utf8mb4 COLLATE utf8mb4_bin',
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE',
    `SET SESSION ${Object.entries(settings)
      .map(([name, value]) => `${name} = ${value}`)
      .join(', ')}`,
  ];
};

/** What a connection is like, once it is configured. */
export interface Session {
  /** Others may write through other nodes, which see a lock only by what it writes. */
  readonly certified: boolean;
}

/** Variables by which a node of a cluster is known, and what makes it read what others have committed before. */
const clusters = [
  { variable: 'wsrep_on', value: 'ON', setting: 'SET SESSION wsrep_sync_wait = 1' },
  {
    // MySQL's Group Replication, where every member may be written to.
    variable: 'group_replication_single_primary_mode',
    value: 'OFF',
    setting: "SET SESSION group_replication_consistency = 'BEFORE'",
  },
] as const;

/** Tells the connection how its session is to be. */
export const configureSession = async (
  connection: Pick<Connection, 'query'>,
  limits: SessionLimits,
): Promise<Session> => {
  const [[answer]] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS version');
  const server = /mariadb/i.test(String(answer?.version)) ? 'mariadb' : 'mysql';
  for (const setting of sessionSettings(limits, server)) await connection.query(setting);
  const names = clusters.map(({ variable }) => `'${variable}'`).join(', ');
  const [variables] = await connection.query<RowDataPacket[]>(
    `SHOW VARIABLES WHERE Variable_name IN (${names})`,
  );
  const cluster = clusters.find(({ variable, value }) =>
    variables.some((row) => row.Variable_name === variable && row.Value === value),
  );
  if (cluster !== undefined) await connection.query(cluster.setting);
  return { certified: cluster !== undefined };
};
