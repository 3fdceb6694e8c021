import { and, asc, count, desc, eq, gt, gte, inArray, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/mysql2';
import { checkRow, checkValues, isRow, keyOf, type Test, testsOf, unreadableOf } from '../conditions.ts';
import { Unreadable } from '../database.ts';
import {
  type AnyRow,
  type Column,
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

/** A row as the driver gives it, as a row of the table, or what keeps it from being one. */
const rowFrom = <Row extends AnyRow, Key extends keyof Row & string>(
  shape: Shape<Row, Key>,
  raw: Readonly<Record<string, unknown>>,
): Row | Unreadable => {
  const row: Record<string, unknown> = {};
  for (const name in shape.columns) {
    const value = raw[name];
    const known = shape.columns[name].kind === 'flag' && (value === 0 || value === 1);
    row[name] = known ? value === 1 : value;
  }
  return isRow(shape, row) ? row : unreadableOf(shape, row);
};

/** Texts of statements by what they depend on, for each table. Building one takes longer than sending it. */
const texts = new WeakMap<object, Map<string, string>>();
const texts_per_table = 500;

const kindOf = <Row>(test: Test<Row>): string => {
  if (test.is === 'in') return `${test.column} in ${test.values.length}`;
  if (test.is === 'equal') return `${test.column} ${test.value === null ? 'null' : 'equal'}`;
  return `${test.column} ${test.from === undefined ? '' : 'from'} ${test.to === undefined ? '' : 'to'}`;
};

/** The values of the conditions, in the order in which their statement names them. */
const valuesOf = <Row>(test: Test<Row>): readonly unknown[] => {
  if (test.is === 'in') return test.values;
  if (test.is === 'equal') return test.value === null ? [] : [test.value];
  return [test.from, test.to].filter((value) => value !== undefined);
};

/** A statement that depends on nothing but its conditions; `build` gives its text the first time. */
const remembered = <Row extends AnyRow>(
  shape: object,
  what: string,
  tests: readonly Test<Row>[],
  build: () => { toSQL(): Statement },
): Statement => {
  const known = texts.get(shape) ?? new Map<string, string>();
  texts.set(shape, known);
  const key = [what, ...tests.map(kindOf)].join('\n');
  const text = known.get(key) ?? build().toSQL().sql;
  if (known.size < texts_per_table) known.set(key, text);
  return { sql: text, params: tests.flatMap(valuesOf) };
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

/** What a lock writes into a row, and what it then writes to leave it as it was: a number, or else an id, one longer. */
const touches = <Row extends AnyRow, Key extends keyof Row & string>({
  name,
  columns,
  key,
}: Shape<Row, Key>): Readonly<Record<'there' | 'back', Readonly<Record<string, SQL>>>> => {
  const keys: readonly string[] = key;
  const free = Object.entries<Column>(columns).filter(
    ([column, { optional }]) => !optional && !keys.includes(column),
  );
  const numbers = free.filter(([, { kind }]) => kind === 'int' || kind === 'instant');
  const [number] = numbers.find(([column]) => column === 'version') ?? numbers[0] ?? [];
  const [id] = free.findLast(([, { kind }]) => kind === 'id') ?? [];
  const column = number ?? id;
  if (column === undefined) throw new TypeError(`${name} has nothing that a lock could write`);
  const old = sql.identifier(column);
  if (number !== undefined) {
    return { there: { [column]: sql`${old} + 1` }, back: { [column]: sql`${old} - 1` } };
  }
  const shorter = sql`left(${old}, char_length(${old}) - 1)`;
  return { there: { [column]: sql`concat(${old}, '+')` }, back: { [column]: shorter } };
};

export interface TableOptions<Row extends AnyRow, Key extends keyof Row & string> {
  readonly shape: Shape<Row, Key>;
  /** Runs its statements. */
  readonly execute: Execute;
  /**
   * Several nodes are written to, of which none sees the locks of another: each compares what transactions wrote when they
   * commit (certification), and refuses the later one. So a lock writes its row, too: there and back, which changes nothing.
   */
  readonly certified: boolean;
  /** Hears of each row that a list leaves out. */
  readonly leftOut: (row: Unreadable) => void;
}

/** The table of a shape. */
export const mysqlTable = <Row extends AnyRow, Key extends keyof Row & string>({
  shape,
  execute,
  certified,
  leftOut,
}: TableOptions<Row, Key>): Table<Row, Key> => {
  const { table, where: whereOf, order: orderOf, later } = clauses(shape);
  const { name, key } = shape;
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
    if (raw === undefined) return undefined;
    const row = rowFrom(shape, raw);
    if (row instanceof Unreadable) throw row;
    return row;
  };
  const readable = (rows: Answer['rows']): Row[] => {
    const read: Row[] = [];
    for (const raw of rows) {
      const row = rowFrom(shape, raw);
      if (row instanceof Unreadable) leftOut(row);
      else read.push(row);
    }
    return read;
  };
  /** A page that is as long as it may be: what follows its last row takes the place of what is left out. */
  const page = async (where: Where<Row>, selection: Selection<Row> & { limit: number }): Promise<Row[]> => {
    const found: Row[] = [];
    for (let rest = selection; ; ) {
      const { rows } = await execute(name, select(where, rest).toSQL());
      const read = readable(rows);
      found.push(...read);
      const last = rows.at(-1);
      if (last === undefined || read.length === rows.length || rows.length < rest.limit) return found;
      // Whatever else stands in it, it has a place in the order.
      rest = { ...selection, limit: selection.limit - found.length, after: last as Row };
    }
  };
  const byKey = (wanted: Pick<Row, Key>) =>
    build
      .select()
      .from(table)
      .where(whereOf(keyOf(shape, wanted)));
  const testsOfKey = (wanted: Pick<Row, Key>) => testsOf(shape, keyOf(shape, wanted));
  const touched = (way: 'there' | 'back', wanted: Pick<Row, Key>): Statement =>
    remembered(shape, `touch ${way}`, testsOfKey(wanted), () =>
      build
        .update(table)
        .set(touches(shape)[way])
        .where(whereOf(keyOf(shape, wanted))),
    );
  /** Everything that satisfies the conditions, by key. */
  const findAll = (where: Where<Row>): Statement => {
    const { sql, params } = remembered(shape, 'find', testsOf(shape, where), () => select(where, {}));
    return { sql, params: [...params, find_rows + 1] };
  };
  return {
    get: (wanted) => one(remembered(shape, 'get', testsOfKey(wanted), () => byKey(wanted))),
    async lock(wanted) {
      const row = await one(remembered(shape, 'lock', testsOfKey(wanted), () => byKey(wanted).for('update')));
      if (row !== undefined && certified) {
        for (const way of ['there', 'back'] as const) await execute(name, touched(way, wanted));
      }
      return row;
    },
    async find(where, selection) {
      const { limit } = selection ?? {};
      if (limit !== undefined) return page(where, { ...selection, limit });
      const statement = selection === undefined ? findAll(where) : select(where, selection).toSQL();
      const { rows } = await execute(name, statement);
      if (rows.length > find_rows) {
        throw new RangeError(`${name}: a search without a limit found more than ${find_rows} rows`);
      }
      return readable(rows);
    },
    async count(where) {
      const counting = remembered(shape, 'count', testsOf(shape, where), () =>
        build
          .select({ rows: count().as('rows') })
          .from(table)
          .where(whereOf(where)),
      );
      const [answer] = (await execute(name, counting)).rows;
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
        .where(whereOf({ ...expected, ...keyOf(shape, wanted) }));
      return (await execute(name, updating.toSQL())).matched === 1;
    },
    async remove(where, { limit } = {}) {
      if (Object.keys(where).length === 0) throw new TypeError(`${name}: name what to remove`);
      const removing = build.delete(table).where(whereOf(where));
      const statement = limit === undefined ? removing : removing.limit(limit);
      return (await execute(name, statement.toSQL())).matched;
    },
  };
};
