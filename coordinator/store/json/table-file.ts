import { createHash } from 'node:crypto';
import { z } from 'zod';
import { completed, isRow, unreadableOf } from '../conditions.ts';
import type { AnyRow, Shape } from '../table.ts';

/** The version of the rows in the JSON files. A coordinator opens no files of a later one. */
export const json_schema = 2;

const piece_rows = 1_000;

const headSchema = z.object({
  table: z.string(),
  schema: z.number(),
  sequence: z.number(),
  sha256: z.string(),
});

/** What a file says: the rows as they were after the batch `sequence`. */
export interface TableFile<Row> {
  readonly schema: number;
  readonly sequence: number;
  readonly rows: readonly Row[];
}

/**
 * A file of one table: valid JSON with one row on each line, so that people can read, search and compare it. The first
 * line holds the checksum of the rest.
 */
export const encodeTable = (table: string, sequence: number, rows: readonly AnyRow[]): Uint8Array[] => {
  const hash = createHash('sha256');
  const body: Uint8Array[] = [];
  for (let at = 0; at < rows.length; at += piece_rows) {
    const lines = rows.slice(at, at + piece_rows).map((row) => JSON.stringify(row));
    const more = at + piece_rows < rows.length ? ',\n' : '\n';
    body.push(Buffer.from(lines.join(',\n') + more));
  }
  body.push(Buffer.from(']}\n'));
  for (const piece of body) hash.update(piece);
  const head = JSON.stringify({ table, schema: json_schema, sequence, sha256: hash.digest('hex') });
  return [Buffer.from(`${head.slice(0, -1)},"rows":[\n`), ...body];
};

/** The rows of a file, or what is wrong with it. */
export const decodeTable = <Row extends AnyRow, Key extends keyof Row & string>(
  shape: Shape<Row, Key>,
  text: string,
): TableFile<Row> | { problem: string } => {
  try {
    const start = text.indexOf('\n') + 1;
    const { table, schema, sequence, sha256 } = headSchema.parse(JSON.parse(`${text.slice(0, start)}]}`));
    if (table !== shape.name) return { problem: `is the table ${table}` };
    if (schema > json_schema) return { schema, sequence, rows: [] };
    if (createHash('sha256').update(text.slice(start)).digest('hex') !== sha256) {
      return { problem: 'does not match its checksum' };
    }
    const rows = z.array(z.unknown()).parse(JSON.parse(`[${text.slice(start, -2)}`));
    const all = rows.map((row) => completed(shape, row));
    const good = all.filter((row) => isRow(shape, row));
    if (good.length === rows.length) return { schema, sequence, rows: good };
    const bad = Object(all.find((row) => !isRow(shape, row)));
    return { problem: `holds a row that does not fit the table: ${unreadableOf(shape, bad).message}` };
  } catch {
    return { problem: 'is no complete table' };
  }
};
