import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** The path inside the folder that a URL path names; undefined when it is not valid. */
const relativePath = (pathname: string): string | undefined => {
  try {
    const path = decodeURIComponent(pathname);
    return path.includes('\0') || path.includes('\\') ? undefined : path;
  } catch {
    return undefined;
  }
};

/**
 * The file that a URL path names, if it is inside the folder: links and `..` that lead out of it lead to nothing, and
 * neither folders nor hidden files are given out.
 */
export const staticFile = async (root: string, pathname: string): Promise<Bun.BunFile | undefined> => {
  const path = relativePath(pathname);
  if (path === undefined || path.split('/').some((part) => part.startsWith('.'))) return undefined;
  try {
    const folder = await realpath(root);
    const found = await realpath(join(folder, path));
    const file = Bun.file(found);
    return found.startsWith(folder + sep) && (await file.stat()).isFile() ? file : undefined;
  } catch {
    // There is no such file.
    return undefined;
  }
};
