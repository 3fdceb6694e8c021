import { type Database, Unusable } from './database.ts';
import { shapes } from './shapes.ts';
import type { AnyRow, ReadTable } from './table.ts';
import type { Tables } from './tables.ts';

/** Rows copied in one transaction. */
const page_rows = 500;

const tableNames = Object.keys(shapes).filter((name): name is keyof Tables => Object.hasOwn(shapes, name));

/** Copies the rows of one table, page by page in the order of its key. */
const copyTable = async (name: keyof Tables, source: Database, target: Database): Promise<number> => {
  let copied = 0;
  let after: AnyRow | undefined;
  for (;;) {
    const selection = { limit: page_rows, ...(after === undefined ? {} : { after }) };
    const page = await source.read((tables) => {
      // The page before came from this very table.
      const table = tables[name] as unknown as ReadTable<AnyRow, string>;
      return table.find({}, selection);
    });
    after = page.at(-1);
    if (after === undefined) return copied;
    await target.transact(async (tables) => {
      const table: { insert(...rows: readonly AnyRow[]): Promise<void> } = tables[name];
      await table.insert(...page);
    });
    copied += page.length;
  }
};

/** Copies every table into an empty database and says how many rows that were. Throws Unusable when it is not empty. */
export const copyDatabase = async (source: Database, target: Database): Promise<number> => {
  for (const name of tableNames) {
    const held = await target.read((tables) => tables[name].count({}));
    if (held > 0) {
      throw new Unusable(
        `The table ${name} of the database is not empty. Import into a new database: create one, and run "coordinator migrate".`,
      );
    }
  }
  let copied = 0;
  for (const name of tableNames) copied += await copyTable(name, source, target);
  return copied;
};
