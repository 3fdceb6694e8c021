import { createPool, type Pool, type PoolConnection } from 'mysql2/promise';
import type { Clock } from '../../../shared/clock.ts';
import { isRefusal } from '../../../shared/errors.ts';
import type { Ids } from '../../../shared/ids.ts';
import type { Log } from '../../../shared/log.ts';
import { type Database, type Health, Unavailable, type Unreadable } from '../database.ts';
import { makeTables, type Tables } from '../tables.ts';
import { type DatabaseAddress, parseDatabaseUrl } from './address.ts';
import { type Failure, failureOf, seen } from './failures.ts';
import { sayOnce } from './left-out.ts';
import { requireSchema } from './migrate.ts';
import { checkServer } from './server.ts';
import { configureSession, driverConfig, type Session } from './session.ts';
import { type Execute, mysqlTable } from './table.ts';
import { answerOf, parameter } from './values.ts';

const bounds = {
  /** At a transaction in all, where connections are lost; where others were quicker, of whom a cluster's nodes know late. */
  attempts: 6,
  conflict_attempts: 15,
  /** Pause before a further attempt: random between these, and longer with each. */
  pause_least_ms: 5,
  pause_most_ms: 80,
  /** Within so long a healthy database writes one row. */
  health_ms: 3_000,
} as const;

const health_key = { name: 'health', window_at: 0 };
const health_kept_ms = 86_400_000;

const touch = async ({ counters }: Tables, now: number): Promise<void> => {
  const row = await counters.lock(health_key);
  const written = { hits: ((row?.hits ?? 0) + 1) % 1_000_000, expires_at: now + health_kept_ms };
  if (row === undefined) await counters.insert({ ...health_key, ...written });
  else await counters.update(health_key, written);
};

export interface MysqlDatabaseOptions {
  /** DATABASE_URL. */
  url: string;
  clock: Clock;
  ids: Ids;
  log: Log;
  /** Whether a database is opened, too, in which an import has not been finished. */
  importing?: boolean;
  /** Told of each row that is left out of lists; without it the log is, once of each. */
  leftOut?: (row: Unreadable) => void;
}

/**
 * The database on MySQL or MariaDB, for several coordinators at once. Throws Unusable when the URL is wrong or the schema
 * is not the one that this version knows, and Unavailable when the server does not answer.
 */
export const openMysqlDatabase = async (options: MysqlDatabaseOptions): Promise<Database> => {
  const database = new MysqlDatabase(parseDatabaseUrl(options.url), options);
  try {
    await database.check();
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
};

/** One attempt at a transaction. */
interface Attempt {
  readonly transaction: boolean;
  /** Rejects when it has taken too long. */
  readonly late: Promise<never>;
  /** The first failure that ends it; its tables only throw from then on. */
  failure?: Failure;
  over?: unknown;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown; readonly attempts: number };

/** How many attempts may be made in all where one has failed like this. */
const attemptsFor = ({ kind }: Failure): number =>
  kind === 'again' ? bounds.conflict_attempts : kind === 'lost' ? bounds.attempts : 0;

class MysqlDatabase implements Database {
  readonly shared = true;
  readonly #options: MysqlDatabaseOptions;
  readonly #address: DatabaseAddress;
  readonly #pool: Pool;
  readonly #leftOut: (row: Unreadable) => void;
  readonly #sessions = new WeakMap<object, Session>();
  #closing: Promise<void> | undefined;

  constructor(address: DatabaseAddress, options: MysqlDatabaseOptions) {
    this.#options = options;
    this.#address = address;
    this.#leftOut = options.leftOut ?? sayOnce(options.log);
    this.#pool = createPool({
      ...driverConfig(address),
      connectionLimit: address.limits.connections,
      queueLimit: address.limits.waiting,
      waitForConnections: true,
      enableKeepAlive: true,
    });
  }

  get #transaction_ms(): number {
    return this.#address.limits.transaction_seconds * 1_000;
  }

  /** Throws Unusable unless the schema is the one that this version knows. */
  async check(): Promise<void> {
    const { late, cancel } = this.#deadline();
    try {
      const connection = await this.#connect(late);
      try {
        const { importing = false } = this.#options;
        await requireSchema(connection, this.#address.database, { importing });
        await checkServer(connection, this.#options.log);
      } finally {
        connection.release();
      }
    } catch (error) {
      throw seen(error, failureOf(error));
    } finally {
      cancel();
    }
  }

  transact<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return this.#repeat(work, true);
  }

  read<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return this.#repeat(work, false);
  }

  /** Writes one row: a server that is read only, full, or out of its cluster still answers whoever reads. */
  async health(): Promise<Health> {
    const { clock } = this.#options;
    const late = Promise.withResolvers<never>();
    const cancel = clock.after(bounds.health_ms, () => late.reject(new Error('it takes too long')));
    try {
      await Promise.race([this.transact((tables) => touch(tables, clock.now())), late.promise]);
      return { ok: true };
    } catch (error) {
      return {
        ok: false,
        note: `the database cannot be written to: ${error instanceof Error ? error.message : error}`,
      };
    } finally {
      cancel();
    }
  }

  async compact(): Promise<void> {}

  close(): Promise<void> {
    this.#closing ??= this.#pool.end();
    return this.#closing;
  }

  async #repeat<T>(work: (tables: Tables) => Promise<T>, transaction: boolean): Promise<T> {
    const { clock, ids } = this.#options;
    const started = clock.monotonic();
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(work, transaction);
      if ('value' in outcome) return outcome.value;
      const spent = clock.monotonic() - started;
      if (attempt >= outcome.attempts || spent > this.#transaction_ms) throw outcome.error;
      const longest = bounds.pause_most_ms * Math.max(1, attempt - bounds.attempts / 2);
      const pause = bounds.pause_least_ms + ids.below(longest - bounds.pause_least_ms);
      const { promise, resolve } = Promise.withResolvers<void>();
      clock.after(pause, resolve);
      await promise;
    }
  }

  #deadline(): { late: Promise<never>; cancel: () => void } {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined); // nobody may be waiting any more
    const late = Object.assign(new Error('the database took too long'), { code: 'ETIMEDOUT' });
    return { late: promise, cancel: this.#options.clock.after(this.#transaction_ms, () => reject(late)) };
  }

  /** A connection with our settings. One that comes too late goes back. */
  async #connect(late: Promise<never>): Promise<PoolConnection> {
    const coming = this.#pool.getConnection();
    let connection: PoolConnection;
    try {
      connection = await Promise.race([coming, late]);
    } catch (error) {
      coming.then((unwanted) => unwanted.release()).catch(() => undefined);
      throw error;
    }
    if (this.#sessions.has(connection.connection)) return connection;
    try {
      const { lock_seconds, transaction_seconds } = this.#address.limits;
      const settled = configureSession(connection, { lock_seconds, statement_seconds: transaction_seconds });
      this.#sessions.set(connection.connection, await Promise.race([settled, late]));
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  #execute(connection: PoolConnection, attempt: Attempt): Execute {
    return async (table, { sql, params }) => {
      if (attempt.over !== undefined) throw attempt.over;
      try {
        const [result] = await Promise.race([connection.execute(sql, params.map(parameter)), attempt.late]);
        return answerOf(result);
      } catch (error) {
        const failure = failureOf(error, table);
        const told = seen(error, failure);
        if (failure.kind !== 'taken' && failure.kind !== 'other') {
          attempt.failure ??= failure;
          attempt.over ??= told;
        }
        throw told;
      }
    };
  }

  async #attempt<T>(work: (tables: Tables) => Promise<T>, transaction: boolean): Promise<Outcome<T>> {
    if (this.#closing !== undefined) throw new Unavailable('storage_away', 'the database is closed');
    const { late, cancel } = this.#deadline();
    const attempt: Attempt = { transaction, late };
    try {
      const connection = await this.#connect(late);
      return await this.#within(connection, attempt, work);
    } catch (error) {
      const failure = failureOf(error);
      return { error: seen(error, failure), attempts: failure.kind === 'lost' ? bounds.attempts : 0 };
    } finally {
      cancel();
    }
  }

  /** Runs the attempt on its connection and lets go of that. */
  async #within<T>(
    connection: PoolConnection,
    attempt: Attempt,
    work: (tables: Tables) => Promise<T>,
  ): Promise<Outcome<T>> {
    const { transaction, late } = attempt;
    const execute = this.#execute(connection, attempt);
    const certified = this.#sessions.get(connection.connection)?.certified === true;
    let committing = false;
    try {
      if (transaction) await Promise.race([connection.beginTransaction(), late]);
      const value = await Promise.race([
        work(makeTables((shape) => mysqlTable({ shape, execute, certified, leftOut: this.#leftOut }))),
        late,
      ]);
      if (attempt.over !== undefined) throw attempt.over;
      attempt.over = new Error('this transaction is over');
      if (transaction && isRefusal(value)) {
        await this.#rollBack(connection, late);
        return { value };
      }
      committing = transaction;
      if (transaction) await Promise.race([connection.commit(), late]);
      connection.release();
      return { value };
    } catch (error) {
      const failure = attempt.failure ?? failureOf(error);
      attempt.over ??= new Error('this transaction is over');
      await this.#abandon(connection, failure, attempt);
      if (committing && failure.kind === 'lost') {
        return {
          error: new Unavailable('storage_unknown', 'the connection broke during the commit', error),
          attempts: 0,
        };
      }
      const attempts = attemptsFor(failure);
      return { error: attempts > 0 ? seen(error, failure) : error, attempts };
    }
  }

  async #abandon(
    connection: PoolConnection,
    failure: Failure,
    { transaction, late }: Attempt,
  ): Promise<void> {
    if (failure.kind === 'lost') connection.destroy();
    else if (transaction) await this.#rollBack(connection, late);
    else connection.release();
  }

  async #rollBack(connection: PoolConnection, late: Promise<never>): Promise<void> {
    try {
      await Promise.race([connection.rollback(), late]);
      connection.release();
    } catch {
      connection.destroy(); // the server rolls back what has no connection
    }
  }
}
