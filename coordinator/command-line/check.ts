import { counted } from '../../shared/counted.ts';
import { isRefusal } from '../../shared/errors.ts';
import { whereSql } from '../check/check.ts';
import { checkData, type DataReport } from '../check/run.ts';
import type { GivenTo } from '../commands.ts';
import { attempt, withConnection } from '../store/commands.ts';
import { type Unreadable, Unusable } from '../store/database.ts';
import { openJsonDatabase } from '../store/json/open.ts';
import { openMysqlDatabase } from '../store/mysql/database.ts';
import { makeIndexes, schemaDifferences } from '../store/mysql/schema-check.ts';
import { schemaStatus } from '../store/mysql/schema-status.ts';
import { orderRunning } from './control.ts';
import type { Means } from './orders.ts';

/** A row that this version cannot read. */
interface UnreadableRow {
  readonly table: string;
  readonly key: object;
  readonly column: string;
  /** What this version takes there. */
  readonly wants: string;
  /** Statements for whoever mends it by hand. */
  readonly look: string;
  readonly remove: string;
}

/** Everything that was looked at; `--json` prints it. */
interface Report extends DataReport {
  /** How the schema differs from the one that this version wants. */
  readonly schema: readonly string[];
  readonly unreadable: readonly UnreadableRow[];
}

/** Unreadable rows that are told one by one. */
const told_most = 1_000;

const unreadableRow = ({ table, key: text, column, wants }: Unreadable): UnreadableRow => {
  const key: object = JSON.parse(text);
  const where = whereSql(key);
  return {
    ...{ table, key, column, wants },
    look: `SELECT * FROM \`${table}\` ${where}`,
    remove: `DELETE FROM \`${table}\` ${where}`,
  };
};

/** What the data can be looked at without: it makes statements slow, not wrong. */
const isSlow = (difference: string): boolean => difference.includes(': misses index ');

/** How the schema differs, and what of it was mended, if that is wanted. */
const checkSchema = (
  url: string,
  repair: boolean,
): Promise<{ schema: string[]; made: DataReport['repaired'] }> => {
  let found: Awaited<ReturnType<typeof checkSchema>> = { schema: [], made: [] };
  return withConnection(url, async (connection) => {
    const { due } = await schemaStatus(connection);
    const steps = due.map(
      ({ migration, step }) => `${migration} step ${step} is due: run "coordinator migrate"`,
    );
    const before = await schemaDifferences(connection);
    const made = repair && due.length === 0 ? await makeIndexes(connection, before) : [];
    const left = made.length === 0 ? before : await schemaDifferences(connection);
    const repaired = made.map(({ table, index }) => ({
      ...{ check: 'index_missing', table, key: { index } },
      ...{ text: 'was missing', advice: '' },
    }));
    found = { schema: [...steps, ...left.map(({ table, text }) => `${table}: ${text}`)], made: repaired };
    return 0;
  }).then(() => found);
};

const checkMysql = async (means: Means, url: string, repair: boolean): Promise<Report> => {
  const { schema, made } = await checkSchema(url, repair);
  // With another schema no statement can be trusted.
  if (!schema.every(isSlow))
    return { schema, unreadable: [], rows: 0, findings: [], repaired: made, more: [] };
  const unreadable = new Map<string, UnreadableRow>();
  const leftOut = (row: Unreadable): void => {
    if (unreadable.size < told_most) unreadable.set(row.message, unreadableRow(row));
  };
  const db = await openMysqlDatabase({ ...means, url, leftOut });
  try {
    const report = await checkData({ ...means, db }, repair);
    return {
      schema,
      unreadable: [...unreadable.values()],
      ...report,
      repaired: [...made, ...report.repaired],
    };
  } finally {
    await db.close();
  }
};

/** The files, by the coordinator that runs on them, if one does. They are read as a whole: a row that is not readable ends that. */
const checkFiles = async (means: Means, directory: string, repair: boolean): Promise<Report> => {
  const told = await orderRunning(directory, { order: 'check', repair });
  if (isRefusal(told)) throw new Unusable(`The coordinator that runs there refuses: ${told.refused}.`);
  if (told !== undefined) return { schema: [], unreadable: [], ...(JSON.parse(told.done) as DataReport) };
  const db = await openJsonDatabase({ directory, ...means });
  try {
    return { schema: [], unreadable: [], ...(await checkData({ ...means, db }, repair)) };
  } finally {
    await db.close();
  }
};

const tell = (
  { schema, unreadable, findings, repaired, more, rows }: Report,
  say: (text: string) => void,
): void => {
  for (const text of schema) say(`schema      ${text}`);
  if (schema.some(isSlow)) say('            an index is made by: coordinator check --repair');
  if (schema.some((text) => !isSlow(text) && !text.includes(' is due: ')))
    say('            the rest is for a person to change: migrations/ of this release says how it has to be');
  for (const { table, key, column, wants, look, remove } of unreadable) {
    say(`unreadable  ${table} ${JSON.stringify(key)}: ${column} is not ${wants}`);
    say(`            written by a newer version (run that one), or damaged: ${look}`);
    say(`            set ${column} right, or after a backup: ${remove}`);
  }
  for (const { check, table, key, text } of repaired)
    say(`repaired    ${check}  ${table} ${JSON.stringify(key)}: ${text}`);
  for (const { check, table, key, text, advice } of findings)
    say(`wrong       ${check}  ${table} ${JSON.stringify(key)}: ${text}. What to do: ${advice}`);
  for (const check of more) say(`and more    ${check}`);
  const left = schema.length + unreadable.length + findings.length;
  if (!schema.every(isSlow)) say('The data was not looked at: mend the schema first.');
  else
    say(`Looked at ${counted(rows, 'row')}: ${left === 0 ? 'all is as it has to be' : `${left} are wrong`}.`);
};

/** `coordinator check`. Gives the exit code: 0 when nothing is wrong, or is any more. */
export const check = (means: Means, { repair, json, data }: GivenTo<'check'>): Promise<number> =>
  attempt(means.say, async () => {
    const { url, say } = means;
    if (url === undefined && data === undefined)
      throw new Unusable('Set DATABASE_URL to the database, or give --data DIR, the data directory.');
    const report =
      url === undefined ? await checkFiles(means, data ?? '', repair) : await checkMysql(means, url, repair);
    if (json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    else tell(report, say);
    return report.schema.length + report.unreadable.length + report.findings.length === 0 ? 0 : 1;
  });
