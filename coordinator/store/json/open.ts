import { type Database, Unusable } from '../database.ts';
import type { AnyRow, Shape } from '../table.ts';
import { makeTables, type Tables } from '../tables.ts';
import { JsonDatabase, type JsonDatabaseOptions, type Running, unavailable, weigh } from './database.ts';
import { systemDisk } from './disk.ts';
import { type LoadedTable, loadedTable, loadTables } from './load.ts';
import { lockDirectory } from './lock.ts';
import { createRows, type Rows, tableOf } from './rows.ts';
import { openStorage } from './storage.ts';

/** All tables in memory: their rows, and how to see them within a transaction. */
export const createMemory = () => {
  const held: { name: string; all: readonly AnyRow[] }[] = [];
  const rowsOf = new Map<object, unknown>();
  const rowsFor = <Row extends AnyRow, Key extends keyof Row & string>(shape: Shape<Row, Key>) => {
    // The shape that finds the rows is the one that they were made from.
    const known = rowsOf.get(shape) as Rows<Row, Key> | undefined;
    if (known !== undefined) return known;
    const rows = createRows(shape);
    rowsOf.set(shape, rows);
    held.push({ name: shape.name, all: rows.all });
    return rows;
  };
  const within = (running: Running): Tables =>
    makeTables((shape) =>
      tableOf(
        rowsFor(shape),
        () => {
          if (running.over !== undefined) throw running.over;
        },
        (change) => running.changes.push(change),
      ),
    );
  return { held, rowsFor, within };
};

/**
 * The embedded database: everything in memory, each change in a journal before it is acknowledged, and a JSON file per
 * table in the data directory. One process at a time. Throws Unusable when the directory cannot be used.
 */
export const openJsonDatabase = async (options: JsonDatabaseOptions): Promise<Database> => {
  const { directory, log, disk = systemDisk } = options;
  const unlock = await lockDirectory(directory, log);
  try {
    const { held, rowsFor, within } = createMemory();
    const loading: LoadedTable[] = [];
    const context = { directory, disk, log };
    makeTables((shape) => {
      const rows = rowsFor(shape);
      loading.push(loadedTable(rows, shape, context));
      return tableOf(
        rows,
        () => undefined,
        () => undefined,
      );
    });
    const loaded = await loadTables(loading, context);
    const storage = await openStorage({ directory, disk, tables: held, ...loaded });
    const bytes = held.reduce((sum, { all }) => all.reduce((inner, row) => inner + weigh(row), sum), 0);
    return new JsonDatabase({ ...options, storage, within, unlock, bytes });
  } catch (error) {
    unlock();
    if (error instanceof Unusable) throw error;
    throw new Unusable(`The data directory ${directory} cannot be used: ${unavailable(error).message}`);
  }
};
