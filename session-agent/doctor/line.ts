import { z } from 'zod';

/** What one check found. */
export const lineSchema = z.strictObject({
  name: z.string(),
  /** `warn`: sessions run, but not for everybody or not for long. `skip`: not tried, because something else failed or is absent. */
  state: z.enum(['ok', 'warn', 'fail', 'skip']),
  found: z.string(),
  /** What to do about it. */
  advice: z.string().optional(),
});
export type Line = z.infer<typeof lineSchema>;

/** `doctor --json`. */
export const reportSchema = z.strictObject({
  /** Nothing failed. */
  ok: z.boolean(),
  lines: z.array(lineSchema),
});
export type Report = z.infer<typeof reportSchema>;

export const ok = (name: string, found: string): Line => ({ name, state: 'ok', found });
export const warn = (name: string, found: string, advice: string): Line => ({
  name,
  state: 'warn',
  found,
  advice,
});
export const fail = (name: string, found: string, advice: string): Line => ({
  name,
  state: 'fail',
  found,
  advice,
});
export const skip = (name: string, found: string, advice?: string): Line => ({
  name,
  state: 'skip',
  found,
  ...(advice === undefined ? {} : { advice }),
});
