import { type Refusal, refuse } from '../../shared/errors.ts';
import type { Ctx } from './env.ts';

/** The ETag of a row with this version. */
export const etagOf = (version: number): string => `"${version}"`;

/** The version that the caller has read, from If-Match; version_required, or version_conflict for no version of ours. */
export const ifMatch = (c: Ctx): number | Refusal => {
  const header = c.req.header('if-match');
  if (header === undefined) return refuse('version_required');
  const version = /^"(\d{1,10})"$/.exec(header)?.[1];
  return version === undefined ? refuse('version_conflict') : Number(version);
};
