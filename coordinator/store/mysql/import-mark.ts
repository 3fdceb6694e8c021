import type { Connection } from 'mysql2/promise';

/**
 * A row that stands in `schema_steps` while an import is not finished. There every coordinator sees it, one of the release
 * before too, and does not start.
 */
const mark = "migration = 'unfinished_import' AND step = 0";

/** Whether the database holds what an import has begun and not finished. */
export const isImporting = async (connection: Connection): Promise<boolean> => {
  const [rows] = await connection.query(`SELECT step FROM schema_steps WHERE ${mark}`);
  return Array.isArray(rows) && rows.length > 0;
};

/** To be stored before the first row of the import is. */
export const markImport = async (connection: Connection): Promise<void> => {
  await connection.query(
    "INSERT INTO schema_steps (migration, step, checksum, started_at) VALUES ('unfinished_import', 0, '', CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED))",
  );
};

/** To be done when the last row is stored, or removed. */
export const unmarkImport = async (connection: Connection): Promise<void> => {
  await connection.query(`DELETE FROM schema_steps WHERE ${mark}`);
};
