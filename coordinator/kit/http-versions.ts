import { type Refusal, refuse } from '../../shared/errors.ts';
import type { Ctx } from './http-env.ts';

/** The ETag of a row's version. */
export const etagOf = (version: number): string => `"${version}"`;

/** The version that the caller changes, from If-Match; version_required when it does not say. */
export const versionFrom = (c: Ctx): number | Refusal => {
  const given = c.req.header('if-match');
  if (given === undefined) return refuse('version_required');
  const [, version] = /^(?:W\/)?"(\d{1,9})"$/.exec(given.trim()) ?? [];
  return version === undefined ? refuse('malformed', 'If-Match: an ETag, like "3"') : Number(version);
};
