import {
  closeSync,
  fstatSync,
  ftruncate,
  lstatSync,
  mkdirSync,
  openSync,
  read,
  readdirSync,
  readSync,
  rmSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Cancel, Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';

/** The last so much of a file that is longer becomes `<file>.1`, and the file starts anew. */
const OUTPUT_BYTES = 8 * 1024 * 1024;
const CHECK_MS = 250;
/** Whoever has written that much between two looks may go on like that: then it is looked at more often. */
const FLOOD_CHECK_MS = 25;
const TAIL_BYTES = 4 * 1024;
/** Output of an instance, whose id it carries; nothing else in the folder is ours to delete. */
const OWN_OUTPUT = /^[A-Za-z0-9_-]{22}-(app|signalling|instance)\.log(\.1)?$/;

/** The file that takes a program's standard output and error. */
export interface Output {
  readonly fd: number;
  /** The last lines, at most so many. */
  tail(lines: number): string[];
  /** Resolves once the file is within its bound and closed. Idempotent. */
  close(): Promise<void>;
}

const readAt = promisify(read);
const truncate = promisify(ftruncate);

/**
 * The child holds the file open: its end is copied and the file emptied, not renamed. However long it has become, no more than
 * that end is read, and not on the thread that serves the sessions. A full disk costs the copy, not the bound.
 */
const roll = async (file: string, fd: number, size: number, log: Log): Promise<void> => {
  try {
    const end = Buffer.allocUnsafe(OUTPUT_BYTES);
    const { bytesRead } = await readAt(fd, end, 0, OUTPUT_BYTES, size - OUTPUT_BYTES);
    await writeFile(`${file}.1`, end.subarray(0, bytesRead), { mode: 0o640 });
  } catch (error) {
    log.warn({ error, file }, 'older output is dropped');
  }
  await truncate(fd, 0);
};

/**
 * Opens (appends to) `file`. The child writes to it directly: nothing is copied through the agent, and a child does not
 * notice when the agent goes away. Throws when the file cannot be opened.
 */
export const openOutput = (file: string, clock: Clock, log: Log): Output => {
  mkdirSync(dirname(file), { recursive: true });
  const fd = openSync(file, 'a+', 0o640);
  let cancel: Cancel = () => {};
  let rolling: Promise<void> | undefined;
  let closed: Promise<void> | undefined;
  /** Rolls a file that is too long; undefined when it is not. Never rejects. */
  const bound = (): Promise<void> | undefined => {
    const { size } = fstatSync(fd);
    if (size <= OUTPUT_BYTES) return undefined;
    return roll(file, fd, size, log).catch((error: unknown) =>
      log.error({ error, file }, 'the output file cannot be kept within its bound'),
    );
  };
  const look = () => {
    rolling = bound();
    if (rolling === undefined) cancel = clock.after(CHECK_MS, look);
    else
      void rolling.then(() => {
        if (closed === undefined) cancel = clock.after(FLOOD_CHECK_MS, look);
      });
  };
  look();
  /** What was written since the last look counts too; one roll, for who was let go of may write for ever. */
  const finish = async () => {
    await rolling;
    await bound();
    closeSync(fd);
  };
  return {
    fd,
    tail(lines) {
      if (closed !== undefined) return [];
      const { size } = fstatSync(fd);
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
      const length = readSync(fd, bytes, 0, bytes.length, size - bytes.length);
      const text = bytes.toString('utf8', 0, length).trimEnd();
      return text === '' ? [] : text.split(/\r?\n/).slice(-lines);
    },
    close() {
      cancel();
      closed ??= finish();
      return closed;
    },
  };
};

/** The same for a program that writes already: a file that cannot be opened any more costs its last words, not the program. */
export const adoptOutput = (file: string, clock: Clock, log: Log): Pick<Output, 'tail' | 'close'> => {
  try {
    return openOutput(file, clock, log);
  } catch (error) {
    log.error({ error, file }, 'the output file cannot be opened; its bound does not hold');
    return { tail: () => [], close: async () => {} };
  }
};

/** When the entry was changed, or undefined when it has just gone or is no file of its own, a link for example. */
const changedAt = (file: string): number | undefined => {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  return stat?.isFile() ? stat.mtimeMs : undefined;
};

/** Deletes the oldest output files but the last `keep`. A folder that is not there yet is made; throws when it cannot be. */
export const pruneOutputs = (folder: string, keep: number, log: Log): void => {
  mkdirSync(folder, { recursive: true });
  const files = readdirSync(folder)
    .filter((name) => OWN_OUTPUT.test(name))
    .flatMap((name) => {
      const file = join(folder, name);
      const changed = changedAt(file);
      return changed === undefined ? [] : [{ file, changed }];
    })
    .sort((a, b) => b.changed - a.changed);
  for (const { file } of files.slice(keep)) {
    try {
      rmSync(file, { force: true });
    } catch (error) {
      log.warn({ error, file }, 'an old output file cannot be deleted');
    }
  }
};
