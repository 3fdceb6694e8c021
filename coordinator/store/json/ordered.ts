import type { AnyRow, Scalar } from '../table.ts';

/** The rows of a table in the order of some columns; the key, which follows them, makes the order total. */
export interface Index<Row extends AnyRow> {
  readonly name: string;
  readonly columns: readonly (keyof Row & string)[];
  readonly unique: boolean;
  readonly compare: (a: Row, b: Row) => number;
  readonly rows: Row[];
}

/** Null comes first, as in SQL. */
export const compareScalars = (a: Scalar, b: Scalar): number => {
  if (a === b) return 0;
  if (a === null) return -1;
  return b === null || a > b ? 1 : -1;
};

/** A row of a generic type is known to have its columns by its table's description only. */
export const cell = (row: AnyRow, column: string): Scalar => row[column] ?? null;

export const comparing =
  (columns: readonly string[]) =>
  (a: AnyRow, b: AnyRow): number => {
    for (const column of columns) {
      const order = compareScalars(cell(a, column), cell(b, column));
      if (order !== 0) return order;
    }
    return 0;
  };

/** Where in [start, end) the first row stands that is not before what is searched; `before` says so of one row. */
export const lowerBound = <Row>(
  rows: readonly Row[],
  before: (row: Row) => boolean,
  start = 0,
  end = rows.length,
): number => {
  let [low, high] = [start, end];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle];
    if (row !== undefined && before(row)) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Takes `before` out and puts `after` in. */
export const replace = <Row extends AnyRow>(
  { rows, compare }: Index<Row>,
  before: Row | undefined,
  after: Row | undefined,
): void => {
  if (before !== undefined) {
    const at = lowerBound(rows, (row) => compare(row, before) < 0);
    if (after !== undefined && compare(before, after) === 0) {
      rows[at] = after;
      return;
    }
    rows.splice(at, 1);
  }
  if (after !== undefined)
    rows.splice(
      lowerBound(rows, (row) => compare(row, after) < 0),
      0,
      after,
    );
};
