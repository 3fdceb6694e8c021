import { version as source_version } from '../package.json';

/** Set by scripts/build.ts: the version of a compiled executable. */
declare const VITRINA_VERSION: string | undefined;

/** Whether this program is one executable that has everything in it. */
export const compiled = typeof VITRINA_VERSION === 'string';

/** The release of this program. */
export const version: string = compiled ? (VITRINA_VERSION ?? '') : source_version;
