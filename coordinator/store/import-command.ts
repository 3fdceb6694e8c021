import type { Connection } from 'mysql2/promise';
import { attempt, type ImportOptions, requireUrl, withConnection } from './commands.ts';
import { type Database, Unusable } from './database.ts';
import { copyDatabase, requireImportable, tableNames } from './import.ts';
import { openJsonDatabase } from './json/open.ts';
import { openMysqlDatabase } from './mysql/database.ts';
import { isImporting, markImport, unmarkImport } from './mysql/import-mark.ts';
import { alone } from './mysql/migrate.ts';

/** Rows that are removed with one statement. */
const portion_rows = 10_000;

const copy = async (
  connection: Connection,
  directory: string,
  source: Database,
  target: Database,
): Promise<number> => {
  if (!(await isImporting(connection))) {
    await requireImportable(directory, source, target);
    await markImport(connection);
  }
  const rows = await copyDatabase(source, target);
  await unmarkImport(connection);
  return rows;
};

/**
 * `coordinator import DIR`: the JSON files of a coordinator that is stopped, into MySQL. What a run before has begun is
 * gone on with. Gives the exit code.
 */
export const importFiles = (directory: string, { url, say, ...parts }: ImportOptions): Promise<number> =>
  attempt(say, async () => {
    const address = requireUrl(url);
    // First: a coordinator that runs here would go on writing into files that nobody reads afterwards.
    const source = await openJsonDatabase({ directory, ...parts });
    try {
      return await withConnection(address, async (connection, database) => {
        const target = await openMysqlDatabase({ url: address, importing: true, ...parts });
        try {
          const rows = await alone(connection, database, () => copy(connection, directory, source, target));
          say(`Copied ${rows} rows.`);
          return 0;
        } finally {
          await target.close();
        }
      });
    } finally {
      await source.close();
    }
  });

/** `coordinator import undo`: removes what an import that was not finished has copied. Gives the exit code. */
export const undoImport = ({ url, say }: Pick<ImportOptions, 'url' | 'say'>): Promise<number> =>
  attempt(say, () =>
    withConnection(url, (connection, database) =>
      alone(connection, database, async () => {
        if (!(await isImporting(connection))) {
          throw new Unusable(`${database} holds no unfinished import: nothing is removed.`);
        }
        let removed = 0;
        for (const name of tableNames) {
          for (let rows = portion_rows; rows === portion_rows; removed += rows) {
            const [result] = await connection.query(`DELETE FROM \`${name}\` LIMIT ${portion_rows}`);
            rows = 'affectedRows' in result ? result.affectedRows : 0;
          }
        }
        await unmarkImport(connection);
        say(`Removed ${removed} rows. ${database} is as it was before the import.`);
        return 0;
      }),
    ),
  );
