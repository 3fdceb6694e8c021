import type { AnyRow, Column, Shape } from '../table.ts';

/**
 * What a table has, or is to have no more, each as one line that is the same on MySQL and MariaDB: "engine InnoDB",
 * "column id varchar(64) ascii_bin NOT NULL", "primary key (id)", "unique accounts_email (email)", "index x (a, b)".
 */
export interface Structure {
  readonly table: string;
  readonly has: readonly string[];
  /** Beginnings of lines: "column notes", "index apps_notes", "engine" for the whole table. */
  readonly lacks: readonly string[];
}

/** A column as a line. `type` as information_schema calls it. */
export const columnLine = (column: {
  readonly name: string;
  readonly type: string;
  readonly collation: string | undefined;
  readonly optional: boolean;
}): string =>
  ['column', column.name, column.type, column.collation, column.optional ? 'NULL' : 'NOT NULL']
    .filter((word) => word !== undefined)
    .join(' ');

/** A key as a line; `kind` is "primary key", or "unique" or "index" with a name. */
export const keyLine = (kind: string, columns: readonly string[]): string =>
  `${kind} (${columns.join(', ')})`;

const here = (table: string): string => `table_schema = DATABASE() AND table_name = '${table}'`;

/** The lines of a table, as a query for people and programs; each server's own default collations play no part. */
const linesOf = (
  table: string,
): string => `SELECT CONVERT(line USING utf8mb4) COLLATE utf8mb4_bin AS line FROM (
    SELECT CONCAT('engine ', engine) AS line
    FROM information_schema.tables WHERE ${here(table)}
    UNION ALL
    SELECT CONCAT_WS(' ', 'column', column_name,
      CONCAT(data_type, IF(data_type IN ('char', 'varchar'), CONCAT('(', character_maximum_length, ')'), '')),
      IF(column_type LIKE '%unsigned%', 'unsigned', NULL), collation_name,
      IF(is_nullable = 'YES', 'NULL', 'NOT NULL'), NULLIF(extra, ''))
    FROM information_schema.columns WHERE ${here(table)}
    UNION ALL
    SELECT CONCAT(
      IF(index_name = 'PRIMARY', 'primary key', CONCAT(IF(non_unique = 0, 'unique ', 'index '), index_name)), ' (',
      GROUP_CONCAT(CONCAT(column_name, IF(sub_part IS NULL, '', CONCAT('(', sub_part, ')')))
        ORDER BY seq_in_index SEPARATOR ', '), ')')
    FROM information_schema.statistics WHERE ${here(table)}
    GROUP BY index_name, non_unique
  ) AS lines_of_${table}`;

/**
 * A query that finds, as `differs`, each line that the table does not have as it should, and each that it should have no
 * more. It finds nothing when all is as it is to be.
 */
export const differencesSql = ({ table, has, lacks }: Structure): string => {
  const wanted = has.map((line) => `SELECT '${line}' AS line`).join('\n  UNION ALL ');
  const missing = `SELECT CONCAT('misses ', wanted.line) AS differs FROM (
  ${wanted}
) AS wanted LEFT JOIN (
  ${linesOf(table)}
) AS there ON there.line = CONVERT(wanted.line USING utf8mb4) COLLATE utf8mb4_bin
WHERE there.line IS NULL`;
  const left = lacks.map(
    (start) => `SELECT CONCAT('still has ', there.line) AS differs FROM (
  ${linesOf(table)}
) AS there WHERE LEFT(CONCAT(there.line, ' '), ${start.length + 1}) = '${start} '`,
  );
  return [...(has.length === 0 ? [] : [missing]), ...left].join('\nUNION ALL\n');
};

const typeOf = ({ kind, length }: Column): string => {
  const types = { long: 'mediumtext', int: 'int', instant: 'bigint', flag: 'tinyint' } as const;
  return kind in types ? types[kind as keyof typeof types] : `varchar(${length})`;
};

const collationOf = ({ kind }: Column): string | undefined => {
  if (kind === 'int' || kind === 'instant' || kind === 'flag') return undefined;
  return kind === 'id' || kind === 'choice' ? 'ascii_bin' : 'utf8mb4_bin';
};

/** The table of a shape. */
export const structureOf = ({
  name: table,
  columns,
  key,
  unique,
  indexes,
}: Pick<Shape<AnyRow, string>, 'name' | 'columns' | 'key' | 'unique' | 'indexes'>): Structure => ({
  table,
  has: [
    'engine InnoDB',
    ...Object.entries(columns).map(([name, column]) =>
      columnLine({
        name,
        type: typeOf(column),
        collation: collationOf(column),
        optional: column.optional,
      }),
    ),
    keyLine('primary key', key),
    ...Object.entries(unique).map(([name, of]) => keyLine(`unique ${table}_${name}`, of)),
    ...Object.entries(indexes).map(([name, of]) => keyLine(`index ${table}_${name}`, of)),
  ],
  lacks: [],
});
