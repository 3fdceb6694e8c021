import { join } from 'node:path';
import type { Log } from '../../../shared/log.ts';
import { completed, isRow, unreadableOf } from '../conditions.ts';
import { type Unreadable, Unusable } from '../database.ts';
import type { AnyRow, Shape } from '../table.ts';
import type { Disk } from './disk.ts';
import { type Batch, decodeJournal } from './journal.ts';
import { applyChange, type Rows, rowAt } from './rows.ts';
import { decodeTable, json_schema } from './table-file.ts';

/** Files whose name the user's requirements give; the others are called like their table. */
const fileNames: Readonly<Record<string, string>> = { bookings: 'sessions_planned' };

export interface TablePaths {
  readonly current: string;
  readonly previous: string;
  readonly next: string;
}

export const tablePaths = (directory: string, table: string): TablePaths => {
  const current = join(directory, `${fileNames[table] ?? table}.json`);
  return { current, previous: `${current}.previous`, next: `${current}.next` };
};

export const journalPaths = (directory: string) => ({
  current: join(directory, 'journal.jsonl'),
  previous: join(directory, 'journal.previous.jsonl'),
});

/** A table of any shape, as loading sees it. */
export interface LoadedTable {
  readonly name: string;
  /** Fills the table from its files and says after which batch that was. */
  readFiles(): Promise<number>;
  /** Takes over one change of the journal; what is wrong when the row does not fit. */
  replay(row: unknown, removed: boolean): Unreadable | undefined;
}

interface LoadOptions {
  directory: string;
  disk: Disk;
  log: Log;
}

export const loadedTable = <Row extends AnyRow, Key extends keyof Row & string>(
  rows: Rows<Row, Key>,
  shape: Shape<Row, Key>,
  { directory, disk, log }: LoadOptions,
): LoadedTable => {
  const { current, previous } = tablePaths(directory, shape.name);
  return {
    name: shape.name,
    async readFiles() {
      for (const path of [current, previous]) {
        const text = await disk.read(path);
        if (text === undefined) continue;
        const file = decodeTable(shape, text);
        if ('problem' in file) {
          log.error(
            { path },
            `the file ${file.problem}; its previous generation and the journal take its place`,
          );
          continue;
        }
        if (file.schema > json_schema) {
          throw new Unusable(`${path} was written by a later version of the coordinator. Start that one.`);
        }
        for (const row of file.rows) applyChange(rows, undefined, row);
        return file.sequence;
      }
      return 0;
    },
    replay(stored, removed) {
      const row = completed(shape, stored);
      if (!isRow(shape, row)) return unreadableOf(shape, Object(row));
      const before = rowAt(rows, row);
      const after = removed ? undefined : row;
      if (before !== undefined || after !== undefined) applyChange(rows, before, after);
      return undefined;
    },
  };
};

const readJournals = async ({ directory, disk, log }: LoadOptions) => {
  const paths = journalPaths(directory);
  const previous = decodeJournal((await disk.read(paths.previous)) ?? '');
  const current = decodeJournal((await disk.read(paths.current)) ?? '');
  if (Math.max(previous.schema, current.schema) > json_schema) {
    throw new Unusable(`${paths.current} was written by a later version of the coordinator. Start that one.`);
  }
  if (current.damaged) {
    throw new Unusable(
      `${paths.current} is damaged behind its first ${current.bytes} bytes, in the middle of what was stored. ` +
        'Restore the data directory from a backup, or cut the file there and lose what follows.',
    );
  }
  if (current.torn) log.warn({ path: paths.current }, 'what a crash left of an unfinished write is dropped');
  return { batches: [...previous.batches, ...current.batches], bytes: current.bytes };
};

/**
 * Fills the tables from the newest valid generation of each file and the journal behind it. Throws Unusable unless
 * every change that was ever acknowledged is there.
 */
export const loadTables = async (
  tables: readonly LoadedTable[],
  options: LoadOptions,
): Promise<{ sequence: number; journalBytes: number }> => {
  const { batches, bytes } = await readJournals(options);
  const reached = new Map<string, number>();
  for (const table of tables) reached.set(table.name, await table.readFiles());
  const least = Math.min(...reached.values());
  const most = Math.max(...reached.values());
  const byName = new Map(tables.map((table) => [table.name, table]));
  const fail = (text: string): never => {
    throw new Unusable(`The data directory ${options.directory} ${text} Restore it from a backup.`);
  };

  const replay = ({ sequence, changes }: Batch): void => {
    for (const [name, row, removed] of changes) {
      if (sequence <= (reached.get(name) ?? 0)) continue; // its file has it
      const table = byName.get(name) ?? fail(`holds a row of a table ${name} that is not known.`);
      const bad = table.replay(row, removed === 'removed');
      if (bad !== undefined) fail(`holds a row that does not fit the table ${name}: ${bad.message}.`);
    }
  };

  let sequence = least;
  for (const batch of batches) {
    if (batch.sequence <= sequence) continue;
    if (batch.sequence !== sequence + 1) fail(`misses changes ${sequence + 1} to ${batch.sequence - 1}.`);
    replay(batch);
    sequence = batch.sequence;
  }
  if (sequence < most) fail(`misses changes ${sequence + 1} to ${most} of a table.`);
  return { sequence, journalBytes: bytes };
};
