import { readdirSync, readFileSync } from 'node:fs';

/** A file of /proc, or nothing when the process has gone or is not ours to read. */
export const readProc = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

/** What /proc/<pid>/stat says. */
export interface Stat {
  state: string;
  parent: number;
  group: number;
  /** When it was born, in clock ticks since the machine was started. */
  ticks: string;
}

/** The name before the fields may hold anything, brackets too. */
export const statOf = (pid: number): Stat | undefined => {
  const stat = readProc(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  const ticks = fields[19];
  if (state === undefined || parent === undefined || group === undefined || ticks === undefined)
    return undefined;
  return { state, parent: Number(parent), group: Number(group), ticks };
};

/** Zombies do not count: they hold nothing. */
export const isLive = (stat: Stat | undefined): stat is Stat =>
  stat !== undefined && stat.state !== 'Z' && stat.state !== 'X';

export const environmentOf = (pid: number): string[] => readProc(`/proc/${pid}/environ`).split('\0');

export const allPids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
