import {
  type AnyMySqlColumn,
  bigint,
  boolean,
  customType,
  index,
  int,
  type MySqlColumnBuilderBase,
  mysqlTable,
  primaryKey,
  uniqueIndex,
} from 'drizzle-orm/mysql-core';
import { shapes } from '../shapes.ts';
import type { AnyRow, Column, Shape } from '../table.ts';

/** Each text says how it is compared, so that neither the server's nor the database's default matters. */
const textColumn = (type: string, collation: 'ascii_bin' | 'utf8mb4_bin') =>
  customType<{ data: string }>({
    dataType: () => `${type} CHARACTER SET ${collation.replace('_bin', '')} COLLATE ${collation}`,
  })();

const builderOf = ({ kind, length }: Column) => {
  switch (kind) {
    case 'id':
    case 'choice':
      return textColumn(`varchar(${length})`, 'ascii_bin');
    case 'name':
    case 'text':
      return textColumn(`varchar(${length})`, 'utf8mb4_bin');
    case 'long':
      return textColumn('mediumtext', 'utf8mb4_bin');
    case 'int':
      return int();
    case 'instant':
      return bigint({ mode: 'number' });
    case 'flag':
      return boolean();
  }
};

const columnOf = (column: Column): MySqlColumnBuilderBase =>
  column.optional ? builderOf(column) : builderOf(column).notNull();

/** The table of a shape as drizzle knows it. */
export const sqlTable = <Row extends AnyRow, Key extends keyof Row & string>({
  name,
  columns,
  key,
  unique,
  indexes,
}: Shape<Row, Key>) => {
  const builders: Record<string, MySqlColumnBuilderBase> = {};
  for (const [called, column] of Object.entries<Column>(columns)) builders[called] = columnOf(column);
  type Names = readonly (keyof Row & string)[];
  return mysqlTable(name, builders, (table) => {
    const named = (names: Names): [AnyMySqlColumn, ...AnyMySqlColumn[]] => {
      const [first, ...rest] = names.flatMap((one) => table[one] ?? []);
      if (first === undefined) throw new TypeError(`${name} has an index without columns`);
      return [first, ...rest];
    };
    return [
      primaryKey({ columns: named(key) }),
      ...Object.entries<Names>(unique).map(([called, of]) =>
        uniqueIndex(`${name}_${called}`).on(...named(of)),
      ),
      ...Object.entries<Names>(indexes).map(([called, of]) => index(`${name}_${called}`).on(...named(of))),
    ];
  });
};

/** Every table, for drizzle-kit. */
export const sqlSchema = (): Record<string, unknown> =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, sqlTable<AnyRow, string>(shape)]));
