import { Taken, Unavailable } from '../database.ts';

/** What the server or the driver said, in words of our own. */
export type Failure =
  | { readonly kind: 'taken'; readonly error: Taken }
  /** The server has rolled the transaction back, or it must be: it can simply be run again. */
  | { readonly kind: 'again' }
  /** The connection cannot be used any more, or this server cannot be written to now: another connection may do. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'full' }
  /** The server does not let us in, or not do this: an operator has to look at the account. */
  | { readonly kind: 'barred' }
  /** A mistake of ours. */
  | { readonly kind: 'other' };

const duplicate = 1062;

/**
 * What the servers' numbers mean: MySQL, MariaDB with Galera, MySQL's Group Replication, TiDB and Vitess behind the same
 * protocol (https://docs.pingcap.com/tidb/stable/error-codes; Vitess maps its own to 1203, 1317, 3168 and 1105).
 */
// biome-ignore format: what belongs together stands on one line
const kinds: Readonly<Record<Exclude<Failure['kind'], 'taken' | 'other'>, readonly number[]>> = {
  again: [
    1213, // deadlock; on Galera also a transaction that another node's has beaten
    1205, // lock wait timeout
    1020, // record changed since the snapshot (MariaDB 11.6 and later)
    1206, // more locks than there is memory for
    1412, // the table was altered since the transaction began
    1615, // the statement has to be prepared anew
    3101, // Group Replication: another member's transaction has beaten this one
    3572, // a lock that was not to be waited for
    8002, 8005, 8022, 9007, // TiDB: a write conflict, or a commit that was rolled back
    8028, // TiDB: the schema changed meanwhile
  ],
  lost: [
    1040, 1203, 1226, // too many connections: in all, of this account, within the hour
    1461, // too many prepared statements in all: a new connection has none
    1243, // a prepared statement that the server does not have: a proxy has moved the connection
    1042, 1043, 1129, 1158, 1159, 1160, 1161, 1184, // the connection could not be made, or broke
    1037, 1038, 1041, 1135, // out of memory, or of threads
    1053, 1077, 1079, // shutting down
    1317, 1927, 3169, // the statement or the connection was killed
    1969, 3024, // the statement took longer than it may: max_statement_time, max_execution_time
    4031, // closed for its silence
    2006, 2013, // the driver's own "gone away"
    1290, 1792, 1836, // read only: a replica, or before a failover
    3032, 3168, // offline; not available
    1030, 1180, // the storage engine cannot, at a statement or at the commit
    1047, // Galera: this node is not part of the cluster now
    3100, // Group Replication: this member cannot commit now
    8027, 9001, 9002, 9003, 9004, 9005, 9010, 9011, 9012, // TiDB: a part of the cluster does not answer, or is busy
    8252, // TiDB: the tenant's share of resources is used up
  ],
  full: [1114, 1021, 1026, 3], // the table, the disk; an error on write
  barred: [
    1044, 1045, 1698, 1049, // wrong account, password or database
    1142, 1143, 1227, 1370, // a right is missing
    1820, 1862, 3118, 4151, // the password has expired, the account is locked
    3159, // the account wants an encrypted connection
  ],
};
const kindOf = new Map(
  (['again', 'lost', 'full', 'barred'] as const).flatMap((kind) =>
    kinds[kind].map((number) => [number, kind] as const),
  ),
);

const unknown_error = 1105;
/** What Vitess and TiDB say under "unknown error" when the whole transaction can be run again, elsewhere or later. */
const passing =
  /\bVT1[45]\d{3}\b|code = (Aborted|Unavailable|DeadlineExceeded|ResourceExhausted)\b|not serving|Information schema is (out of date|changed)/i;

const numberOf = (error: Error): number | undefined => {
  const answered = 'sqlState' in error && 'errno' in error && typeof error.errno === 'number';
  return answered ? Number(error.errno) : undefined;
};

/** The index in "Duplicate entry 'x' for key 'table.index'" (MySQL) or "... for key 'index'" (MariaDB). */
const takenIndex = (table: string, message: string): string => {
  const name = /for key '(?:\w+\.)?(\w+)'$/.exec(message)?.[1] ?? 'PRIMARY';
  return name === 'PRIMARY' ? 'key' : name.replace(`${table}_`, '');
};

/** What an error of a statement on the table means. */
export const failureOf = (error: unknown, table = ''): Failure => {
  if (!(error instanceof Error)) return { kind: 'other' };
  const number = numberOf(error);
  if (number === undefined) {
    // No answer of the server: the connection was cut, refused or too slow; or it is no error of the driver at all.
    return 'code' in error || 'fatal' in error ? { kind: 'lost' } : { kind: 'other' };
  }
  if (number === duplicate)
    return { kind: 'taken', error: new Taken(table, takenIndex(table, error.message)) };
  if (/\berror 28\b|no space left/i.test(error.message)) return { kind: 'full' };
  if (number === unknown_error) return { kind: passing.test(error.message) ? 'lost' : 'other' };
  return { kind: kindOf.get(number) ?? 'other' };
};

/** The error that callers see for it. */
export const seen = (error: unknown, failure: Failure): unknown => {
  const reason = error instanceof Error ? error.message : String(error);
  switch (failure.kind) {
    case 'taken':
      return failure.error;
    case 'full':
      return new Unavailable('storage_full', reason, error);
    case 'again':
    case 'lost':
    case 'barred':
      return new Unavailable('storage_away', reason, error);
    case 'other':
      return error;
  }
};
