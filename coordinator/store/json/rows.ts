import { checkRow, checkValues, keyOf } from '../conditions.ts';
import { Taken } from '../database.ts';
import type { AnyRow, Shape, Table, Where } from '../table.ts';
import { insert_rows } from '../table.ts';
import { findRows } from './find.ts';
import { cell, compareScalars, comparing, type Index, lowerBound, replace } from './ordered.ts';

/** One table in memory: an ordered list of its rows for the key, and one for each index. */
export interface Rows<Row extends AnyRow, Key extends keyof Row & string> {
  readonly shape: Shape<Row, Key>;
  readonly indexes: readonly Index<Row>[];
  /** In the order of the key. */
  readonly all: readonly Row[];
}

/** What a transaction did to one row; both are there unless the row was added or removed. */
export type Change = { readonly table: string; readonly undo: () => void } & (
  | { readonly before: AnyRow; readonly after: AnyRow | undefined }
  | { readonly before: undefined; readonly after: AnyRow }
);

export const createRows = <Row extends AnyRow, Key extends keyof Row & string>(
  shape: Shape<Row, Key>,
): Rows<Row, Key> => {
  const index = (name: string, columns: readonly (keyof Row & string)[], unique: boolean): Index<Row> => ({
    name,
    columns,
    unique,
    compare: comparing([...columns, ...shape.key]),
    rows: [],
  });
  const byKey = index('key', shape.key, true);
  const unique = Object.entries(shape.unique).map(([name, columns]) => index(name, columns, true));
  const further = Object.entries(shape.indexes).map(([name, columns]) => index(name, columns, false));
  return { shape, indexes: [byKey, ...unique, ...further], all: byKey.rows };
};

/** The row with this key. */
export const rowAt = <Row extends AnyRow, Key extends keyof Row & string>(
  { shape: { key }, all }: Rows<Row, Key>,
  wanted: Pick<Row, Key>,
): Row | undefined => {
  const compare = (row: Row): number => {
    for (const column of key) {
      const order = compareScalars(cell(row, column), cell(wanted, column));
      if (order !== 0) return order;
    }
    return 0;
  };
  const found = all[lowerBound(all, (row) => compare(row) < 0)];
  return found !== undefined && compare(found) === 0 ? found : undefined;
};

export const applyChange = <Row extends AnyRow, Key extends keyof Row & string>(
  { indexes }: Rows<Row, Key>,
  before: Row | undefined,
  after: Row | undefined,
): void => {
  for (const index of indexes) replace(index, before, after);
};

/** The first unique index in which another row than `but` stands in the way of this one. */
const taken = <Row extends AnyRow, Key extends keyof Row & string>(
  { shape, indexes }: Rows<Row, Key>,
  row: Row,
  but?: Row,
): Taken | undefined => {
  for (const { name, unique, columns, rows } of indexes) {
    if (!unique || columns.some((column) => row[column] === null)) continue;
    const compare = comparing(columns);
    const found = rows[lowerBound(rows, (other) => compare(other, row) < 0)];
    if (found !== undefined && found !== but && compare(found, row) === 0) return new Taken(shape.name, name);
  }
  return undefined;
};

/**
 * The table as a transaction sees it. `enter` is called first by each operation and throws when there is no going on;
 * `changed` hears of each change as it is made.
 */
export const tableOf = <Row extends AnyRow, Key extends keyof Row & string>(
  rows: Rows<Row, Key>,
  enter: () => void,
  changed: (change: Change) => void,
): Table<Row, Key> => {
  const { shape } = rows;
  const table = shape.name;
  const versioned = Object.hasOwn(shape.columns, 'version');
  const change = (before: Row | undefined, after: Row | undefined): void => {
    applyChange(rows, before, after);
    const undo = () => applyChange(rows, after, before);
    if (before !== undefined) changed({ table, before, after, undo });
    else if (after !== undefined) changed({ table, before, after, undo });
  };
  const get = async (key: Pick<Row, Key>) => {
    enter();
    return rowAt(rows, key);
  };
  const find = async (where: Where<Row>, selection = {}) => {
    enter();
    return findRows(shape, rows.indexes, where, selection);
  };
  return {
    get,
    // One transaction runs at a time: every row is locked.
    lock: get,
    find,
    count: async (where) => {
      enter();
      return findRows(shape, rows.indexes, where, { limit: Number.MAX_SAFE_INTEGER }).length;
    },
    async insert(...added) {
      enter();
      if (added.length > insert_rows) throw new RangeError(`${table}: more than ${insert_rows} rows at once`);
      const done: Row[] = [];
      // Copies: what the caller does to its objects later is not stored.
      for (const row of added.map((one) => ({ ...one }))) {
        checkRow(shape, row);
        const problem = taken(rows, row);
        if (problem !== undefined) {
          for (const one of done) applyChange(rows, one, undefined);
          throw problem;
        }
        applyChange(rows, undefined, row);
        done.push(row);
      }
      for (const after of done) {
        changed({ table, before: undefined, after, undo: () => applyChange(rows, after, undefined) });
      }
    },
    async update(key, changes, expected = {}) {
      enter();
      checkValues(shape, changes);
      const before = rowAt(rows, key);
      if (before === undefined) return false;
      const matching = findRows(shape, rows.indexes, { ...expected, ...keyOf(shape, key) }, { limit: 1 });
      if (matching.length === 0) return false;
      const version = versioned ? { version: Number(before.version) + 1 } : {};
      const after = { ...before, ...changes, ...version };
      const problem = taken(rows, after, before);
      if (problem !== undefined) throw problem;
      change(before, after);
      return true;
    },
    async remove(where, { limit = Number.MAX_SAFE_INTEGER } = {}) {
      enter();
      if (Object.keys(where).length === 0) throw new TypeError(`${table}: name what to remove`);
      const found = findRows(shape, rows.indexes, where, { limit });
      for (const row of found) change(row, undefined);
      return found.length;
    },
  };
};
