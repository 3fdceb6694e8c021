import type { Connection } from 'mysql2/promise';
import { shapes } from '../shapes.ts';
import type { AnyRow, Shape } from '../table.ts';
import { differencesOf } from './migrate.ts';
import { differencesSql, structureOf } from './structure.ts';

type AnyShape = Pick<Shape<AnyRow, string>, 'name' | 'columns' | 'key' | 'unique' | 'indexes'>;

/** A query that finds what a table has beyond its shape and that would refuse, or change, what coordinators write. */
const obstaclesSql = ({ name, columns, unique }: AnyShape): string => {
  const listed = (names: readonly string[]) => names.map((one) => `'${one}'`).join(', ');
  const here = `table_schema = DATABASE() AND table_name = '${name}'`;
  return `SELECT CONCAT('has a column ', column_name, ' that wants a value of every row') AS differs
  FROM information_schema.columns WHERE ${here} AND is_nullable = 'NO' AND column_default IS NULL AND extra = ''
  AND column_name NOT IN (${listed(Object.keys(columns))})
UNION ALL SELECT DISTINCT CONCAT('has an index ', index_name, ' that refuses rows')
  FROM information_schema.statistics WHERE ${here} AND non_unique = 0
  AND index_name NOT IN (${listed(['PRIMARY', ...Object.keys(unique).map((one) => `${name}_${one}`)])})
UNION ALL SELECT CONCAT('has a constraint ', constraint_name, ' that refuses rows')
  FROM information_schema.table_constraints WHERE ${here} AND constraint_type IN ('FOREIGN KEY', 'CHECK')
UNION ALL SELECT CONCAT('has a trigger ', trigger_name)
  FROM information_schema.triggers WHERE event_object_schema = DATABASE() AND event_object_table = '${name}'`;
};

interface SchemaDifference {
  readonly table: string;
  readonly text: string;
}

/** Makes those indexes of the differences that are missing, and says which: an index takes nothing and refuses nothing. */
export const makeIndexes = async (
  connection: Connection,
  differences: readonly SchemaDifference[],
): Promise<{ readonly table: string; readonly index: string }[]> => {
  const made: { table: string; index: string }[] = [];
  for (const { table, text } of differences) {
    const [, index, columns] = /^misses index (\w+) \(([\w, ]+)\)$/.exec(text) ?? [];
    if (index === undefined || columns === undefined) continue;
    await connection.query(`CREATE INDEX \`${index}\` ON \`${table}\` (${columns})`);
    made.push({ table, index });
  }
  return made;
};

/** Where the database's tables are not as this version of the coordinator needs them; nothing when they are. */
export const schemaDifferences = async (connection: Connection): Promise<SchemaDifference[]> => {
  const found: SchemaDifference[] = [];
  for (const shape of Object.values<AnyShape>(shapes)) {
    for (const sql of [differencesSql(structureOf(shape)), obstaclesSql(shape)]) {
      for (const text of await differencesOf(connection, sql)) found.push({ table: shape.name, text });
    }
  }
  return found;
};
