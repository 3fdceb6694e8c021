import { Unreadable } from './database.ts';
import type { AnyRow, Column, Scalar, Shape, Where } from './table.ts';

/** One condition in the form that every database works with. */
export type Test<Row> = { readonly column: keyof Row & string } & (
  | { readonly is: 'equal'; readonly value: Scalar }
  | { readonly is: 'in'; readonly values: readonly Scalar[] }
  | { readonly is: 'range'; readonly from?: Scalar; readonly to?: Scalar }
);

type AnyShape<Row extends AnyRow> = Pick<Shape<Row, keyof Row & string>, 'name' | 'columns'>;

const columnOf = <Row extends AnyRow>({ name, columns }: AnyShape<Row>, column: string): Column => {
  const found: Column | undefined = Object.hasOwn(columns, column) ? columns[column] : undefined;
  if (found === undefined) throw new TypeError(`${name} has no column ${column}`);
  return found;
};

const misuse = (table: string, column: string, text: string): TypeError =>
  new TypeError(`${table}.${column} ${text}`);

const rangeOf = (table: string, column: string, { holds }: Column, range: object) => {
  const bounds: { from?: Scalar; to?: Scalar } = {};
  for (const [end, value] of Object.entries(range)) {
    if ((end !== 'from' && end !== 'to') || value === null || !holds(value)) {
      throw misuse(table, column, `has a range that it cannot hold`);
    }
    bounds[end] = value;
  }
  return bounds;
};

const testOf = <Row extends AnyRow>(
  table: AnyShape<Row>,
  column: keyof Row & string,
  wanted: unknown,
): Test<Row> => {
  const described = columnOf(table, column);
  if (wanted === undefined) throw misuse(table.name, column, 'is compared with undefined');
  if (described.kind === 'text' || described.kind === 'long') {
    throw misuse(table.name, column, 'is only kept, not compared');
  }
  if (typeof wanted !== 'object' || wanted === null) {
    // A value that no row can have, as from a stranger's request, finds nothing.
    return described.holds(wanted)
      ? { column, is: 'equal', value: wanted }
      : { column, is: 'in', values: [] };
  }
  if (!('in' in wanted)) return { column, is: 'range', ...rangeOf(table.name, column, described, wanted) };
  const values = Array.isArray(wanted.in) ? wanted.in : [];
  return { column, is: 'in', values: values.filter((value) => value !== null && described.holds(value)) };
};

/** The conditions one by one. Throws TypeError for what is a mistake in the program. */
export const testsOf = <Row extends AnyRow>(table: AnyShape<Row>, where: Where<Row>): Test<Row>[] => {
  const tests: Test<Row>[] = [];
  for (const column in where) tests.push(testOf(table, column, where[column]));
  return tests;
};

/** The key's columns alone: a row read before is a key too, and what else stands in it may have changed since. */
export const keyOf = <Row extends AnyRow, Key extends keyof Row & string>(
  { key }: Pick<Shape<Row, Key>, 'key'>,
  wanted: Pick<Row, Key>,
): Where<Row> => {
  const where: { [Name in keyof Row]?: Row[Name] } = {};
  for (const column of key) where[column] = wanted[column];
  return where;
};

/** Whether the value is a row of the table: each of its columns, nothing else, and all of them held. */
export const isRow = <Row extends AnyRow>({ columns }: AnyShape<Row>, value: unknown): value is Row => {
  if (typeof value !== 'object' || value === null) return false;
  // Every row that is read or written comes through here: no lists are made.
  let missing = 0;
  for (const name in columns) {
    if (!Object.hasOwn(value, name)) return false;
    if (!columns[name].holds(Reflect.get(value, name))) return false;
    missing += 1;
  }
  for (const _ in value) missing -= 1;
  return missing === 0;
};

/** The value with null in optional columns that it does not have: a row that was stored before these came to be. */
export const completed = <Row extends AnyRow>({ columns }: AnyShape<Row>, value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  const missing: string[] = [];
  for (const name in columns) if (columns[name].optional && !Object.hasOwn(value, name)) missing.push(name);
  if (missing.length === 0) return value;
  return { ...value, ...Object.fromEntries(missing.map((name) => [name, null])) };
};

/** The first column that keeps the value from being a row of the table; undefined when it is one. */
const misfitOf = <Row extends AnyRow>({ columns }: AnyShape<Row>, value: object): string | undefined => {
  for (const name in columns) {
    if (!Object.hasOwn(value, name) || !columns[name].holds(Reflect.get(value, name))) return name;
  }
  return Object.keys(value).find((name) => !Object.hasOwn(columns, name));
};

/** Why a value that was stored is no row of the table, by its key and column. */
export const unreadableOf = <Row extends AnyRow>(
  table: Pick<Shape<Row, keyof Row & string>, 'name' | 'columns' | 'key'>,
  value: object,
): Unreadable => {
  const key = Object.fromEntries(table.key.map((name) => [name, Reflect.get(value, name)]));
  const column = misfitOf(table, value) ?? '';
  const known: Column | undefined = table.columns[column];
  return new Unreadable(table.name, key, column, known?.wants ?? 'a column that this version knows');
};

/** Throws TypeError, naming the column but never the value, unless all given values can be held. */
export const checkValues = <Row extends AnyRow>(table: AnyShape<Row>, values: object): void => {
  for (const [column, value] of Object.entries(values)) {
    if (!columnOf(table, column).holds(value)) throw misuse(table.name, column, 'cannot hold this value');
  }
};

export const checkRow = <Row extends AnyRow>(table: AnyShape<Row>, row: Row): void => {
  checkValues(table, row);
  if (!isRow(table, row)) throw new TypeError(`${table.name} misses a column`);
};
