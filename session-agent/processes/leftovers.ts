import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import { sleep } from '../wait.ts';
import { linuxTree } from './tree.ts';

const PATIENCE_MS = 5_000;
const POLL_MS = 50;
/** No process group has this number: only marks count. */
const NO_GROUP = -1;

/**
 * Kills what an agent left behind that was killed itself: every process that carries `mark` ("NAME=value"). To be called
 * before anything of our own carries it. On Windows the environment of others cannot be read; nothing is done.
 */
export const endLeftovers = async (mark: string, clock: Clock, log: Log): Promise<void> => {
  if (process.platform === 'win32') return;
  const tree = linuxTree(NO_GROUP, [mark]);
  if (!tree.alive()) return;
  log.warn({ mark }, 'processes of an agent that was killed are still here: they are ended');
  const deadline = clock.monotonic() + PATIENCE_MS;
  while (tree.alive()) {
    tree.end(true);
    if (clock.monotonic() > deadline) return log.error({ mark }, 'some of them cannot be killed');
    await sleep(clock, POLL_MS);
  }
};
