import { counted } from '../../shared/counted.ts';
import { isRefusal } from '../../shared/errors.ts';
import { checkData, type DataReport } from '../check/run.ts';
import type { GivenTo } from '../commands.ts';
import { attempt, withConnection } from '../store/commands.ts';
import { type Unreadable, Unusable } from '../store/database.ts';
import { openJsonDatabase } from '../store/json/open.ts';
import { openMysqlDatabase } from '../store/mysql/database.ts';
import { schemaDifferences } from '../store/mysql/schema-check.ts';
import { schemaStatus } from '../store/mysql/schema-status.ts';
import { orderRunning } from './control.ts';
import type { Means } from './orders.ts';

/** Everything that was looked at; `--json` prints it. */
interface Report extends DataReport {
  /** How the schema differs from the one that this version wants. */
  readonly schema: readonly string[];
  /** Rows that this version cannot read. */
  readonly unreadable: readonly string[];
}

const unreadable_advice =
  'written by a newer version, or damaged: run that version, or look at the row and mend or remove it by hand';

const checkSchema = (url: string): Promise<string[]> => {
  let found: string[] = [];
  return withConnection(url, async (connection) => {
    const { due } = await schemaStatus(connection);
    const steps = due.map(
      ({ migration, step }) => `${migration} step ${step} is due: run "coordinator migrate"`,
    );
    const differences = await schemaDifferences(connection);
    found = [...steps, ...differences.map(({ table, text }) => `${table}: ${text}`)];
    return 0;
  }).then(() => found);
};

const checkMysql = async (means: Means, url: string, repair: boolean): Promise<Report> => {
  const schema = await checkSchema(url);
  // With another schema no statement can be trusted.
  if (schema.length > 0) return { schema, unreadable: [], rows: 0, findings: [], repaired: [] };
  const unreadable = new Set<string>();
  const leftOut = ({ message }: Unreadable): void => void unreadable.add(message);
  const db = await openMysqlDatabase({ ...means, url, leftOut });
  try {
    const report = await checkData({ ...means, db }, repair);
    return { schema, unreadable: [...unreadable], ...report };
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
  { schema, unreadable, findings, repaired, rows }: Report,
  say: (text: string) => void,
): void => {
  for (const text of schema) say(`schema    ${text}`);
  for (const text of unreadable) say(`unreadable  ${text}: ${unreadable_advice}`);
  for (const { check, table, key, text } of repaired)
    say(`repaired  ${check}  ${table} ${JSON.stringify(key)}: ${text}`);
  for (const { check, table, key, text, advice } of findings)
    say(`wrong     ${check}  ${table} ${JSON.stringify(key)}: ${text}. What to do: ${advice}`);
  const left = schema.length + unreadable.length + findings.length;
  if (schema.length > 0) say('The data was not looked at: mend the schema first.');
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
