import { type Test, testsOf } from '../conditions.ts';
import { type AnyRow, find_rows, type Scalar, type Selection, type Shape, type Where } from '../table.ts';
import { cell, compareScalars, comparing, type Index, lowerBound } from './ordered.ts';

const satisfies = <Row extends AnyRow>(tests: readonly Test<Row>[], row: Row): boolean =>
  tests.every((test) => {
    const value = cell(row, test.column);
    if (test.is === 'equal') return value === test.value;
    if (test.is === 'in') return test.values.includes(value);
    const { from = null, to = null } = test;
    return value !== null && (from === null || value >= from) && (to === null || value < to);
  });

/** A part of an index in which every row that is searched stands. */
interface Part<Row> {
  readonly rows: readonly Row[];
  readonly start: number;
  readonly end: number;
  /** Whether it stands in the wanted order. */
  readonly inOrder: boolean;
}

/** The index that narrows most: its first columns are compared for equality, the next one perhaps with a range. */
const narrow = <Row extends AnyRow>(
  indexes: readonly Index<Row>[],
  key: readonly (keyof Row & string)[],
  tests: readonly Test<Row>[],
  order: readonly (keyof Row & string)[],
): Part<Row> => {
  const equal = new Map<string, Scalar>();
  for (const test of tests) if (test.is === 'equal') equal.set(test.column, test.value);
  const free = (columns: readonly string[]) => columns.filter((column) => !equal.has(column));
  const wanted = free(order);

  const rate = (index: Index<Row>) => {
    const unfixed = index.columns.findIndex((column) => !equal.has(column));
    const fixed = index.columns.slice(0, unfixed < 0 ? index.columns.length : unfixed);
    const next = index.columns[fixed.length];
    const range = tests.find((test) => test.is === 'range' && test.column === next);
    const rest = free([...index.columns, ...key]);
    const inOrder = wanted.every((column, at) => rest[at] === column);
    const rating = 4 * fixed.length + (range === undefined ? 0 : 2) + (inOrder ? 1 : 0);
    return { rows: index.rows, fixed, range, inOrder, rating };
  };
  const { rows, fixed, range, inOrder } = indexes.map(rate).reduce((a, b) => (b.rating > a.rating ? b : a));

  const place = (row: Row, bound: Scalar): number => {
    for (const column of fixed) {
      const difference = compareScalars(cell(row, column), equal.get(column) ?? null);
      if (difference !== 0) return difference;
    }
    return range === undefined || bound === null ? 0 : compareScalars(cell(row, range.column), bound);
  };
  const { from = null, to = null } = range?.is === 'range' ? range : {};
  const start = lowerBound(rows, (row) => place(row, from) < 0);
  const end = lowerBound(rows, (row) => (to === null ? place(row, null) <= 0 : place(row, to) < 0));
  return { rows, start, end, inOrder };
};

/** The rows of a part that are wanted, walking through it in the order of the answer as long as needed. */
const walk = function* <Row extends AnyRow>(
  { rows, start, end }: Part<Row>,
  descending: boolean,
  skipped: (row: Row) => boolean,
): Generator<Row> {
  for (let at = 0; at < end - start; at++) {
    const row = rows[descending ? end - 1 - at : start + at];
    if (row !== undefined && !skipped(row)) yield row;
  }
};

/** The rows of a table, found by the index that narrows most. */
export const findRows = <Row extends AnyRow, Key extends keyof Row & string>(
  shape: Shape<Row, Key>,
  indexes: readonly Index<Row>[],
  where: Where<Row>,
  { order = [], descending = false, limit, after }: Selection<Row> = {},
): Row[] => {
  const columns: (keyof Row & string)[] = [...order, ...shape.key];
  const compare = comparing(columns);
  const tests = testsOf(shape, where);
  const most = limit ?? find_rows + 1;
  let part = narrow(indexes, shape.key, tests, columns);
  if (part.inOrder && after !== undefined) {
    const { rows, start, end } = part;
    part = descending
      ? { ...part, end: lowerBound(rows, (row) => compare(row, after) < 0, start, end) }
      : { ...part, start: lowerBound(rows, (row) => compare(row, after) <= 0, start, end) };
  }
  const sign = descending ? -1 : 1;
  const passed = (row: Row) => after !== undefined && sign * compare(row, after) <= 0;
  const found: Row[] = [];
  for (const row of walk(part, descending, passed)) {
    if (part.inOrder && found.length >= most) break;
    if (satisfies(tests, row)) found.push(row);
  }
  if (!part.inOrder) found.sort((a, b) => sign * compare(a, b));
  if (limit === undefined && found.length > find_rows) {
    throw new RangeError(`${shape.name}: a search without a limit found more than ${find_rows} rows`);
  }
  return found.slice(0, most);
};
