import type { Cancel, Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import { sleep, within } from '../wait.ts';
import { lookOnce, onCensus } from './census.ts';
import { type Identity, isThere } from './identity.ts';
import { findJob, makeJob } from './job.ts';
import { holdExitCode } from './kernel32.ts';
import { adoptOutput, type Output, openOutput } from './output.ts';
import { jobName, linuxTree, no_group, type Tree, windowsTree } from './tree.ts';

/** After SIGKILL only the kernel can delay the end (a driver that does not let go); then it is said. */
const KILL_MS = 5_000;
const POLL_MS = 20;
const STUCK_POLL_MS = 1_000;
/** How often an adopted program is looked at: nobody tells when another's child ends. */
const WATCH_MS = 250;

/** What a program's environment, marks and output are, whoever started it. */
export interface ProgramPlace {
  environment: Record<string, string>;
  /** The variables, part of its environment, by which every descendant can be told from other programs. */
  marks: Record<string, string>;
  output_file: string;
}

export interface ProgramOrder extends ProgramPlace {
  /** Absolute path and arguments. Never a shell. */
  command: [string, ...string[]];
  working_directory?: string;
}

/** A program that has ended by itself. */
export interface Exit {
  /** "exit code 3" or "signal SIGKILL". */
  text: string;
}

interface Parts {
  pid: number;
  exited: Promise<Exit>;
  output: Pick<Output, 'tail' | 'close'>;
  tree: Tree;
  /** Ends the regular looks at its descendants, or gives their job back to Windows. */
  letGo: Cancel;
  clock: Clock;
  log: Log;
  /** Ends the watch over an adopted program. */
  unwatch?: () => void;
}

/** A child program in a process group of its own, with its descendants and its output file. */
export class Program {
  readonly pid: number;
  /** Resolves when the program itself has ended, whoever ended it. Its descendants may live on until `stop`. */
  readonly exited: Promise<Exit>;
  readonly #parts: Parts;
  #stopping: Promise<void> | undefined;
  #gone_for_good = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.pid = parts.pid;
    this.exited = parts.exited;
  }

  /** The last output lines; empty once stopped. */
  tail(lines: number): string[] {
    return this.#parts.output.tail(lines);
  }

  /** The memory that it and all its descendants take, in bytes. */
  memory(): Promise<number> {
    return this.#parts.tree.memory();
  }

  /**
   * Ends the program and all its descendants: asks, waits up to `grace_ms`, forces. Resolves when none is left and its
   * output file is within its bound. Idempotent; a later call with no grace forces at once.
   */
  stop(grace_ms: number): Promise<void> {
    // Once all of it is gone its marks may be another's, that of the program which took its place.
    if (grace_ms === 0 && !this.#gone_for_good) this.#parts.tree.end(true);
    this.#stopping ??= this.#end(grace_ms).finally(() => {
      this.#gone_for_good = true;
      this.#parts.letGo();
      return this.#parts.output.close();
    });
    return this.#stopping;
  }

  /** Lets go of it: it runs on, and its output goes on to its file. Resolves when we have closed that. */
  release(): Promise<void> {
    this.#parts.unwatch?.();
    this.#parts.letGo();
    return this.#parts.output.close();
  }

  async #end(grace_ms: number): Promise<void> {
    const { tree, clock, log } = this.#parts;
    if (!tree.alive()) return;
    // Who cannot be asked need not be waited for.
    if (grace_ms > 0 && tree.end(false)) {
      const asked = clock.monotonic();
      await within(clock, grace_ms, this.exited);
      if (await this.#gone(grace_ms - (clock.monotonic() - asked))) return;
      log.warn({ pid: this.pid, grace_ms }, 'the program did not end when asked; it is killed');
    }
    tree.end(true);
    if (await this.#gone(KILL_MS)) return;
    log.error({ pid: this.pid }, 'the program cannot be killed; its seat stays taken until it is gone');
    while (tree.alive()) {
      tree.end(true);
      await sleep(clock, STUCK_POLL_MS);
    }
  }

  async #gone(patience_ms: number): Promise<boolean> {
    const { tree, clock } = this.#parts;
    const deadline = clock.monotonic() + patience_ms;
    while (tree.alive()) {
      if (clock.monotonic() >= deadline) return false;
      await sleep(clock, POLL_MS);
    }
    return true;
  }
}

/** An exit code as people look it up: what Windows ends a program for is known by its hexadecimal digits, 0xC0000005 for one. */
export const exitWord = (code: number): string =>
  code < 0x80_00_00_00 ? String(code) : `0x${code.toString(16).toUpperCase()}`;

/** Starts a program. Throws what the operating system says when the file cannot be run. */
export const startProgram = (order: ProgramOrder, clock: Clock, log: Log): Program => {
  const output = openOutput(order.output_file, clock, log);
  try {
    const child = Bun.spawn(order.command, {
      env: { ...order.environment, ...order.marks },
      ...(order.working_directory === undefined ? {} : { cwd: order.working_directory }),
      stdin: 'ignore',
      stdout: output.fd,
      stderr: output.fd,
      detached: true,
      windowsHide: true,
    });
    const whole = process.platform === 'win32' ? holdExitCode(child.pid) : () => undefined;
    const exited = child.exited.then((code) => {
      const all = whole() ?? code;
      return {
        text: child.signalCode === null ? `exit code ${exitWord(all)}` : `signal ${child.signalCode}`,
      };
    });
    return new Program({
      pid: child.pid,
      exited,
      output,
      ...treeOf(child.pid, false, order, clock, log),
      clock,
      log,
    });
  } catch (error) {
    void output.close();
    throw error;
  }
};

/**
 * Takes over a program that an agent before this one started; one that has ended since comes as ended, with whatever it
 * left behind. `known`: undefined when not even its number is known.
 */
export const adoptProgram = async (
  known: Identity | undefined,
  place: ProgramPlace,
  clock: Clock,
  log: Log,
): Promise<Program> => {
  const there = known !== undefined && (await isThere(known));
  // The number of one that has ended may be another's by now: then only marks count.
  const pid = there ? known.pid : no_group;
  const watch = { on: true };
  return new Program({
    pid,
    exited: there
      ? untilGone(known, watch, clock)
      : Promise.resolve({ text: 'it ended while the agent was away' }),
    unwatch: () => {
      watch.on = false;
    },
    output: adoptOutput(place.output_file, clock, log),
    ...treeOf(pid, true, place, clock, log),
    clock,
    log,
  });
};

const untilGone = async (known: Identity, watch: { on: boolean }, clock: Clock): Promise<Exit> => {
  while (await isThere(known)) {
    await sleep(clock, WATCH_MS);
    if (!watch.on) return new Promise(() => {});
  }
  return { text: 'ended; an agent before this one started it, so its exit code is not known' };
};

/** Its tree. On Linux its descendants are looked at from now on, and remembered. */
const treeOf = (
  pid: number,
  adopted: boolean,
  { marks }: ProgramPlace,
  clock: Clock,
  log: Log,
): Pick<Parts, 'tree' | 'letGo'> => {
  if (process.platform !== 'win32') {
    const tree = linuxTree(
      pid,
      Object.entries(marks).map(([name, value]) => `${name}=${value}`),
    );
    // Of one that is adopted there may be descendants already, whose parents end before the first regular look.
    if (adopted) lookOnce([tree.look], log);
    return { tree, letGo: onCensus(clock, log, tree.look) };
  }
  const name = jobName(marks.VITRINA_INSTANCE ?? '', marks.VITRINA_ROLE ?? '');
  const job = adopted ? findJob(name) : makeJob(name, pid);
  if (job === undefined && !adopted)
    log.warn({ pid }, 'Windows gives no job; what the program starts cannot be ended with it');
  return { tree: windowsTree(pid, job), letGo: () => job?.close() };
};
