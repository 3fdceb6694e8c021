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

/** A file beyond this becomes `<file>.1` and starts anew; checked every two seconds. */
const OUTPUT_BYTES = 8 * 1024 * 1024;
const CHECK_MS = 2_000;
const TAIL_BYTES = 4 * 1024;
/** Files of sessions gone by that are kept; the oldest go first. */
const KEPT_FILES = 400;

/** The file that takes a program's standard output and error. */
export interface Output {
  readonly fd: number;
  /** The last lines, at most so many. */
  tail(lines: number): string[];
  close(): void;
}

/**
 * Opens (appends to) `file`. The child writes to it directly: nothing is copied through the agent, and a child does not
 * notice when the agent goes away.
 */
export const openOutput = (file: string, clock: Clock): Output => {
  mkdirSync(dirname(file), { recursive: true });
  const fd = openSync(file, 'a+', 0o640);
  const cancel = clock.every(CHECK_MS, () => {
    if (fstatSync(fd).size <= OUTPUT_BYTES) return;
    copyFileSync(file, `${file}.1`);
    ftruncateSync(fd, 0);
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

/** Deletes the oldest output files so that the folder stays bounded. A folder that is not there yet is fine. */
export const pruneOutputs = (folder: string): void => {
  mkdirSync(folder, { recursive: true });
  const files = readdirSync(folder)
    .filter((name) => /\.log(\.1)?$/.test(name))
    .map((name) => ({ file: join(folder, name), changed: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.changed - a.changed);
  for (const { file } of files.slice(KEPT_FILES)) rmSync(file, { force: true });
};
