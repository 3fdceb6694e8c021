import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFolder } from '../../../shared/lock.ts';
import type { Log } from '../../../shared/log.ts';
import { Unusable } from '../database.ts';

/**
 * The coordinator of the release before that has the directory. It holds flock(2) on a file with its number, which only Linux
 * lists, by process and inode.
 */
const olderHolder = async (directory: string): Promise<string | undefined> => {
  try {
    const file = join(directory, 'coordinator.lock');
    const [{ ino }, number] = [await stat(file), (await readFile(file, 'utf8')).trim()];
    const locks = await readFile('/proc/locks', 'utf8');
    return locks.split('\n').some((line) => line.includes(` ${number} `) && line.includes(`:${ino} `))
      ? number
      : undefined;
  } catch {
    return undefined;
  }
};

/** Keeps other coordinators off the data directory until the function returned is called. Throws Unusable when one is there. */
export const lockDirectory = async (directory: string, log: Log): Promise<() => void> => {
  const refused = (holder: string) =>
    new Unusable(
      `Another coordinator (${holder}) uses this data directory. Stop it, or give each its own directory.`,
    );
  const lock = take(directory, log);
  if ('holder' in lock) throw refused(lock.holder);
  const older = await olderHolder(directory);
  if (older === undefined) return () => lock.release();
  lock.release();
  throw refused(`process ${older}`);
};

const take = (directory: string, log: Log): ReturnType<typeof lockFolder> => {
  try {
    return lockFolder(directory, log);
  } catch (error) {
    throw new Unusable(
      `Cannot write to the data directory: ${error instanceof Error ? error.message : directory}`,
    );
  }
};
