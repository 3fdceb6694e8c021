import type { Clock } from '../../shared/clock.ts';

/** What a command knows of the world it runs in; main.ts gives the real one. */
export interface Surroundings {
  /** This program's release. */
  version: string;
  platform: NodeJS.Platform;
  environment: Readonly<Record<string, string | undefined>>;
  /** The command words that start this program: the executable alone when it is compiled. */
  itself: [string, ...string[]];
  clock: Clock;
  /** A line on standard output, and on standard error. */
  say(text: string): void;
  complain(text: string): void;
  /** Calls back once when the command is told to end, by Ctrl-C or SIGTERM, which ends it no longer. The function returned stops that. */
  interrupted(end: () => void): () => void;
}

/** The surroundings with a terminal: what `monit` and `logs --follow` need besides. */
export interface Terminal extends Surroundings {
  write(text: string): void;
  size(): { columns: number; rows: number };
  /** Calls back with each key that is typed, and once when the command is to end. The function returned stops that. */
  keys(pressed: (key: string) => void): () => void;
}

/** A failure that its sentence explains: a command says it and exits with 1. */
export class Failed extends Error {
  override readonly name = 'Failed';
}

const advices: readonly [codes: RegExp, advice: string][] = [
  [/^(EACCES|EPERM|SQLITE_(CANTOPEN|READONLY|PERM))/, ' Run this as administrator.'],
  [/^(ENOSPC|EDQUOT|SQLITE_FULL)/, ' The disk is full: free space on it.'],
];

/** What an error of the file system says, as a sentence, and what to do about it where that is known. */
export const adviceOn = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return `${wordsOf(error)}.${advices.find(([codes]) => codes.test(code))?.[1] ?? ''}`;
};

/** What an error says. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
