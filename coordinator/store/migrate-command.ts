import type { Connection } from 'mysql2/promise';
import { counted } from '../../shared/counted.ts';
import { attempt, type Say, withConnection } from './commands.ts';
import { differencesOf, migrate } from './mysql/migrate.ts';
import { schemaDifferences } from './mysql/schema-check.ts';
import { recordSql, recordTables, type SchemaStatus, schemaStatus } from './mysql/schema-status.ts';

const ended = (sql: string): string => `${sql.replace(/;\s*$/, '')};\n`;

/** What is due as one script: run by hand, it leaves nothing due. */
const scriptOf = ({ due }: SchemaStatus): string => {
  if (due.length === 0) return '';
  const steps = due.map((step) =>
    [
      `-- ${step.migration} step ${step.step}`,
      ...(step.comments === '' ? [] : [step.comments]),
      ended(step.sql).trimEnd(),
      '-- Recorded, if nothing is found that is still to be done:',
      ended(recordSql(step, step.differences)),
    ].join('\n'),
  );
  return ['-- Where it is recorded what was applied.', ...recordTables.map(ended), ...steps].join('\n');
};

/** Says what is applied, due and different; whether all is as it is to be. */
const tellStatus = async (connection: Connection, say: Say): Promise<boolean> => {
  const { applied, due, unknown, ahead, changed } = await schemaStatus(connection);
  for (const name of applied) say(`applied  ${name}`);
  for (const { migration, step, differences } of due) {
    const called = `${migration} step ${step}`;
    const found = await differencesOf(connection, differences);
    say(
      found.length === 0
        ? `done     ${called}: by hand; "coordinator migrate" records it`
        : `due      ${called}`,
    );
    // Of a table that is not there yet nothing can differ.
    if (found.includes('misses engine InnoDB')) continue;
    for (const text of found) say(`differs  ${called}: ${text}`);
  }
  for (const name of unknown)
    say(`unknown  ${name}: made by a newer coordinator, which this one cannot replace`);
  for (const name of ahead) say(`ahead    ${name}: made by a newer coordinator; it only adds`);
  for (const name of changed) say(`changed  ${name}: applied with another text`);
  if (due.length + unknown.length + changed.length > 0) return false;
  const differs = await schemaDifferences(connection);
  for (const { table, text } of differs) say(`differs  ${table}: ${text}`);
  return differs.length === 0;
};

/** `coordinator migrate`. The status goes to `say`, the SQL of a dry run to standard output. Gives the exit code. */
export const migrateSchema = (
  mode: 'apply' | 'status' | 'dry-run',
  url: string | undefined,
  say: Say,
): Promise<number> =>
  attempt(say, () =>
    withConnection(url, async (connection, database) => {
      if (mode === 'status') return (await tellStatus(connection, say)) ? 0 : 1;
      if (mode === 'dry-run') {
        process.stdout.write(scriptOf(await schemaStatus(connection)));
        return 0;
      }
      const steps = await migrate(connection, database);
      say(
        steps === 0
          ? `The schema of ${database} is up to date.`
          : `Applied ${counted(steps, 'step')} to ${database}.`,
      );
      return 0;
    }),
  );
