import type { Connection } from 'mysql2/promise';
import { Unusable } from '../database.ts';
import { isImporting } from './import-mark.ts';
import { migrations as known, type Migration } from './migrations.ts';
import { type DueStep, recordSql, recordTables, type SchemaStatus, schemaStatus } from './schema-status.ts';

/** How long a second `coordinator migrate` waits for the first. */
const lock_seconds = 60;

/** "There already" and "not there any more": table, column, index, key. Whether the step is done is looked at afterwards. */
const done_before: readonly unknown[] = [1050, 1060, 1061, 1068, 1091];

/** What is wrong with the schema for this version, and what to run; undefined when nothing is. */
const objection = ({ due, unknown, changed }: SchemaStatus, database: string): string | undefined => {
  if (unknown.length > 0) {
    return `The schema of ${database} is newer than this coordinator (${unknown.join(', ')}). Update the coordinator.`;
  }
  if (changed.length > 0) {
    return `The schema of ${database} was made with another text of ${changed.join(', ')}. Restore the released files of migrations/.`;
  }
  return due.length > 0
    ? `The schema of ${database} is older than this coordinator: ${due.length === 1 ? '1 step is' : `${due.length} steps are`} due. Run "coordinator migrate".`
    : undefined;
};

/** Throws Unusable unless this version can work with the schema: the one that it knows, or one that has only more. */
export const requireSchema = async (
  connection: Connection,
  database: string,
  { importing }: { readonly importing: boolean },
): Promise<void> => {
  const problem = objection(await schemaStatus(connection), database);
  if (problem !== undefined) throw new Unusable(problem);
  if (importing || !(await isImporting(connection))) return;
  throw new Unusable(
    `An import into ${database} was begun and not finished. Run "coordinator import DIR" again to finish it, or "coordinator import undo" to take it back.`,
  );
};

/** What a step still has to do, in the words of `structure.ts`; nothing when it is done. */
export const differencesOf = async (
  connection: Connection,
  differences: string,
): Promise<readonly string[]> => {
  const [rows] = await connection.query(differences);
  return Array.isArray(rows) ? rows.map((row) => ('differs' in row ? String(row.differs) : '')) : [];
};

/** Records the step if the query finds nothing that is still to be done; whether that is so. */
const recorded = async (connection: Connection, step: DueStep, differences: string): Promise<boolean> => {
  const [result] = await connection.query(recordSql(step, differences));
  return 'affectedRows' in result && result.affectedRows > 0;
};

/** Where the last step stands that was done without being recorded, by hand or by a run that was killed; -1 for none. */
const lastDone = async (connection: Connection, due: readonly DueStep[]): Promise<number> => {
  for (let at = due.length - 1; at >= 0; at--) {
    const proof = due[at]?.proof ?? '';
    if (proof !== '' && (await differencesOf(connection, proof)).length === 0) return at;
  }
  return -1;
};

/** `passed`: later steps have been done and may have changed again what this one made. */
const applyStep = async (connection: Connection, step: DueStep, passed: boolean): Promise<void> => {
  const differences = passed ? step.lasting : step.differences;
  if (await recorded(connection, step, differences)) return;
  try {
    await connection.query(step.sql);
  } catch (error) {
    if (!(error instanceof Error && 'errno' in error && done_before.includes(error.errno))) throw error;
  }
  if (await recorded(connection, step, differences)) return;
  const found = await differencesOf(connection, differences);
  throw new Unusable(
    `${step.migration} step ${step.step} meets something that is not as it should be: ${found.join('; ')}. ` +
      'If it is not of Vitrina, use another database; else change it by hand. Then run "coordinator migrate" again.',
  );
};

/** Runs `work` on this one connection while no other `migrate` or `import` works on the database. Throws Unusable. */
export const alone = async <T>(
  connection: Connection,
  database: string,
  work: () => Promise<T>,
): Promise<T> => {
  const lock = `vitrina migrate ${database}`.slice(0, 64);
  const [locked] = await connection.execute('SELECT GET_LOCK(?, ?) AS locked', [lock, lock_seconds]);
  const [first] = Array.isArray(locked) ? locked : [];
  if (first === undefined || !('locked' in first) || first.locked !== 1) {
    throw new Unusable('Another "coordinator migrate" or "import" runs on this server. Wait for it.');
  }
  try {
    return await work();
  } finally {
    await connection.execute('DO RELEASE_LOCK(?)', [lock]);
  }
};

/**
 * Applies what is due on this one connection, step by step under a named lock, and says how many steps that were. What is
 * done already, by hand or by a run that was killed, is only recorded. Throws Unusable.
 */
export const migrate = (
  connection: Connection,
  database: string,
  migrations: readonly Migration[] = known,
): Promise<number> =>
  alone(connection, database, async () => {
    for (const table of recordTables) await connection.query(table);
    const status = await schemaStatus(connection, migrations);
    const problem = objection({ ...status, due: [] }, database);
    if (problem !== undefined) throw new Unusable(problem);
    const done = await lastDone(connection, status.due);
    for (const [at, step] of status.due.entries()) await applyStep(connection, step, at < done);
    return status.due.length;
  });
