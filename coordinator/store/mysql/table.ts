import { and, asc, count, desc, eq, gt, gte, inArray, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/mysql2';
import { checkRow, checkValues, isRow, type Test, testsOf } from '../conditions.ts';
import {
  type AnyRow,
  find_rows,
  insert_rows,
  type Selection,
  type Shape,
  type Table,
  type Where,
} from '../table.ts';
import { sqlTable } from './schema.ts';

/** Builds SQL and runs nothing: the statements go through `execute` of a prepared statement. */
const build = drizzle.mock();

export interface Statement {
  readonly sql: string;
  readonly params: unknown[];
}

/** What a statement answered: its rows, or how many rows it matched. */
export interface Answer {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly matched: number;
}

/** Runs a statement on the table, within the transaction if there is one. */
export type Execute = (table: string, statement: Statement) => Promise<Answer>;

const known = new WeakMap<object, ReturnType<typeof sqlTable>>();

/** Drizzle's table of a shape, made once. */
const tableOf = <Row extends AnyRow, Key extends keyof Row & string>(shape: Shape<Row, Key>) => {
  const table = known.get(shape) ?? sqlTable(shape);
  known.set(shape, table);
  return table;
};

/** Conditions and orders of one table, as SQL. */
const clauses = <Row extends AnyRow, Key extends keyof Row & string>(shape: Shape<Row, Key>) => {
  const table = tableOf(shape);
  const columnOf = (name: string) => {
    const column = table[name];
    if (column === undefined) throw new TypeError(`${shape.name} has no column ${name}`);
    return column;
  };
  const conditionOf = (test: Test<Row>): SQL | undefined => {
    const column = columnOf(test.column);
    if (test.is === 'equal') return test.value === null ? isNull(column) : eq(column, test.value);
    if (test.is === 'in') return test.values.length === 0 ? sql`1 = 0` : inArray(column, [...test.values]);
    const { from, to } = test;
    return and(
      from === undefined ? undefined : gte(column, from),
      to === undefined ? undefined : lt(column, to),
    );
  };
  return {
    shape,
    table,
    where: (where: Where<Row>): SQL | undefined => and(...testsOf(shape, where).map(conditionOf)),
    order: (columns: readonly string[], descending: boolean): SQL[] =>
      columns.map((name) => (descending ? desc : asc)(columnOf(name))),
    /** (a, b) > (x, y) as a > x OR (a = x AND b > y), which both servers find by an index. */
    later(after: AnyRow, columns: readonly string[], descending: boolean): SQL | undefined {
      const step = descending ? lt : gt;
      const steps = columns.map((name, at) =>
        and(
          ...columns.slice(0, at).map((before) => eq(columnOf(before), after[before])),
          step(columnOf(name), after[name]),
        ),
      );
      return or(...steps);
    },
  };
};

/** A row as the driver gives it, as a row of the table. Throws when the database holds what it must not. */
const rowFrom = <Row extends AnyRow, Key extends keyof Row & string>(
  shape: Shape<Row, Key>,
  raw: Readonly<Record<string, unknown>>,
): Row => {
  const row: Record<string, unknown> = {};
  for (const name in shape.columns) {
    const value = raw[name];
    row[name] = shape.columns[name].kind === 'flag' && value !== null ? value === 1 : value;
  }
  if (!isRow(shape, row)) throw new TypeError(`${shape.name} has a row in the database that it cannot hold`);
  return row;
};

/** Every write of the coordinator is at least one insert, and its text is plain: building it costs less than drizzle's. */
const insertion = <Row extends AnyRow, Key extends keyof Row & string>(
  { name, columns }: Shape<Row, Key>,
  rows: readonly Row[],
): Statement => {
  const names: (keyof Row & string)[] = [];
  for (const column in columns) names.push(column);
  const places = `(${names.map(() => '?').join(', ')})`;
  const sql = `insert into \`${name}\` (${names.map((column) => `\`${column}\``).join(', ')}) values ${rows.map(() => places).join(', ')}`;
  return { sql, params: rows.flatMap((row) => names.map((column) => row[column])) };
};

/** The table of a shape; `execute` runs its statements. */
export const mysqlTable = <Row extends AnyRow, Key extends keyof Row & string>(
  shape: Shape<Row, Key>,
  execute: Execute,
): Table<Row, Key> => {
  const { table, where: whereOf, order: orderOf, later } = clauses(shape);
  const { name, key } = shape;
  const anywhere: Where<Row> = {};
  const versioned = Object.hasOwn(shape.columns, 'version');

  const select = (where: Where<Row>, { order = [], descending = false, limit, after }: Selection<Row>) => {
    const columns = [...order, ...key];
    return build
      .select()
      .from(table)
      .where(and(whereOf(where), after === undefined ? undefined : later(after, columns, descending)))
      .orderBy(...orderOf(columns, descending))
      .limit(limit ?? find_rows + 1);
  };

  const one = async (statement: Statement): Promise<Row | undefined> => {
    const [raw] = (await execute(name, statement)).rows;
    return raw === undefined ? undefined : rowFrom(shape, raw);
  };
  const byKey = (wanted: Pick<Row, Key>) =>
    build
      .select()
      .from(table)
      .where(whereOf({ ...anywhere, ...wanted }));
  return {
    get: (wanted) => one(byKey(wanted).toSQL()),
    lock: (wanted) => one(byKey(wanted).for('update').toSQL()),
    async find(where, selection = {}) {
      const { rows } = await execute(name, select(where, selection).toSQL());
      if (selection.limit === undefined && rows.length > find_rows) {
        throw new RangeError(`${name}: a search without a limit found more than ${find_rows} rows`);
      }
      return rows.map((raw) => rowFrom(shape, raw));
    },
    async count(where) {
      const counting = build
        .select({ rows: count().as('rows') })
        .from(table)
        .where(whereOf(where));
      const [answer] = (await execute(name, counting.toSQL())).rows;
      return Number(answer?.rows);
    },
    async insert(...rows) {
      if (rows.length === 0) return;
      if (rows.length > insert_rows) throw new RangeError(`${name}: more than ${insert_rows} rows at once`);
      for (const row of rows) checkRow(shape, row);
      await execute(name, insertion(shape, rows));
    },
    async update(wanted, changes, expected = {}) {
      checkValues(shape, changes);
      const version = versioned ? { version: sql`version + 1` } : {};
      const updating = build
        .update(table)
        .set({ ...changes, ...version })
        .where(whereOf({ ...expected, ...wanted }));
      return (await execute(name, updating.toSQL())).matched === 1;
    },
    async remove(where) {
      if (Object.keys(where).length === 0) throw new TypeError(`${name}: name what to remove`);
      return (await execute(name, build.delete(table).where(whereOf(where)).toSQL())).matched;
    },
  };
};
