import { connect } from 'node:net';
import { join } from 'node:path';
import { lockFolder } from '../../../shared/lock.ts';
import type { Log } from '../../../shared/log.ts';
import { Unusable } from '../database.ts';

/**
 * Whether a process listens in the folder for commands. A coordinator of the release before does so for as long as it runs, and
 * holds another lock than ours.
 */
const listens = (folder: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(join(folder, 'coordinator.sock'));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** Keeps other coordinators off the data directory until the function returned is called. Throws Unusable when one is there. */
export const lockDirectory = async (directory: string, log: Log): Promise<() => void> => {
  const refused = (holder: string) =>
    new Unusable(
      `Another coordinator (${holder}) uses this data directory. Stop it, or give each its own directory.`,
    );
  const lock = take(directory, log);
  if ('holder' in lock) throw refused(lock.holder);
  if (!(await listens(directory))) return () => lock.release();
  lock.release();
  throw refused('it listens to coordinator.sock');
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
