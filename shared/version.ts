import { version as source_version } from '../package.json';

/** Set by scripts/build.ts: what a compiled executable is (`release.ts`), "{vitrina-release coordinator linux-x64 1.2.0}". */
declare const VITRINA_RELEASE: string | undefined;

/** Whether this program is one executable that has everything in it. */
export const compiled = typeof VITRINA_RELEASE === 'string';

/** The release of this program. */
export const version: string = compiled
  ? ((VITRINA_RELEASE ?? '').slice(0, -1).split(' ')[3] ?? '')
  : source_version;
