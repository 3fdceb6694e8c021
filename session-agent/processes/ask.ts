import type { Clock } from '../../shared/clock.ts';
import { within } from '../wait.ts';

export interface Asked {
  command: [string, ...string[]];
  environment: Record<string, string>;
  /** After so long it is killed. */
  patience_ms: number;
}

/** Runs a small program to its end and gives what it prints, or undefined when it is not there, fails or takes too long. */
export const askProgram = async (
  { command, environment, patience_ms }: Asked,
  clock: Clock,
): Promise<string | undefined> => {
  let child: Bun.Subprocess<'ignore', 'pipe', 'ignore'>;
  try {
    child = Bun.spawn(command, {
      env: environment,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'ignore',
      windowsHide: true,
      maxBuffer: 1_000_000,
    });
  } catch {
    return undefined;
  }
  const out = child.stdout.text();
  if (!(await within(clock, patience_ms, child.exited))) {
    child.kill('SIGKILL');
    return undefined;
  }
  return (await child.exited) === 0 ? out : undefined;
};
