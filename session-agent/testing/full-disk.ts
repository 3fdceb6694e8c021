import { open } from 'node:fs/promises';
import type { OpenFile } from '../journal.ts';

/** The real files of a journal; while `full`, none is made anew and a line fits by half, as on a disk without room. */
export interface FullDisk {
  full: boolean;
  openFile: OpenFile;
}

const noSpace = (what: string): Error =>
  Object.assign(new Error(`ENOSPC: no space left on device, ${what}`), { code: 'ENOSPC' });

export const fullDisk = (): FullDisk => {
  const disk: FullDisk = {
    full: false,
    openFile: async (path, flags, mode) => {
      if (disk.full && path.endsWith('.new')) throw noSpace(`open '${path}'`);
      const file = await open(path, flags, mode);
      const append = file.appendFile.bind(file);
      file.appendFile = async (text, options) => {
        if (!disk.full) return append(text, options);
        await append(String(text).slice(0, 20), options);
        throw noSpace('write');
      };
      return file;
    },
  };
  return disk;
};
