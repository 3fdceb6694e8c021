import { join } from 'node:path';
import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import { sleep, within } from '../wait.ts';
import { type Output, openOutput } from './output.ts';
import { linuxTree, type Tree, windowsTree } from './tree.ts';

/** After SIGKILL only the kernel can delay the end (a driver that does not let go); then it is said. */
const KILL_MS = 5_000;
const POLL_MS = 20;
const STUCK_POLL_MS = 1_000;

export interface ProgramOrder {
  /** Absolute path and arguments. Never a shell. */
  command: [string, ...string[]];
  environment: Record<string, string>;
  /** The variables, part of `environment`, by which every descendant can be told from other programs. */
  marks: Record<string, string>;
  working_directory?: string;
  output_file: string;
}

/** A program that has ended by itself. */
export interface Exit {
  /** "exit code 3" or "signal SIGKILL". */
  text: string;
}

/** A child program in a process group of its own, with its descendants and its output file. */
export class Program {
  readonly pid: number;
  /** Resolves when the program itself has ended, whoever ended it. Its descendants may live on until `stop`. */
  readonly exited: Promise<Exit>;
  readonly #output: Output;
  readonly #tree: Tree;
  readonly #clock: Clock;
  readonly #log: Log;
  #stopping: Promise<void> | undefined;

  /** Starts it. Throws what the operating system says when the file cannot be run. */
  constructor(order: ProgramOrder, clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#output = openOutput(order.output_file, clock, log);
    try {
      const child = Bun.spawn(order.command, {
        env: { ...order.environment, ...order.marks },
        ...(order.working_directory === undefined ? {} : { cwd: order.working_directory }),
        stdin: 'ignore',
        stdout: this.#output.fd,
        stderr: this.#output.fd,
        detached: true,
        windowsHide: true,
      });
      this.pid = child.pid;
      this.exited = child.exited.then((code) => ({
        text: child.signalCode === null ? `exit code ${code}` : `signal ${child.signalCode}`,
      }));
    } catch (error) {
      this.#output.close();
      throw error;
    }
    this.#tree = treeOf(this.pid, order);
  }

  /** The last output lines; empty once stopped. */
  tail(lines: number): string[] {
    return this.#output.tail(lines);
  }

  /**
   * Ends the program and all its descendants: asks, waits up to `grace_ms`, forces. Resolves when none is left. Idempotent; a
   * later call with no grace forces at once.
   */
  stop(grace_ms: number): Promise<void> {
    if (grace_ms === 0) this.#tree.end(true);
    this.#stopping ??= this.#end(grace_ms).finally(() => this.#output.close());
    return this.#stopping;
  }

  async #end(grace_ms: number): Promise<void> {
    if (!this.#tree.alive()) return;
    if (grace_ms > 0) {
      this.#tree.end(false);
      const asked = this.#clock.monotonic();
      await within(this.#clock, grace_ms, this.exited);
      if (await this.#gone(grace_ms - (this.#clock.monotonic() - asked))) return;
      this.#log.warn({ pid: this.pid, grace_ms }, 'the program did not end when asked; it is killed');
    }
    this.#tree.end(true);
    if (await this.#gone(KILL_MS)) return;
    this.#log.error({ pid: this.pid }, 'the program cannot be killed; its seat stays taken until it is gone');
    while (this.#tree.alive()) {
      this.#tree.end(true);
      await sleep(this.#clock, STUCK_POLL_MS);
    }
  }

  async #gone(patience_ms: number): Promise<boolean> {
    const deadline = this.#clock.monotonic() + patience_ms;
    while (this.#tree.alive()) {
      if (this.#clock.monotonic() >= deadline) return false;
      await sleep(this.#clock, POLL_MS);
    }
    return true;
  }
}

const treeOf = (pid: number, { environment, marks }: ProgramOrder): Tree => {
  if (process.platform !== 'win32') {
    return linuxTree(
      pid,
      Object.entries(marks).map(([name, value]) => `${name}=${value}`),
    );
  }
  const taskkill = join(environment.SystemRoot ?? 'C:\\Windows', 'System32', 'taskkill.exe');
  return windowsTree(pid, taskkill, (command) => {
    Bun.spawn(command, { stdio: ['ignore', 'ignore', 'ignore'], windowsHide: true });
  });
};
