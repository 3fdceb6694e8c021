import type { AnyRow } from '../table.ts';
import { type Disk, isMissing, writeNew } from './disk.ts';
import { encodeBatch, type Journal, type Line, openJournal } from './journal.ts';
import { journalPaths, tablePaths } from './load.ts';
import type { Change } from './rows.ts';
import { encodeTable } from './table-file.ts';

export interface StorageOptions {
  directory: string;
  disk: Disk;
  tables: readonly { readonly name: string; readonly all: readonly AnyRow[] }[];
  /** The last batch that is stored, and how much of the journal holds good batches. */
  sequence: number;
  journalBytes: number;
}

/** The files: a journal of what changed, and one file per table that is written anew now and then. One call at a time. */
export interface Storage {
  /** Bytes of the journal that the table files lack. */
  readonly journalBytes: number;
  /** Resolves when the changes are on the disk for good. */
  append(changes: readonly Change[]): Promise<void>;
  /** Writes the table files anew. When it rejects, the files and the journal are as good as before. */
  checkpoint(): Promise<void>;
  close(): Promise<void>;
}

const lineOf = (change: Change): Line =>
  change.after === undefined ? [change.table, change.before, 'removed'] : [change.table, change.after];

export const openStorage = async (options: StorageOptions): Promise<Storage> => {
  const { directory, disk, tables } = options;
  const journals = journalPaths(directory);
  let { sequence, journalBytes } = options;
  let journal: Journal | undefined;

  /** The journal, opened again when an attempt to do so has failed before. */
  const opened = async (): Promise<Journal> => {
    if (journal !== undefined) return journal;
    const one = await openJournal(disk, journals.current, journalBytes);
    await disk.syncFolder(directory);
    journal = one;
    return one;
  };

  const closeJournal = async (): Promise<void> => {
    journalBytes = journal?.bytes ?? journalBytes;
    await journal?.close();
    journal = undefined;
  };

  /** Puts the new files in their places. After a crash in between, loading takes either generation of each. */
  const exchange = async (): Promise<void> => {
    for (const { name } of tables) {
      const { current, previous, next } = tablePaths(directory, name);
      await disk.rename(current, previous).catch((error) => {
        if (!isMissing(error)) throw error;
      });
      await disk.rename(next, current);
    }
    await disk.syncFolder(directory);
  };

  await opened();
  return {
    get journalBytes() {
      return journal?.bytes ?? journalBytes;
    },
    async append(changes) {
      if (changes.length === 0) return;
      const lines = changes.map(lineOf);
      await (await opened()).append(encodeBatch(sequence + 1, lines));
      sequence += 1;
    },
    async checkpoint() {
      const nexts = tables.map(({ name }) => tablePaths(directory, name).next);
      try {
        for (const { name, all } of tables) {
          await writeNew(disk, tablePaths(directory, name).next, encodeTable(name, sequence, all));
        }
      } catch (error) {
        for (const next of nexts) await disk.remove(next).catch(() => undefined);
        throw error;
      }
      await exchange();
      await closeJournal();
      await disk.rename(journals.current, journals.previous);
      journalBytes = 0;
      await opened();
    },
    close: closeJournal,
  };
};
