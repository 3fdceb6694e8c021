import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../shared/log.ts';
import { pictureNameSchema } from '../../shared/protocol/catalogue.ts';
import { Unavailable } from '../store/database.ts';
import { type Disk, isFull, writeNew } from '../store/json/disk.ts';

/** The pictures of a data directory. The names of those that are stored are checked by whoever calls. */
export interface Pictures {
  /** A picture by its file name, or undefined when it is not there. */
  read(name: string): Promise<Blob | undefined>;
  /** Stores a picture for good, all of it or nothing. Rejects with Unavailable when the disk is full. */
  save(name: string, bytes: Uint8Array): Promise<void>;
  /** Removes a picture, if there is one. */
  remove(name: string): Promise<void>;
}

export const openPictures = (directory: string, disk: Disk, log: Log): Pictures => {
  const folder = join(directory, 'pictures');
  return {
    async read(name) {
      if (!pictureNameSchema.safeParse(name).success) return undefined;
      const file = Bun.file(join(folder, name));
      if (await file.exists()) return file;
      log.warn({ picture: name }, 'the picture is not in pictures/');
      return undefined;
    },
    async save(name, bytes) {
      const path = join(folder, name);
      // No name of a picture ends so.
      const unfinished = `${path}.new`;
      try {
        await mkdir(folder, { recursive: true });
        await writeNew(disk, unfinished, [bytes]);
        await disk.rename(unfinished, path);
        await disk.syncFolder(folder);
      } catch (error) {
        await disk.remove(unfinished);
        throw isFull(error) ? new Unavailable('storage_full', 'a picture cannot be stored', error) : error;
      }
    },
    remove: (name) => disk.remove(join(folder, name)),
  };
};
