import type { Connection } from 'mysql2/promise';
import { lastingOf, proofOf } from './effects.ts';
import { migrations as known, type Migration } from './migrations.ts';
import { differencesSql } from './structure.ts';

/**
 * Where steps are recorded. A coordinator has to know every migration in `schema_steps`; those in `schema_additions` only
 * add, so that one which does not know of them works as before.
 */
const recordTable = (additive: boolean): string => (additive ? 'schema_additions' : 'schema_steps');

export const recordTables: readonly string[] = [false, true].map(
  (additive) => `CREATE TABLE IF NOT EXISTS \`${recordTable(additive)}\` (
  \`migration\` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  \`step\` int NOT NULL,
  \`checksum\` char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  \`started_at\` bigint NOT NULL,
  \`finished_at\` bigint,
  PRIMARY KEY(\`migration\`, \`step\`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`,
);

/** A step that is not recorded yet. */
export interface DueStep
  extends Pick<Migration['steps'][number], 'sql' | 'checksum' | 'comments' | 'differences'> {
  readonly migration: string;
  readonly step: number;
  readonly additive: boolean;
  /** The same query as `differences`, without what later steps change again; '' when they change all of it. */
  readonly lasting: string;
  /** The same query for what nothing but this step can have made; '' when there is no such thing. */
  readonly proof: string;
}

const now = 'CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)';

/** Records the step, unless the query finds something that is still to be done. */
export const recordSql = (
  { migration, step, checksum, additive, ...own }: DueStep,
  differences = own.differences,
): string =>
  `REPLACE INTO ${recordTable(additive)} (migration, step, checksum, started_at, finished_at)
SELECT '${migration}', ${step}, '${checksum}', ${now}, ${now} FROM DUAL${
    differences === '' ? '' : `\nWHERE NOT EXISTS (\n${differences}\n)`
  }`;

const no_such_table = 1146;

interface Recorded {
  readonly migration: string;
  readonly step: number;
  readonly checksum: string;
}

const recordedIn = async (connection: Connection, table: string): Promise<Recorded[]> => {
  try {
    const [rows] = await connection.execute(
      `SELECT migration, step, checksum FROM ${table} WHERE finished_at IS NOT NULL ORDER BY migration, step`,
    );
    if (!Array.isArray(rows)) return [];
    return rows.flatMap((row) =>
      'migration' in row
        ? [{ migration: String(row.migration), step: Number(row.step), checksum: String(row.checksum) }]
        : [],
    );
  } catch (error) {
    if (error instanceof Error && 'errno' in error && error.errno === no_such_table) return [];
    throw error;
  }
};

/** What stands between the database's schema and the one that this version knows. */
export interface SchemaStatus {
  /** Steps to apply, in order. */
  readonly due: readonly DueStep[];
  /** Migrations of the database that this version does not know and would have to. */
  readonly unknown: readonly string[];
  /** Migrations that this version does not know and need not. */
  readonly ahead: readonly string[];
  /** Steps that were applied with another text than the one known here. */
  readonly changed: readonly string[];
  /** Migrations that are applied completely. */
  readonly applied: readonly string[];
}

/** Compares what is recorded; changes nothing. */
export const schemaStatus = async (
  connection: Connection,
  migrations: readonly Migration[] = known,
): Promise<SchemaStatus> => {
  const needed = await recordedIn(connection, recordTable(false));
  const added = await recordedIn(connection, recordTable(true));
  const records = [...needed, ...added];
  const find = (migration: string, step: number) =>
    records.find((one) => one.migration === migration && one.step === step);
  const all = migrations.flatMap(({ name, steps, additive }, place) =>
    // Without the first one there is nothing to work with.
    steps.map((step, at) => ({ ...step, migration: name, step: at + 1, additive: additive && place > 0 })),
  );
  const steps = all.map(({ effect, ...step }, at): DueStep => {
    if (effect === undefined) return { ...step, lasting: step.differences, proof: '' };
    const effects = (some: typeof all) => some.flatMap((one) => one.effect ?? []);
    const [before, later] = [effects(all.slice(0, at)), effects(all.slice(at + 1))];
    return {
      ...step,
      lasting: differencesSql(lastingOf(effect, later)),
      proof: differencesSql(proofOf(effect, before, later)),
    };
  });
  const due = steps.filter(({ migration, step }) => find(migration, step) === undefined);
  const names = migrations.map(({ name }) => name);
  const others = (recorded: readonly Recorded[]) =>
    [...new Set(recorded.map(({ migration }) => migration))].filter((name) => !names.includes(name));
  return {
    due,
    unknown: others(needed),
    ahead: others(added),
    changed: steps.flatMap(({ migration, step, checksum }) => {
      const before = find(migration, step);
      return before === undefined || before.checksum === checksum ? [] : [`${migration} step ${step}`];
    }),
    applied: names.filter((name) => due.every(({ migration }) => migration !== name)),
  };
};
