import type { Answer } from './table.ts';

/** A value for a prepared statement: what the tables hold, and nothing that the driver would expand. */
export const parameter = (value: unknown): string | number | null => {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value;
  throw new TypeError('only plain values go to the database');
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** What the driver answered, as the tables take it. */
export const answerOf = (result: unknown): Answer => {
  if (Array.isArray(result)) return { rows: result.filter(isRecord), matched: result.length };
  return { rows: [], matched: isRecord(result) ? Number(result.affectedRows) : 0 };
};
