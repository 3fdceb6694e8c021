import { statfs } from 'node:fs/promises';

/** Less is as good as nothing: the next line of a journal may just fit, and the program that it is about ends at its first output. */
const ROOM_BYTES = 256 * 1024;

/** Whether the disk, or the account's part of it, takes nothing more: it may again later. */
export const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');

/** What to say when that file cannot be written. */
export const unwritten = (file: string, error: unknown): string => {
  const words = error instanceof Error ? error.message : String(error);
  return `${isDiskFull(error) ? 'the disk is full: ' : ''}${file} cannot be written (${words})`;
};

/**
 * Resolves when a program that is started now can write what it says into these folders; rejects with the full disk's name. A
 * folder whose disk cannot be asked has room.
 */
export const roomIn = async (
  folders: readonly string[],
  look: (folder: string) => Promise<{ bavail: number; bsize: number }> = statfs,
): Promise<void> => {
  for (const folder of folders) {
    const disk = await look(folder).catch(() => undefined);
    if (disk === undefined) continue;
    const bytes = disk.bavail * disk.bsize;
    if (bytes < ROOM_BYTES)
      throw new Error(`the disk is full: ${folder} has ${Math.floor(bytes / 1024)} kB left (ENOSPC)`);
  }
};
