import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { bornOf } from '../processes/identity.ts';
import { type Surroundings, wordsOf } from './surroundings.ts';

/** Whoever was cut off from its update has had time to read how that ended. */
const outcome_ms = 24 * 3_600_000;

/** Where the new file is kept until it is swapped in. */
export const freshOf = (executable: string, platform: NodeJS.Platform): string =>
  // Windows runs nothing of another ending.
  `${executable}.${process.pid}.new${platform === 'win32' ? '.exe' : ''}`;

/** Where the process that swaps says how it ended. Of this command alone: another one may wait for its own at the same time. */
export const outcomeOf = (executable: string): string => `${executable}.${process.pid}.update`;

/** Where a file is moved that may still run. */
export const oldOf = (file: string): string => `${file}.${process.pid}.old`;

/** Whether it is what an update whose process has gone has left behind: its new file, an old one, or an outcome that nobody has waited for. */
const isLeft = async (file: string, name: string, now: number): Promise<boolean> => {
  const [, pid, kind] = /^(?:\.previous|\.rejected)?\.(\d+)\.(new|old|update)(?:\.exe)?$/.exec(name) ?? [];
  if (pid === undefined || (await bornOf(Number(pid))) !== undefined) return false;
  const changed_at = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? now;
  return kind !== 'update' || now - changed_at > outcome_ms;
};

/** Removes what killed updates have left beside the executable. What cannot be removed is told and stays. */
export const clearLeftovers = async (
  executable: string,
  { clock, complain }: Pick<Surroundings, 'clock' | 'complain'>,
): Promise<void> => {
  const folder = dirname(executable);
  const own = basename(executable);
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(own)) continue;
    const file = join(folder, name);
    if (!(await isLeft(file, name.slice(own.length), clock.now()))) continue;
    try {
      rmSync(file, { force: true });
    } catch (error) {
      // A session runs from it, and will have ended before some later update.
      if (name.endsWith('.old')) continue;
      complain(`${file} is left over from another update: ${wordsOf(error)}`);
    }
  }
};
