import type { Services } from '../kit/services.ts';
import { shapes } from '../store/shapes.ts';
import type { AnyRow } from '../store/table.ts';
import type { ReadTables, Tables } from '../store/tables.ts';

/** What a mend has of the program that runs it. */
export type MendNeeds = Pick<Services, 'clock' | 'ids'>;

/** One rule that the stored data keeps and that no constraint of the database enforces. */
export interface Check<Row extends AnyRow = AnyRow> {
  /** A word for machines, as in `--json`. */
  readonly name: string;
  readonly table: keyof Tables;
  /** Those of the rows that break the rule, each with what is wrong. */
  wrong(tables: ReadTables, rows: readonly Row[], now: number): Promise<readonly Wrong<Row>[]>;
  /** Mends the row, which is locked, without a loss; left out where a person has to decide. Throws Taken where others are in the way. */
  mend?(needs: MendNeeds, tables: Tables, row: Row): Promise<void>;
  /** What a person does where it cannot be mended. */
  readonly by_hand: string;
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
