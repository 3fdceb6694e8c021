import type { Clock } from '../../../shared/clock.ts';
import { isRefusal } from '../../../shared/errors.ts';
import type { Log } from '../../../shared/log.ts';
import { type Database, type Health, Unavailable } from '../database.ts';
import type { AnyRow } from '../table.ts';
import type { Tables } from '../tables.ts';
import { type Disk, isFull } from './disk.ts';
import type { Change } from './rows.ts';
import type { Storage } from './storage.ts';

/** Bounds of the JSON database. */
const jsonBounds = {
  /** Data that it keeps. A transaction that adds to more is refused as storage_full: MySQL is for that. */
  data_bytes: 64 * 1024 * 1024,
  /** The files are written anew when the journal is as long as this, or as half of the data. */
  journal_bytes: 1024 * 1024,
  /** They are written anew this long after a change, and as much longer for each MiB of data. */
  checkpoint_ms: 10_000,
  /** A transaction that takes longer fails. */
  transaction_ms: 10_000,
  /** Transactions that wait for their turn; a further one fails. */
  waiting: 10_000,
} as const;

const mebibyte = 1024 * 1024;

type Bounds = { readonly [Name in keyof typeof jsonBounds]: number };

export interface JsonDatabaseOptions {
  /** The data directory. */
  directory: string;
  clock: Clock;
  log: Log;
  disk?: Disk;
  bounds?: Partial<Bounds>;
}

/** A transaction while its `work` runs. */
export interface Running {
  readonly changes: Change[];
  /** Why its tables can be used no more. */
  over?: Error;
}

/** A transaction whose `work` is done and that is not on the disk yet. */
interface Pending {
  readonly changes: readonly Change[];
  /** By how much it made the data heavier. */
  readonly weight: number;
  readonly stored: () => void;
  readonly failed: (error: Error) => void;
}

const undo = (changes: readonly Change[]): void => {
  for (const change of changes.toReversed()) change.undo();
};

/** About the bytes that a row takes in memory and in its file. */
export const weigh = (row: AnyRow | undefined): number =>
  row === undefined
    ? 0
    : Object.values(row).reduce<number>(
        (sum, value) => sum + 16 + (typeof value === 'string' ? value.length : 8),
        0,
      );

export const unavailable = (error: unknown): Unavailable => {
  const reason = error instanceof Error ? error.message : String(error);
  return new Unavailable(isFull(error) ? 'storage_full' : 'storage_away', reason, error);
};

export interface Parts extends JsonDatabaseOptions {
  storage: Storage;
  within: (running: Running) => Tables;
  unlock: () => void;
  /** Whether several coordinators of one process work on it, in tests. */
  shared?: boolean;
  /** What the rows weigh now. */
  bytes: number;
}

/** Runs one transaction at a time in memory, and puts those that are done onto the disk together. */
export class JsonDatabase implements Database {
  readonly shared: boolean;
  readonly #parts: Parts;
  readonly #bounds: Bounds;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #running: Running | undefined;
  #pending: Pending[] = [];
  #draining: Promise<void> | undefined;
  #bytes: number;
  /** What the disk said to the last write, when it refused it. */
  #trouble: string | undefined;
  #cancelCheckpoint: (() => void) | undefined;
  /** A checkpoint that failed is tried again when the journal is as long as this. */
  #retryAt = 0;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.shared = parts.shared ?? false;
    this.#bounds = { ...jsonBounds, ...parts.bounds };
    this.#bytes = parts.bytes;
    if (parts.storage.journalBytes > 0) this.#planCheckpoint();
  }

  async transact<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    const { value, stored } = await this.#exclusive(() => this.#run(work));
    await stored;
    return value;
  }

  async read<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    try {
      return await this.transact(work);
    } catch (error) {
      if (!(error instanceof Unavailable) || this.#closing !== undefined) throw error;
      // What it saw may have been taken back since. Once more, when everything there is is stored.
      const { value } = await this.#exclusive(async () => {
        await this.#draining;
        return this.#run(work);
      });
      return value;
    }
  }

  async health(): Promise<Health> {
    if (this.#closing !== undefined) return { ok: false, note: 'the database is closed' };
    if (this.#trouble !== undefined) return { ok: false, note: this.#trouble };
    const { data_bytes } = this.#bounds;
    return this.#bytes < data_bytes * 0.8
      ? { ok: true }
      : {
          ok: true,
          note: `the JSON files hold ${this.#bytes} of at most ${data_bytes} bytes: move to MySQL`,
        };
  }

  /** Twice: the files of the generation before are kept, too. */
  compact(): Promise<void> {
    const { storage } = this.#parts;
    return this.#exclusive(async () => {
      await this.#draining;
      try {
        await storage.checkpoint();
        await storage.checkpoint();
      } catch (error) {
        throw unavailable(error);
      }
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelCheckpoint?.();
    await this.#last;
    await this.#checkpoint();
    await this.#parts.storage.close();
    this.#parts.unlock();
  }

  /** Runs `work` when all before it are done. */
  async #exclusive<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new Unavailable('storage_away', 'the database is closed');
    if (this.#waiting >= this.#bounds.waiting) throw new Unavailable('storage_away', 'too many transactions');
    this.#waiting += 1;
    const mine = this.#last.then(work);
    this.#last = mine.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await mine;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #run<T>(work: (tables: Tables) => Promise<T>): Promise<{ value: T; stored: Promise<void> }> {
    const { clock, within } = this.#parts;
    const running: Running = { changes: [] };
    this.#running = running;
    let cancel: (() => void) | undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(this.#bounds.transaction_ms, () =>
        reject(new Unavailable('storage_away', 'it took too long')),
      );
    });
    try {
      const value = await Promise.race([work(within(running)), late]);
      if (running.over !== undefined) throw running.over;
      if (isRefusal(value)) undo(running.changes.splice(0));
      return { value, stored: this.#store(running.changes) };
    } catch (error) {
      undo(running.changes);
      throw running.over ?? error;
    } finally {
      cancel?.();
      running.over ??= new Error('this transaction is over');
      this.#running = undefined;
    }
  }

  /** Lines the changes up for the disk. Throws when they are more than the files may hold. */
  #store(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0 && this.#draining === undefined) return Promise.resolve();
    const weight = changes.reduce((sum, { before, after }) => sum + weigh(after) - weigh(before), 0);
    const { data_bytes } = this.#bounds;
    if (weight > 0 && this.#bytes + weight > data_bytes) {
      throw new Unavailable('storage_full', `the JSON files hold at most ${data_bytes} bytes: move to MySQL`);
    }
    this.#bytes += weight;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => undefined); // its transaction hears of it a moment later
    this.#pending.push({ changes, weight, stored: resolve, failed: reject });
    this.#draining ??= this.#drain();
    return promise;
  }

  async #drain(): Promise<void> {
    const { storage } = this.#parts;
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0);
      try {
        await storage.append(batch.flatMap(({ changes }) => changes));
        this.#trouble = undefined;
        for (const { stored } of batch) stored();
      } catch (error) {
        this.#takeBack(batch, unavailable(error));
      }
    }
    this.#draining = undefined;
    this.#planCheckpoint();
  }

  /** What the disk refused never happened, nor did anything that came after and may have seen it. */
  #takeBack(batch: readonly Pending[], problem: Unavailable): void {
    this.#parts.log.error({ error: problem.message }, 'the data directory refuses a write');
    this.#trouble = `the data directory refuses writes: ${problem.message}`;
    const running = this.#running;
    if (running !== undefined && running.over === undefined) {
      running.over = problem;
      undo(running.changes.splice(0));
    }
    for (const { changes, weight, failed } of [...batch, ...this.#pending.splice(0)].toReversed()) {
      undo(changes);
      this.#bytes -= weight;
      failed(problem);
    }
  }

  #planCheckpoint(): void {
    const { clock, storage } = this.#parts;
    const { journal_bytes, checkpoint_ms } = this.#bounds;
    if (this.#closing !== undefined || storage.journalBytes === 0) return;
    const run = () => {
      this.#cancelCheckpoint = undefined;
      this.#exclusive(() => this.#checkpoint()).catch(() => undefined); // closed, or crowded: the next one does it
    };
    const due = storage.journalBytes >= Math.max(journal_bytes, this.#bytes / 2, this.#retryAt);
    if (due) this.#cancelCheckpoint?.();
    if (due) run();
    else this.#cancelCheckpoint ??= clock.after(checkpoint_ms * (1 + this.#bytes / mebibyte), run);
  }

  /** While it runs no transaction does, and all that are done are stored: the files get exactly what is acknowledged. */
  async #checkpoint(): Promise<void> {
    const { storage, log } = this.#parts;
    await this.#draining;
    if (storage.journalBytes === 0) return;
    try {
      await storage.checkpoint();
      this.#retryAt = 0;
    } catch (error) {
      this.#retryAt = storage.journalBytes + this.#bounds.journal_bytes;
      log.error({ error }, 'the table files cannot be written anew; the journal holds what they lack');
    }
  }
}
