import { dlopen, FFIType } from 'bun:ffi';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { Unusable } from '../database.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;

const libraries: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libc.so.6',
  darwin: 'libSystem.B.dylib',
};

/** flock(2). The kernel gives the lock back when the process ends in any way: no lock is ever stale. */
const flock = (descriptor: number): boolean => {
  const library = libraries[process.platform];
  if (library === undefined) throw new Unusable('The JSON files need Linux or macOS. Use MySQL here.');
  const { symbols, close } = dlopen(library, {
    flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  });
  try {
    return symbols.flock(descriptor, LOCK_EX | LOCK_NB) === 0;
  } finally {
    close();
  }
};

const openLock = (path: string): number => {
  try {
    return openSync(path, 'a+', 0o600);
  } catch (error) {
    throw new Unusable(
      `Cannot write to the data directory: ${error instanceof Error ? error.message : path}`,
    );
  }
};

/** Keeps other coordinators off the folder until the function returned is called. Throws Unusable when one is there. */
export const lockFolder = (path: string): (() => void) => {
  // Opened for appending, so that the file of a running coordinator keeps its number.
  const descriptor = openLock(path);
  if (!flock(descriptor)) {
    const owner = readFileSync(path, 'utf8').trim();
    closeSync(descriptor);
    throw new Unusable(
      `Another coordinator (process ${owner}) uses this data directory. Stop it, or give each its own directory.`,
    );
  }
  ftruncateSync(descriptor);
  writeSync(descriptor, `${process.pid}\n`);
  let held = true;
  return () => {
    if (held) closeSync(descriptor);
    held = false;
  };
};
