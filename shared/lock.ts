import { Database } from 'bun:sqlite';
import {
  closeSync,
  constants,
  fchownSync,
  lstatSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from './log.ts';

/** Held until `release`, or until the process has gone, however it went. */
export interface Lock {
  release(): void;
}

/** Makes the file that a lock is on, for whoever the folder belongs to, unless it is there. Never follows a link. */
const makeFile = (file: string): void => {
  try {
    const fd = openSync(file, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
    try {
      const { uid, gid } = statSync(dirname(file));
      if (process.getuid?.() === 0) fchownSync(fd, uid, gid);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    if (!lstatSync(file).isFile()) throw new Error(`${file} is not a plain file`, { cause: error });
  }
};

/**
 * Locks a file that is there for that alone; undefined when another has it. An operating system's file lock, which no crash
 * leaves behind; SQLite is the one part of Bun that takes such locks on Linux and on Windows. Throws when there can be none.
 */
export const lockFile = (file: string): Lock | undefined => {
  makeFile(file);
  const database = new Database(file, { readwrite: true, create: false });
  try {
    database.run('PRAGMA journal_mode = MEMORY');
    database.run('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!code.startsWith('SQLITE_BUSY')) throw error;
    return undefined;
  }
  return { release: () => database.close() };
};

/** Makes a folder that is there this process's own, or says who has it. Throws when it cannot be written to. */
export const lockFolder = (folder: string, log: Log): Lock | { holder: string } => {
  const pid_file = join(folder, 'pid');
  const lock = lockFile(join(folder, 'lock'));
  if (lock === undefined) return { holder: `process ${readPid(pid_file)}` };
  try {
    writeFileSync(pid_file, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    log.error({ error, file: pid_file }, 'this process cannot say its number to others');
  }
  return lock;
};

const readPid = (file: string): string => {
  try {
    const said = readFileSync(file, 'utf8').trim();
    if (said !== '') return said;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  return 'that has not said its number';
};
