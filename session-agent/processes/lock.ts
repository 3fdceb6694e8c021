import { Database } from 'bun:sqlite';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../shared/log.ts';

/** Held until `release`, or until the process has gone, however it went. */
export interface Lock {
  release(): void;
}

/**
 * Makes `folder` this process's own, or says who has it. An operating system's file lock, which no crash leaves behind;
 * SQLite is the one part of Bun that takes such locks on Linux and on Windows.
 */
export const lockFolder = (folder: string, log: Log): Lock | { holder: string } => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'lock');
  const pid_file = join(folder, 'pid');
  const database = new Database(file);
  try {
    chmodSync(file, 0o600);
    database.run('PRAGMA journal_mode = MEMORY');
    database.run('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!code.startsWith('SQLITE_BUSY')) throw error;
    return { holder: `process ${readPid(pid_file)}` };
  }
  try {
    writeFileSync(pid_file, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    log.error({ error, file: pid_file }, 'this process cannot say its number to others');
  }
  return { release: () => database.close() };
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
