import { type Disk, type DiskFile, systemDisk } from '../store/json/disk.ts';

export const operations = [
  'open',
  'write',
  'short write',
  'sync',
  'truncate',
  'rename',
  'syncFolder',
] as const;
export type Operation = (typeof operations)[number];

export interface FaultyDisk extends Disk {
  /** From now on the operation fails with this code; with undefined everything works again. */
  fail(operation: Operation, code: 'ENOSPC' | 'EIO' | undefined): void;
  /** How often an operation has failed. */
  failures(): number;
}

/** The real disk until told otherwise. */
export const faultyDisk = (): FaultyDisk => {
  let failing: { operation: Operation; code: string } | undefined;
  let failures = 0;
  const pass = (operation: Operation): void => {
    if (failing?.operation !== operation) return;
    failures += 1;
    throw Object.assign(new Error(`${failing.code} at ${operation}`), { code: failing.code });
  };
  const faultyFile = (file: DiskFile): DiskFile => ({
    async write(bytes, position) {
      pass('write');
      if (failing?.operation !== 'short write' || bytes.length < 2) return file.write(bytes, position);
      // Half of it fits, and nothing more.
      await file.write(bytes.subarray(0, bytes.length >> 1), position);
      pass('short write');
      return 0;
    },
    async sync() {
      pass('sync');
      await file.sync();
    },
    async truncate(bytes) {
      pass('truncate');
      await file.truncate(bytes);
    },
    close: () => file.close(),
  });
  return {
    ...systemDisk,
    async open(path, keep) {
      pass('open');
      return faultyFile(await systemDisk.open(path, keep));
    },
    async rename(from, to) {
      pass('rename');
      await systemDisk.rename(from, to);
    },
    async syncFolder(path) {
      pass('syncFolder');
      await systemDisk.syncFolder(path);
    },
    fail(operation, code) {
      failing = code === undefined ? undefined : { operation, code };
    },
    failures: () => failures,
  };
};
