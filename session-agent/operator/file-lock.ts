import { type Lock, lockFile } from '../../shared/lock.ts';
import { sleep } from '../wait.ts';
import { adviceOn, Failed, type Surroundings } from './surroundings.ts';

const poll_ms = 50;
/** The longest that a command waits for others that change config.json. */
export const change_ms = 10_000;

/**
 * The lock beside a file that several commands may want to change; waits so long for another to let go of it, then throws
 * Failed. So it does when the folder cannot be written to.
 */
const lockBeside = async (
  file: string,
  patience_ms: number,
  { clock }: Pick<Surroundings, 'clock'>,
): Promise<Lock> => {
  const deadline = clock.monotonic() + patience_ms;
  for (;;) {
    const lock = tryLock(file);
    if (lock !== undefined) return lock;
    if (clock.monotonic() >= deadline) {
      throw new Failed(`Another command is changing ${file}. Try again when it is done.`);
    }
    await sleep(clock, poll_ms);
  }
};

const tryLock = (file: string): Lock | undefined => {
  try {
    return lockFile(`${file}.lock`);
  } catch (error) {
    throw new Failed(`${file} cannot be written: ${adviceOn(error)}`);
  }
};

/** Does it while no other command changes the file. */
export const alone = async <T>(
  file: string,
  patience_ms: number,
  surroundings: Pick<Surroundings, 'clock'>,
  run: () => T | Promise<T>,
): Promise<T> => {
  const lock = await lockBeside(file, patience_ms, surroundings);
  try {
    return await run();
  } finally {
    lock.release();
  }
};
