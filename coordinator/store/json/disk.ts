import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';

/** What the JSON database asks of the file system. Tests pass one that fails. */
export interface Disk {
  /** Text of a file; undefined when there is none. */
  read(path: string): Promise<string | undefined>;
  /** A file to write to: emptied first, or with its content kept. Only its owner may read it. */
  open(path: string, keep: boolean): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes names that were given or taken in the folder last. */
  syncFolder(path: string): Promise<void>;
}

export interface DiskFile {
  /** Writes at the position and says how many bytes it managed. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

const file_mode = 0o600;

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** Whether the disk, a quota or a file size limit is full. */
export const isFull = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT', 'EFBIG'].some((code) => code === codeOf(error));

/** Whether there is no file of that name. */
export const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT';

const diskFile = (handle: FileHandle): DiskFile => ({
  write: async (bytes, position) => (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
  sync: () => handle.sync(),
  truncate: (bytes) => handle.truncate(bytes),
  close: () => handle.close(),
});

export const systemDisk: Disk = {
  read: async (path) => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },
  open: async (path, keep) => diskFile(await open(path, keep ? 'r+' : 'w', file_mode)),
  rename,
  remove: (path) => rm(path, { force: true }),
  syncFolder: async (path) => {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};

/** Writes all of it. Throws what the file system says, or that it took only a part. */
export const writeAll = async (file: DiskFile, bytes: Uint8Array, position: number): Promise<void> => {
  for (let done = 0; done < bytes.length; ) {
    const written = await file.write(bytes.subarray(done), position + done);
    if (written <= 0) throw Object.assign(new Error('the file system wrote nothing'), { code: 'ENOSPC' });
    done += written;
  }
};

/** Writes a whole file and waits until it is on the disk. */
export const writeNew = async (disk: Disk, path: string, pieces: Iterable<Uint8Array>): Promise<void> => {
  const file = await disk.open(path, false);
  try {
    let position = 0;
    for (const piece of pieces) {
      await writeAll(file, piece, position);
      position += piece.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
};
