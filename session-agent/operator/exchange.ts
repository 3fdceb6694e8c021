import { createHash } from 'node:crypto';
import { createReadStream, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { z } from 'zod';
import type { Clock } from '../../shared/clock.ts';
import type { AgentCommands } from '../commands.ts';
import type { AgentStatus } from '../status.ts';
import { sleep } from '../wait.ts';
import { askHandOver, askStatus } from './control.ts';
import { alone } from './file-lock.ts';
import { oldOf } from './leftovers.ts';
import { adviceOn, Failed, type Surroundings } from './surroundings.ts';

/** The sub-command by which `update` starts the process that does this; nobody types it. */
export const exchange_command = 'exchange-release' satisfies keyof AgentCommands;

/** What that process is told. */
export const exchangeSchema = z.object({
  /** The new file: checked, and beside the executable. */
  fresh: z.string(),
  /** SHA-256 of the executable that it is to replace, in hexadecimal. */
  replaces: z.string(),
  /** The release that it says it is. */
  release: z.string(),
  state_folder: z.string(),
  /** How long the new agent may take until it is connected, in ms. */
  patience_ms: z.number(),
});
export type Exchange = z.infer<typeof exchangeSchema>;

/** The longest that one update waits for another that is under way. */
export const lock_ms = 5_000;
/** How long the old release may take at least until it is connected again. */
const back_ms = 120_000;
const poll_ms = 250;

/** Where the executable that was there before is kept. */
export const previousOf = (executable: string): string => `${executable}.previous`;
/** Where Windows keeps one that was no good: its agent still runs then. */
const rejectedOf = (executable: string): string => `${executable}.rejected`;

/** The SHA-256 of a file, in hexadecimal. */
export const digestOf = async (file: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece);
  return hash.digest('hex');
};

/**
 * Throws Failed when the executable is no longer the one that the order means: a second swap would lose the release that an
 * update before this one has kept. Only who holds the lock can rely on it.
 */
export const checkReplaced = async (
  { fresh, replaces }: Pick<Exchange, 'fresh' | 'replaces'>,
  { itself: [executable] }: Pick<Surroundings, 'itself'>,
): Promise<void> => {
  if ((await digestOf(executable)) !== replaces) {
    throw new Failed(
      `Another update was faster: ${executable} is no longer the file that this one was to replace. Nothing was changed.`,
    );
  }
  if (!existsSync(fresh)) throw new Failed(`${fresh} is gone. Nothing was changed.`);
};

/**
 * Makes room at `file`. On Windows a program that runs cannot be removed, and a session's signalling may run from it for hours; it
 * can be renamed: then a later update removes it (`clearLeftovers`).
 */
const clear = (file: string, platform: NodeJS.Platform): void => {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    if (platform !== 'win32') throw error;
    renameSync(file, oldOf(file));
  }
};

/** Puts the new file in the place of the executable and keeps that one; at no moment is there none, nor none kept. */
export const swap = (fresh: string, { itself: [executable], platform }: Surroundings): void => {
  const previous = previousOf(executable);
  if (platform !== 'win32') {
    const kept = oldOf(executable);
    rmSync(kept, { force: true });
    linkSync(executable, kept);
    renameSync(kept, previous);
    // Two names of one file already, when an update was cut off here: then renaming does nothing.
    rmSync(kept, { force: true });
    renameSync(fresh, executable);
    return;
  }
  clear(previous, platform);
  // A program that runs can be renamed there, but not replaced.
  renameSync(executable, previous);
  try {
    renameSync(fresh, executable);
  } catch (error) {
    renameSync(previous, executable);
    throw error;
  }
};

const swapBack = ({ itself: [executable], platform }: Surroundings): void => {
  if (platform === 'win32') {
    clear(rejectedOf(executable), platform);
    renameSync(executable, rejectedOf(executable));
  }
  renameSync(previousOf(executable), executable);
};

/** Waits for an agent of another process that is connected; the last that it said of itself when there is none in time. */
const connected = async (
  state_folder: string,
  { pid, release, patience_ms }: { pid: number; release: string; patience_ms: number },
  clock: Clock,
): Promise<{ good: boolean; last: AgentStatus | undefined }> => {
  const deadline = clock.monotonic() + patience_ms;
  let last: AgentStatus | undefined;
  while (clock.monotonic() < deadline) {
    const status = await askStatus(state_folder);
    if (status !== undefined && status.pid !== pid) {
      last = status;
      if (status.version === release && status.link.state === 'connected') return { good: true, last };
    }
    await sleep(clock, poll_ms);
  }
  return { good: false, last };
};

/** Starts the old program again in place of the new one that was no good, and says so. */
const rollBack = async (
  { state_folder, patience_ms }: Exchange,
  old: AgentStatus,
  rejected: AgentStatus | undefined,
  surroundings: Surroundings,
): Promise<never> => {
  const [executable] = surroundings.itself;
  swapBack(surroundings);
  const why =
    rejected === undefined
      ? 'it has not started'
      : rejected.version === old.version
        ? 'another release runs than the new one'
        : `it did not connect: ${rejected.link.detail ?? rejected.link.state}`;
  await askHandOver(state_folder);
  const back = await connected(
    state_folder,
    { pid: rejected?.pid ?? old.pid, release: old.version, patience_ms: Math.max(patience_ms, back_ms) },
    surroundings.clock,
  );
  throw new Failed(
    `The new release is no good: ${why}. ${
      back.good
        ? `Release ${old.version} runs again.`
        : `The old file is back at ${executable}, but no agent of it is connected: restart the service.`
    }`,
  );
};

/**
 * Swaps the new file in, has the running agent make room for it, and takes both back when the new one is not connected in
 * time. Runs in a process of its own session: a terminal that is closed, or a killed command, must not leave the host with
 * a release that is no good. The sentence that says how well it went; throws Failed.
 */
export const exchange = (order: Exchange, surroundings: Surroundings): Promise<string> =>
  alone(surroundings.itself[0], lock_ms, surroundings, async () => {
    const { state_folder, release, patience_ms, fresh } = order;
    const running = await askStatus(state_folder);
    if (running === undefined) throw new Failed('The agent does not answer any more. Nothing was changed.');
    try {
      await checkReplaced(order, surroundings);
      swap(fresh, surroundings);
    } catch (error) {
      if (error instanceof Failed) throw error;
      throw new Failed(`${surroundings.itself[0]} cannot be replaced: ${adviceOn(error)}`);
    } finally {
      rmSync(fresh, { force: true });
    }
    if (!(await askHandOver(state_folder))) {
      swapBack(surroundings);
      throw new Failed('The agent does not answer any more; the old file is back.');
    }
    const { good, last } = await connected(
      state_folder,
      { pid: running.pid, release, patience_ms },
      surroundings.clock,
    );
    if (!good) return rollBack(order, running, last, surroundings);
    return `Release ${release} runs and is connected. The one before is ${previousOf(surroundings.itself[0])}.`;
  });
