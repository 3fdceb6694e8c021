import { isDeepStrictEqual } from 'node:util';
import { type Database, Unusable } from './database.ts';
import { shapes } from './shapes.ts';
import type { AnyRow, ReadTable } from './table.ts';
import type { Tables } from './tables.ts';

/** Rows copied in one transaction. */
const page_rows = 500;

export const tableNames = Object.keys(shapes).filter((name): name is keyof Tables =>
  Object.hasOwn(shapes, name),
);

/** A page of a table in the order of its key. */
const pageOf = (database: Database, name: keyof Tables, after: AnyRow | undefined): Promise<AnyRow[]> =>
  database.read((tables) => {
    // The page before came from a table of the same shape.
    const table = tables[name] as unknown as ReadTable<AnyRow, string>;
    return table.find({}, { limit: page_rows, ...(after === undefined ? {} : { after }) });
  });

const changed = (name: string): Unusable =>
  new Unusable(
    `The table ${name} of the database holds other rows than this folder: the folder has changed since the import began, or is another one. Run "coordinator import undo", then import again.`,
  );

/** Copies the rows of one table that are not there yet, page by page; how many there are in all. */
const copyTable = async (name: keyof Tables, source: Database, target: Database): Promise<number> => {
  let copied = 0;
  let after: AnyRow | undefined;
  for (;;) {
    const page = await pageOf(source, name, after);
    const there = await pageOf(target, name, after);
    if (there.length > 0 && !isDeepStrictEqual(there, page)) throw changed(name);
    after = page.at(-1);
    if (after === undefined) return copied;
    if (there.length === 0) {
      await target.transact(async (tables) => {
        const table: { insert(...rows: readonly AnyRow[]): Promise<void> } = tables[name];
        await table.insert(...page);
      });
    }
    copied += page.length;
  }
};

/** Throws Unusable unless there is something to copy in the directory and nothing in its way. */
export const requireImportable = async (
  directory: string,
  source: Database,
  target: Database,
): Promise<void> => {
  let rows = 0;
  for (const name of tableNames) {
    rows += await source.read((tables) => tables[name].count({}));
    const held = await target.read((tables) => tables[name].count({}));
    if (held > 0) {
      throw new Unusable(
        `The table ${name} of the database is not empty. Import into a new database: create one, and run "coordinator migrate".`,
      );
    }
  }
  // An empty folder is most likely another one than was meant.
  if (rows === 0) throw new Unusable(`There is nothing to copy in ${directory}.`);
};

/**
 * Copies every table, and leaves out what a run before has copied: each page is a transaction, so that it is there as a
 * whole or not at all. How many rows there are then. Throws Unusable when the target holds anything else.
 */
export const copyDatabase = async (source: Database, target: Database): Promise<number> => {
  let copied = 0;
  for (const name of tableNames) copied += await copyTable(name, source, target);
  return copied;
};
