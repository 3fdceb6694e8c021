import type { Services } from '../kit/services.ts';
import { shapes } from '../store/shapes.ts';
import type { AnyRow, ReadTable } from '../store/table.ts';
import type { ReadTables, Tables } from '../store/tables.ts';

/** What a mend has of the program that runs it. */
export type MendNeeds = Pick<Services, 'clock' | 'ids'>;

/** One rule that the stored data keeps and that no constraint of the database enforces. */
export interface Check<Row extends AnyRow = AnyRow> {
  /** A word for machines, as in `--json`. */
  readonly name: string;
  readonly table: keyof Tables;
  /** Rows that are looked at with one read, which has a deadline; 200 if not said. */
  readonly at_once?: number;
  /** Those of the rows that break the rule, each with what is wrong. */
  wrong(tables: ReadTables, rows: readonly Row[], now: number): Promise<readonly Wrong<Row>[]>;
  /** Mends the row, which is locked, without a loss; left out where a person has to decide. Throws Taken where others are in the way. */
  mend?(needs: MendNeeds, tables: Tables, row: Row): Promise<void>;
  /** What a person does where it cannot be mended. */
  by_hand(row: Row): string;
}

export interface Wrong<Row> {
  readonly row: Row;
  readonly text: string;
}

export type RowIn<Name extends keyof Tables> = Awaited<ReturnType<ReadTables[Name]['find']>>[number];

/** The key of a row, by which it is found again. */
export const keyOf = (table: keyof Tables, row: AnyRow): AnyRow =>
  Object.fromEntries(shapes[table].key.map((column) => [column, row[column] ?? null]));

/** A rule about one table's rows; whoever walks over all rules gives each the rows of its own table. */
export const rule = <Name extends keyof Tables>(
  table: Name,
  parts: Omit<Check<RowIn<Name>>, 'table'>,
): Check<AnyRow> => ({ table, ...parts }) as unknown as Check<AnyRow>;

/** The table of that name, whatever its rows are. */
export const tableOf = (tables: ReadTables, name: keyof Tables): ReadTable<AnyRow, string> =>
  tables[name] as unknown as ReadTable<AnyRow, string>;

/**
 * Those of the keys that no row of the table has in its key column. A row that cannot be read is there all the same: what
 * belongs to it is not nobody's.
 */
export const absentFrom = async (
  tables: ReadTables,
  name: keyof Tables,
  keys: readonly string[],
): Promise<ReadonlySet<string>> => {
  const table = tableOf(tables, name);
  const [column = ''] = shapes[name].key;
  const wanted = [...new Set(keys)];
  const found = wanted.length === 0 ? [] : await table.find({ [column]: { in: wanted } });
  const there = new Set(found.map((row) => row[column]));
  const absent = new Set<string>();
  for (const key of wanted) {
    if (!there.has(key) && (await table.count({ [column]: key })) === 0) absent.add(key);
  }
  return absent;
};

const literal = (value: unknown): string =>
  typeof value === 'number'
    ? String(value)
    : `'${String(value).replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

/** What mends it, for whoever reads a finding. */
export const by_repair = 'run "coordinator check --repair"';

/** `WHERE ...` of a statement about the row with this key, for people to run. */
export const whereSql = (key: object): string =>
  `WHERE ${Object.entries(key)
    .map(([column, value]) => `\`${column}\` = ${literal(value)}`)
    .join(' AND ')}`;
