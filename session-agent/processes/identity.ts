import { join } from 'node:path';
import { createdAt } from './kernel32.ts';
import { isLive, readProc, statOf } from './stat.ts';

/** A process by its number and its birth: a number alone may have been given to another since. */
export interface Identity {
  pid: number;
  /** Opaque; see `bornOf`. */
  born: string;
}

const WINDOWS_POWERSHELL = ['System32', 'WindowsPowerShell', 'v1.0', 'powershell.exe'];

/** Windows PowerShell, which every Windows has, with a script that it is to run. */
export const powershell = (system_root: string | undefined, script: string): [string, ...string[]] => [
  join(system_root ?? 'C:\\Windows', ...WINDOWS_POWERSHELL),
  '-NoProfile',
  '-NonInteractive',
  '-Command',
  script,
];

/** What a program prints. */
export const outputOf = async (command: [string, ...string[]]): Promise<string> => {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore', windowsHide: true });
  return (await child.stdout.text()).trim();
};

let boot: string | undefined;

/**
 * When a live process was born, as a text that no later process with its number has; undefined when none lives. On Linux
 * the clock tick and the machine's boot, on Windows the instant of its creation.
 */
export const bornOf = async (pid: number): Promise<string | undefined> => {
  if (process.platform === 'win32') return createdAt(pid);
  const stat = statOf(pid);
  boot ??= readProc('/proc/sys/kernel/random/boot_id').trim();
  return isLive(stat) ? `${stat.ticks}@${boot}` : undefined;
};

/** Whether that very process still lives. */
export const isThere = async ({ pid, born }: Identity): Promise<boolean> => (await bornOf(pid)) === born;
