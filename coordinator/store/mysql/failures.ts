import { Taken, Unavailable } from '../database.ts';

/** What the server or the driver said, in words of our own. */
export type Failure =
  | { readonly kind: 'taken'; readonly error: Taken }
  /** The server has rolled the transaction back, or it must be: it can simply be run again. */
  | { readonly kind: 'again' }
  /** The connection cannot be used any more. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'full' }
  /** A mistake of ours. */
  | { readonly kind: 'other' };

const duplicate = 1062;
/** Deadlock, lock wait timeout, record changed since the snapshot (MariaDB 11.6 and later). */
const again: readonly number[] = [1213, 1205, 1020];
/** Table full, disk full, error on write. */
const full: readonly number[] = [1114, 1021, 1026, 3];
/** Too many connections, shutting down, killed, read only after a failover, and the client's own "gone away". */
const lost: readonly number[] = [1040, 1203, 1053, 1317, 1927, 1290, 1792, 1836, 2006, 2013];

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
  if (again.includes(number)) return { kind: 'again' };
  if (full.includes(number)) return { kind: 'full' };
  if (lost.includes(number)) return { kind: 'lost' };
  return { kind: 'other' };
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
      return new Unavailable('storage_away', reason, error);
    case 'other':
      return error;
  }
};
