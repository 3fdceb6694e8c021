import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Disk, type DiskFile, writeAll } from './disk.ts';
import { json_schema } from './table-file.ts';

/** `[table, row as it is now]`, or `[table, row as it was, "removed"]`. */
export type Line = readonly [table: string, row: unknown, removed?: 'removed'];

/** A line of the file: all changes of the transactions that were stored together. */
export interface Batch {
  readonly sequence: number;
  readonly changes: readonly Line[];
}

const batchSchema = z.object({
  sequence: z.number(),
  schema: z.number(),
  changes: z.array(
    z.union([z.tuple([z.string(), z.unknown()]), z.tuple([z.string(), z.unknown(), z.literal('removed')])]),
  ),
});

const sum_chars = 16;
const sumOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, sum_chars);

export const encodeBatch = (sequence: number, changes: readonly Line[]): Uint8Array => {
  const text = JSON.stringify({ sequence, schema: json_schema, changes });
  return Buffer.from(`${sumOf(text)} ${text}\n`);
};

const decodeLine = (line: string): (Batch & { schema: number }) | undefined => {
  const text = line.slice(sum_chars + 1);
  if (line.slice(0, sum_chars) !== sumOf(text)) return undefined;
  return batchSchema.parse(JSON.parse(text));
};

export interface JournalText {
  readonly batches: readonly Batch[];
  /** Bytes up to the end of the last whole batch. */
  readonly bytes: number;
  /** Whether something stands behind them: what a crash left of the last write. */
  readonly torn: boolean;
  /** Whether whole batches stand behind a broken one: no crash does that. */
  readonly damaged: boolean;
  /** The latest schema of its batches. */
  readonly schema: number;
}

export const decodeJournal = (text: string): JournalText => {
  const whole = text.split('\n').slice(0, -1);
  const decoded = whole.map(decodeLine);
  const broken = decoded.indexOf(undefined);
  const batches = (broken < 0 ? decoded : decoded.slice(0, broken)).filter((batch) => batch !== undefined);
  const good = whole.slice(0, batches.length);
  const bytes = good.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  return {
    batches,
    bytes,
    torn: bytes < Buffer.byteLength(text),
    damaged: decoded.slice(batches.length).some((batch) => batch !== undefined),
    schema: Math.max(0, ...batches.map(({ schema }) => schema)),
  };
};

export interface Journal {
  readonly bytes: number;
  /** Resolves when the bytes are on the disk for good. When it rejects, they are taken back before the next ones come. */
  append(line: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Goes on writing a journal behind its first `start` bytes. */
export const openJournal = async (disk: Disk, path: string, start: number): Promise<Journal> => {
  const file: DiskFile = await disk.open(path, start > 0);
  let bytes = start;
  /** Something may stand behind the good bytes that has to go first. */
  let dirty = start > 0;
  const clean = async (): Promise<void> => {
    await file.truncate(bytes);
    await file.sync();
    dirty = false;
  };
  return {
    get bytes() {
      return bytes;
    },
    async append(line) {
      if (dirty) await clean();
      dirty = true;
      try {
        await writeAll(file, line, bytes);
        await file.sync();
      } catch (error) {
        await clean().catch(() => undefined); // or else before the next append
        throw error;
      }
      bytes += line.length;
      dirty = false;
    },
    close: () => file.close(),
  };
};
