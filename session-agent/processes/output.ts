import {
  closeSync,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';

/** A file beyond this becomes `<file>.1` and starts anew; checked every two seconds. */
const OUTPUT_BYTES = 8 * 1024 * 1024;
const CHECK_MS = 2_000;
const TAIL_BYTES = 4 * 1024;

/** The file that takes a program's standard output and error. */
export interface Output {
  readonly fd: number;
  /** The last lines, at most so many. */
  tail(lines: number): string[];
  close(): void;
}

/** The child holds the file open: it is copied and emptied, not renamed. A full disk costs the copy, not the bound. */
const roll = (file: string, fd: number, log: Log) => {
  try {
    copyFileSync(file, `${file}.1`);
  } catch (error) {
    log.warn({ error, file }, 'older output is dropped');
  }
  ftruncateSync(fd, 0);
};

/**
 * Opens (appends to) `file`. The child writes to it directly: nothing is copied through the agent, and a child does not
 * notice when the agent goes away.
 */
export const openOutput = (file: string, clock: Clock, log: Log): Output => {
  mkdirSync(dirname(file), { recursive: true });
  const fd = openSync(file, 'a+', 0o640);
  const cancel = clock.every(CHECK_MS, () => {
    try {
      if (fstatSync(fd).size > OUTPUT_BYTES) roll(file, fd, log);
    } catch (error) {
      log.error({ error, file }, 'the output file cannot be kept within its bound');
    }
  });
  let open = true;
  return {
    fd,
    tail(lines) {
      if (!open) return [];
      const { size } = fstatSync(fd);
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
      const read = readSync(fd, bytes, 0, bytes.length, size - bytes.length);
      const text = bytes.toString('utf8', 0, read).trimEnd();
      return text === '' ? [] : text.split(/\r?\n/).slice(-lines);
    },
    close() {
      if (!open) return;
      open = false;
      cancel();
      closeSync(fd);
    },
  };
};

/** Deletes the oldest output files but the last `keep`. A folder that is not there yet is made. */
export const pruneOutputs = (folder: string, keep: number): void => {
  mkdirSync(folder, { recursive: true });
  const files = readdirSync(folder)
    .filter((name) => /\.log(\.1)?$/.test(name))
    .map((name) => ({ file: join(folder, name), changed: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.changed - a.changed);
  for (const { file } of files.slice(keep)) rmSync(file, { force: true });
};
