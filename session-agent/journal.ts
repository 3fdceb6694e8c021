import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../shared/log.ts';
import { type Account, compacted, type Entry, entrySchema, fold, noAccount } from './domain/journal.ts';

/** A journal beyond this, and four times what its account needs, is rewritten. */
const JOURNAL_BYTES = 1024 * 1024;

interface Waiting {
  entry: Entry;
  done(): void;
  failed(error: unknown): void;
}

const linesOf = (entries: readonly Entry[]): string =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');

/** A rename is on the disk when its folder is. Windows keeps no such order to ask for. */
const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === 'win32') return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/**
 * What the agent is about to do and has done, line by line on the disk, so that an agent that was killed has a successor
 * that knows. It holds secrets of running sessions: only its owner may read it.
 */
export class Journal {
  readonly #folder: string;
  readonly #log: Log;
  #account: Account = noAccount;
  #file: FileHandle | undefined;
  #bytes = 0;
  #kept_bytes = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  get account(): Account {
    return this.#account;
  }

  /** Reads what is there and rewrites it short. Throws when the folder cannot be written to. */
  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    this.#account = this.#read(await readFile(this.#path(), 'utf8').catch(none));
    await this.#compact();
  }

  /**
   * Adds a line; resolves when it is on the disk, in the order of the calls. Lines that wait at the same time share one sync.
   * Rejects when the disk does not take it: then it is not there.
   */
  append(entry: Entry): Promise<void> {
    const written = new Promise<void>((done, failed) => {
      this.#waiting.push({ entry, done, failed });
    });
    this.#writing ??= this.#write();
    return written;
  }

  /** Resolves when all lines are on the disk and the file is closed. */
  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  #path(): string {
    return join(this.#folder, 'journal.jsonl');
  }

  /** The last line may be torn: its effect never happened. Any other that is not understood is said and left out. */
  #read(text: string): Account {
    const lines = text.split('\n');
    const torn = lines.pop() ?? '';
    if (torn !== '') this.#log.warn('the last line of the journal was not written to its end');
    return lines.reduce((account, line, index) => {
      const entry = entryOf(line);
      if (entry !== undefined) return fold(account, entry);
      this.#log.error({ line: index + 1 }, 'a line of the journal is not understood');
      return account;
    }, noAccount);
  }

  async #write(): Promise<void> {
    // One turn later, so that lines which are written side by side share a sync.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#put(batch.map(({ entry }) => entry));
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    // In the same turn as the last look at what waits: what comes later has to write by itself.
    this.#writing = undefined;
  }

  async #put(entries: Entry[]): Promise<void> {
    if (this.#file === undefined) throw new Error('the journal is closed');
    const text = linesOf(entries);
    try {
      await this.#file.appendFile(text);
      await this.#file.datasync();
    } catch (error) {
      // Half a line may stand there now; nothing may be written behind it.
      await this.#file.truncate(this.#bytes).catch(() => this.#file?.close());
      throw error;
    }
    this.#bytes += Buffer.byteLength(text);
    this.#account = entries.reduce(fold, this.#account);
    if (this.#bytes <= JOURNAL_BYTES || this.#bytes <= 4 * this.#kept_bytes) return;
    await this.#compact().catch((error: unknown) => {
      this.#log.error({ error }, 'the journal cannot be rewritten and goes on growing');
    });
  }

  async #compact(): Promise<void> {
    const text = linesOf(compacted(this.#account));
    const draft = `${this.#path()}.new`;
    const file = await open(draft, 'w', 0o600);
    try {
      await file.appendFile(text);
      await file.sync();
      await rename(draft, this.#path());
      await syncFolder(this.#folder);
    } catch (error) {
      await file.close();
      throw error;
    }
    await this.#file?.close();
    this.#file = file;
    this.#bytes = Buffer.byteLength(text);
    this.#kept_bytes = this.#bytes;
  }
}

const none = (error: unknown): string => {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
  throw error;
};

const entryOf = (line: string): Entry | undefined => {
  try {
    return entrySchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
};
