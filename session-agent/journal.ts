import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../shared/log.ts';
import { isDiskFull, unwritten } from './disk.ts';
import { type Account, compacted, type Entry, entrySchema, fold, noAccount } from './domain/journal.ts';

/** A journal beyond this, and four times what its account needs, is rewritten. */
const JOURNAL_BYTES = 1024 * 1024;

/** How its files are opened: where a test can have a full disk. */
export type OpenFile = (path: string, flags: string | number, mode: number) => Promise<FileHandle>;

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
  readonly #open: OpenFile;
  #account: Account = noAccount;
  #file: FileHandle | undefined;
  /** Open for lines; the file itself may be missing while the disk is full. */
  #taking = false;
  /** What counts of the file: half a line may stand behind it. */
  #bytes = 0;
  #kept_bytes = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(folder: string, log: Log, openFile: OpenFile = open) {
    this.#folder = folder;
    this.#log = log;
    this.#open = openFile;
  }

  get account(): Account {
    return this.#account;
  }

  /**
   * Reads what is there and rewrites it short, or goes on with it as it is when that cannot be. On a full disk it opens too: then
   * lines are refused until there is room. Throws when the folder cannot be written to for another reason.
   */
  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const bytes = await readFile(this.#path()).catch(none);
    this.#account = this.#read(bytes.toString());
    this.#bytes = bytes.lastIndexOf(10) + 1;
    this.#taking = true;
    try {
      await this.#compact();
    } catch (error) {
      this.#log.error({ error }, 'the journal cannot be rewritten and goes on as it is');
      if (this.#file !== undefined) return;
      await this.#reopen().catch((again: unknown) => {
        if (!isDiskFull(again)) throw again;
        this.#log.error({ error: again }, 'the journal cannot be written: nothing new is started');
      });
    }
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
    this.#taking = false;
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
    if (!this.#taking) throw new Error('the journal is closed');
    const text = linesOf(entries);
    try {
      const file = this.#file ?? (await this.#reopen());
      await file.appendFile(text);
      await file.datasync();
    } catch (error) {
      await this.#cut();
      throw new Error(unwritten(this.#path(), error), { cause: error });
    }
    this.#bytes += Buffer.byteLength(text);
    this.#account = entries.reduce(fold, this.#account);
    if (this.#bytes <= JOURNAL_BYTES || this.#bytes <= 4 * this.#kept_bytes) return;
    await this.#compact().catch((error: unknown) => {
      this.#log.error({ error }, 'the journal cannot be rewritten and goes on growing');
    });
  }

  /** Half a line may stand there now; nothing may be written behind it. */
  async #cut(): Promise<void> {
    const file = this.#file;
    try {
      await file?.truncate(this.#bytes);
    } catch (error) {
      this.#log.error({ error }, 'the journal cannot be cut; it is opened anew');
      this.#file = undefined;
      await file?.close();
    }
  }

  async #reopen(): Promise<FileHandle> {
    const file = await this.#open(this.#path(), 'a', 0o600);
    try {
      await file.truncate(this.#bytes);
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
    return file;
  }

  async #compact(): Promise<void> {
    const text = linesOf(compacted(this.#account));
    const draft = `${this.#path()}.new`;
    const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = constants;
    // To append: what is cut off after a line that failed must leave no hole behind.
    const file = await this.#open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o600);
    try {
      await file.appendFile(text);
      await file.sync();
      // Windows puts no file in the place of one that is open. When it fails, the next line opens the old one again.
      await this.#file?.close();
      this.#file = undefined;
      await rename(draft, this.#path());
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
    this.#bytes = Buffer.byteLength(text);
    this.#kept_bytes = this.#bytes;
    await syncFolder(this.#folder);
  }
}

const none = (error: unknown): Buffer => {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
  throw error;
};

const entryOf = (line: string): Entry | undefined => {
  try {
    return entrySchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
};
