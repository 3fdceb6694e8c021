import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';

/** One JSON line of a program's log. */
export type LogLine = Record<string, unknown> & { msg?: string };

/** A program that runs beside us: its pid, its log so far, and ways to wait for it and to end it. */
export interface Program {
  pid: number;
  lines: LogLine[];
  /** The first line, past or future, that fits. Rejects when the program ends first or nothing comes in a minute. */
  line(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** Exit code, or the signal that ended it. */
  exited: Promise<number | string>;
  /** SIGTERM, and SIGKILL after 30 s. Idempotent. */
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

const PATIENCE_MS = 60_000;
/** An agent gives each app its own grace (5 s), then kills it and its signalling server. */
const GRACE_MS = 30_000;

interface Waiter {
  fits(line: LogLine): boolean;
  resolve(line: LogLine): void;
  reject(error: Error): void;
}

const parseLine = (text: string): LogLine => {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { msg: text };
  }
};

const exitOf = (child: ChildProcess) =>
  new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    child.once('error', (error) => resolve(error.message));
  });

/**
 * Spawns a program in a process group of its own, so that Ctrl-C in the terminal reaches only us and we stop it in
 * order. Its output goes line by line to `log`; what it writes to standard error is shown to the person, too.
 */
export const startProgram = (
  [file = '', ...args]: string[],
  { log, environment }: { log: Writable; environment: Record<string, string | undefined> },
): Program => {
  const child = spawn(file, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: environment });
  const lines: LogLine[] = [];
  const waiters = new Set<Waiter>();
  const errorText: string[] = [];
  let ended = false;

  createInterface({ input: child.stdout }).on('line', (text) => {
    log.write(`${text}\n`);
    const line = parseLine(text);
    lines.push(line);
    for (const waiter of waiters) if (waiter.fits(line)) waiter.resolve(line);
  });
  createInterface({ input: child.stderr }).on('line', (text) => {
    log.write(`${text}\n`);
    errorText.push(text);
    process.stderr.write(`${text}\n`);
  });
  const exited = exitOf(child).then((exit) => {
    ended = true;
    log.end();
    for (const waiter of waiters)
      waiter.reject(new Error(`${file} ended (${exit})\n${errorText.join('\n')}`));
    return exit;
  });
  const kill = (signal: NodeJS.Signals) => {
    if (!ended) child.kill(signal);
  };

  return {
    pid: child.pid ?? 0,
    lines,
    exited,
    kill,
    line: (fits) => {
      const past = lines.find(fits);
      if (past !== undefined) return Promise.resolve(past);
      return new Promise((resolve, reject) => {
        const settle = () => {
          clearTimeout(timer);
          waiters.delete(waiter);
        };
        const waiter: Waiter = {
          fits,
          resolve: (line) => {
            settle();
            resolve(line);
          },
          reject: (error) => {
            settle();
            reject(error);
          },
        };
        const timer = setTimeout(() => {
          const last = lines.slice(-5).map((line) => JSON.stringify(line));
          waiter.reject(
            new Error(`${file} did not say it within ${PATIENCE_MS} ms; last lines:\n${last.join('\n')}`),
          );
        }, PATIENCE_MS);
        waiters.add(waiter);
        if (ended) waiter.reject(new Error(`${file} has ended\n${errorText.join('\n')}`));
      });
    },
    stop: async () => {
      kill('SIGTERM');
      const force = setTimeout(() => kill('SIGKILL'), GRACE_MS);
      await exited;
      clearTimeout(force);
    },
  };
};
