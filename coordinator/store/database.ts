import type { Refusal } from '../../shared/errors.ts';
import type { ReadTables, Tables } from './tables.ts';

/**
 * Where the coordinator keeps what must outlive it. Every write has one shape: a transaction in which parents are locked
 * (accounts, then hosts, each in the order of their keys), what the decision needs is loaded, the pure decision is taken
 * and its result stored. What reaches outside happens after `transact` has resolved.
 */
export interface Database {
  /** Whether several coordinators may work on it at once. */
  readonly shared: boolean;
  /**
   * Runs `work` as one transaction: all of it is stored for good when the promise resolves, nothing of it when it resolves to
   * a refusal, or when `work` or the promise rejects. `work` may run several times, so it does nothing but use its tables, and it waits for nothing else.
   * Rejects with what `work` throws, with Taken, or with Unavailable.
   */
  transact<T>(work: (tables: Tables) => Promise<T>): Promise<T>;
  /** Reads what has been stored for good. Between two calls of one `work` others may write. Rejects with Unavailable. */
  read<T>(work: (tables: ReadTables) => Promise<T>): Promise<T>;
  health(): Promise<Health>;
  /** What was removed or written over stands in no file of ours any more when it resolves. Rejects with Unavailable. */
  compact(): Promise<void>;
  /** Waits for what is under way, then lets go of files and connections. Idempotent. */
  close(): Promise<void>;
}

export interface Health {
  readonly ok: boolean;
  /** What the operator should know or do. */
  readonly note?: string;
}

/** A unique index, or the key (`index` is then "key"), holds such a row already. */
export class Taken extends Error {
  override readonly name = 'Taken';
  readonly table: string;
  readonly index: string;

  constructor(table: string, index: string) {
    super(`${table}: another row has the same ${index}`);
    this.table = table;
    this.index = index;
  }
}

/** `unknown`: the connection broke during the commit. Whether the change is stored has to be looked up. */
export type Trouble = 'storage_full' | 'storage_away' | 'storage_unknown';

/** The database cannot do it now, through no fault of the request. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
  readonly refusal: Refusal & { readonly refused: Trouble };

  constructor(refused: Trouble, reason: string, cause?: unknown) {
    super(reason, { cause });
    this.refusal = { refused };
  }
}

/** A stored row that this version cannot read: damaged, or of a newer one. Lists leave it out. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
  readonly refusal: Refusal & { readonly refused: 'row_unreadable' } = { refused: 'row_unreadable' };
  readonly table: string;
  /** Its key, as JSON. */
  readonly key: string;
  readonly column: string;
  /** What this version takes there. */
  readonly wants: string;

  constructor(table: string, key: object, column: string, wants: string) {
    const text = JSON.stringify(key);
    super(`${table}: the row ${text} holds something in ${column} that this version cannot read`);
    this.table = table;
    this.key = text;
    this.column = column;
    this.wants = wants;
  }
}

/** The database cannot be opened. The message tells the operator why and what to do. */
export class Unusable extends Error {
  override readonly name = 'Unusable';
}
