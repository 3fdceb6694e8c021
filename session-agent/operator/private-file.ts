import { chownSync, closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';

/**
 * Writes the file as a whole or not at all, readable by its owner only. A file that is there keeps its owner, so that an
 * administrator's edit does not take it away from the service. Throws what the file system says.
 */
export const writePrivateFile = (file: string, text: string): void => {
  const before = statSync(file, { throwIfNoEntry: false });
  const fresh = `${file}.${process.pid}.new`;
  try {
    const fd = openSync(fresh, 'w', 0o600);
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (before !== undefined && process.getuid?.() === 0) chownSync(fresh, before.uid, before.gid);
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
};
