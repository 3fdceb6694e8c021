import type { Connection } from 'mysql2/promise';
import { Unusable } from '../database.ts';
import { migrations as known, type Migration } from './migrations.ts';

/** How long a second `coordinator migrate` waits for the first. */
const lock_seconds = 60;

const recordTable = `CREATE TABLE IF NOT EXISTS \`schema_steps\` (
  \`migration\` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  \`step\` int NOT NULL,
  \`checksum\` char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  \`started_at\` bigint NOT NULL,
  \`finished_at\` bigint,
  PRIMARY KEY(\`migration\`, \`step\`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`;

/**
 * "There already" and "not there any more": table, column, index. They mean that a step which was begun before has been
 * done, when the program or the server ended before that was recorded.
 */
const done_before: readonly unknown[] = [1050, 1060, 1061, 1091];

const no_such_table = 1146;

interface Recorded {
  readonly migration: string;
  readonly step: number;
  readonly checksum: string;
  readonly finished: boolean;
}

const errnoOf = (error: unknown): unknown =>
  error instanceof Error && 'errno' in error ? error.errno : undefined;

const recordedSteps = async (connection: Connection): Promise<Recorded[]> => {
  try {
    const [rows] = await connection.execute(
      'SELECT migration, step, checksum, finished_at FROM schema_steps ORDER BY migration, step',
    );
    if (!Array.isArray(rows)) return [];
    return rows.flatMap((row) =>
      'migration' in row
        ? [
            {
              migration: String(row.migration),
              step: Number(row.step),
              checksum: String(row.checksum),
              finished: row.finished_at !== null,
            },
          ]
        : [],
    );
  } catch (error) {
    if (errnoOf(error) === no_such_table) return [];
    throw error;
  }
};

/** What stands between the database's schema and the one that this version knows. */
export interface SchemaStatus {
  /** Steps to apply, in order. */
  readonly due: readonly { readonly migration: string; readonly step: number; readonly sql: string }[];
  /** Migrations of the database that this version does not know. */
  readonly unknown: readonly string[];
  /** Steps that were applied with another text than the one known here. */
  readonly changed: readonly string[];
  /** Migrations that are applied completely. */
  readonly applied: readonly string[];
}

/** Compares; changes nothing. */
export const schemaStatus = async (
  connection: Connection,
  migrations: readonly Migration[] = known,
): Promise<SchemaStatus> => {
  const recorded = await recordedSteps(connection);
  const find = (migration: string, step: number) =>
    recorded.find((one) => one.migration === migration && one.step === step);
  const steps = migrations.flatMap(({ name, steps }) =>
    steps.map(({ sql, checksum }, at) => ({ migration: name, step: at + 1, sql, checksum })),
  );
  const due = steps.filter(({ migration, step }) => find(migration, step)?.finished !== true);
  const names = migrations.map(({ name }) => name);
  return {
    due: due.map(({ migration, step, sql }) => ({ migration, step, sql })),
    unknown: [...new Set(recorded.map(({ migration }) => migration))].filter((name) => !names.includes(name)),
    changed: steps.flatMap(({ migration, step, checksum }) => {
      const before = find(migration, step);
      return before === undefined || before.checksum === checksum ? [] : [`${migration} step ${step}`];
    }),
    applied: names.filter((name) => due.every(({ migration }) => migration !== name)),
  };
};

/** What is wrong with the schema for this version, and what to run; undefined when nothing is. */
const objection = ({ due, unknown, changed }: SchemaStatus, database: string): string | undefined => {
  if (unknown.length > 0) {
    return `The schema of ${database} is newer than this coordinator (${unknown.join(', ')}). Update the coordinator.`;
  }
  if (changed.length > 0) {
    return `The schema of ${database} was made with another text of ${changed.join(', ')}. Restore the released files of migrations/.`;
  }
  return due.length > 0
    ? `The schema of ${database} is older than this coordinator: ${due.length} steps are due. Run "coordinator migrate".`
    : undefined;
};

/** Throws Unusable unless the schema is exactly the one that this version knows. */
export const requireSchema = async (connection: Connection, database: string): Promise<void> => {
  const problem = objection(await schemaStatus(connection), database);
  if (problem !== undefined) throw new Unusable(problem);
};

const applyStep = async (
  connection: Connection,
  { migration, step, sql }: SchemaStatus['due'][number],
  checksum: string,
): Promise<void> => {
  const now = 'CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)';
  const [begun] = await connection.execute(
    `INSERT IGNORE INTO schema_steps (migration, step, checksum, started_at) VALUES (?, ?, ?, ${now})`,
    [migration, step, checksum],
  );
  const first = 'affectedRows' in begun && begun.affectedRows === 1;
  try {
    await connection.query(sql);
  } catch (error) {
    if (first || !done_before.includes(errnoOf(error))) {
      if (first) {
        // It never took effect: a later attempt must not take "there already" for its own doing.
        await connection.execute('DELETE FROM schema_steps WHERE migration = ? AND step = ?', [
          migration,
          step,
        ]);
      }
      throw error;
    }
  }
  await connection.execute(`UPDATE schema_steps SET finished_at = ${now} WHERE migration = ? AND step = ?`, [
    migration,
    step,
  ]);
};

/**
 * Applies what is due on this one connection, step by step under a named lock, and says how many steps that were. When
 * it is killed in between, the next run goes on where it was. Throws Unusable.
 */
export const migrate = async (
  connection: Connection,
  database: string,
  migrations: readonly Migration[] = known,
): Promise<number> => {
  const lock = `vitrina migrate ${database}`.slice(0, 64);
  const [locked] = await connection.execute('SELECT GET_LOCK(?, ?) AS locked', [lock, lock_seconds]);
  const [first] = Array.isArray(locked) ? locked : [];
  if (first === undefined || !('locked' in first) || first.locked !== 1) {
    throw new Unusable('Another "coordinator migrate" runs on this server. Wait for it.');
  }
  try {
    await connection.query(recordTable);
    const status = await schemaStatus(connection, migrations);
    const problem = objection({ ...status, due: [] }, database);
    if (problem !== undefined) throw new Unusable(problem);
    for (const due of status.due) {
      const checksum = migrations.find(({ name }) => name === due.migration)?.steps[due.step - 1]?.checksum;
      await applyStep(connection, due, checksum ?? '');
    }
    return status.due.length;
  } finally {
    await connection.execute('DO RELEASE_LOCK(?)', [lock]);
  }
};
