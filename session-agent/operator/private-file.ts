import { closeSync, fchownSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { restrict } from '../processes/acl.ts';

/**
 * Writes the file as a whole or not at all, readable by its owner only. A file that is there keeps its owner, so that an
 * administrator's edit does not take it away from the service; on Windows it keeps its rights. Throws what the file system says.
 */
export const writePrivateFile = (file: string, text: string): void => {
  const before = statSync(file, { throwIfNoEntry: false });
  const fresh = `${file}.${process.pid}.new`;
  try {
    rmSync(fresh, { force: true });
    // Never a file that is there: whoever else may write to the folder could have put a link in its place.
    const fd = openSync(fresh, 'wx', 0o600);
    if (process.platform === 'win32') restrict(fresh, before === undefined ? undefined : file);
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      if (before !== undefined && process.getuid?.() === 0) fchownSync(fd, before.uid, before.gid);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
};
