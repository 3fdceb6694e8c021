import type { Clock } from '../../shared/clock.ts';
import { within } from '../wait.ts';

const output_chars = 20_000;

/** How a short command ended; `undefined` as code: it had to be killed because it took too long. */
export interface Ended {
  code: number | undefined;
  out: string;
  err: string;
}

/** Runs a short command to its end, without a shell. Throws what the operating system says when it cannot be started. */
export const runCommand = async (
  command: [string, ...string[]],
  patience_ms: number,
  clock: Clock,
): Promise<Ended> => {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', windowsHide: true });
  const output = Promise.all([child.stdout.text(), child.stderr.text()]);
  const done = await within(clock, patience_ms, child.exited);
  if (!done) {
    child.kill('SIGKILL');
    await child.exited;
  }
  const [out, err] = await output;
  return {
    code: done ? (child.exitCode ?? undefined) : undefined,
    out: out.slice(0, output_chars),
    err: err.slice(0, output_chars),
  };
};
