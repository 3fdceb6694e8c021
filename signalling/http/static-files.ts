import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** The file of a folder that stands for it. */
const index = 'index.html';

/** The path inside the folder that a URL path names; undefined when it is not valid. */
const relativePath = (pathname: string): string | undefined => {
  try {
    const path = decodeURIComponent(pathname);
    return path.includes('\0') || path.includes('\\') ? undefined : path;
  } catch {
    return undefined;
  }
};

/** Hidden files are not given out, but for what a site shows at `/.well-known/` (RFC 8615). */
const isHidden = (path: string): boolean => {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.some((part, at) => part.startsWith('.') && !(at === 0 && part === '.well-known'));
};

type Found = { file: string; stats: Stats } | { folder: string };

/** What is there inside the root: links and `..` that lead out of it lead to nothing. */
const lookUp = async (root: string, path: string): Promise<Found | undefined> => {
  try {
    const top = await realpath(root);
    const found = await realpath(join(top, path));
    if (found !== top && !found.startsWith(top + sep)) return undefined;
    const stats = await stat(found);
    if (stats.isDirectory()) return { folder: path };
    return stats.isFile() ? { file: found, stats } : undefined;
  } catch {
    // There is no such file.
    return undefined;
  }
};

/** Changes with the file. Weak, as two changes within the clock's grain may share it. */
const etagOf = ({ size, mtimeMs }: Stats): string => `W/"${size.toString(16)}-${mtimeMs.toString(16)}"`;

const isUnchanged = (request: Request, etag: string): boolean => {
  const known = request.headers.get('if-none-match');
  const plain = (tag: string) => tag.trim().replace(/^W\//, '');
  return known?.split(',').some((tag) => tag.trim() === '*' || plain(tag) === plain(etag)) ?? false;
};

/** The answer with a file; without its content when the caller has it. Browsers are to ask each time. */
const fileAnswer = (request: Request, file: string, stats: Stats): Response => {
  const etag = etagOf(stats);
  const headers = { etag, 'last-modified': stats.mtime.toUTCString(), 'cache-control': 'no-cache' };
  return isUnchanged(request, etag)
    ? new Response(null, { status: 304, headers })
    : new Response(Bun.file(file), { headers });
};

/**
 * The answer to a URL path with what is in the folder: a file, of a folder its index file, or the way to the folder's own
 * address, which ends with a slash. Undefined when there is nothing to give out.
 */
export const staticAnswer = async (
  request: Request,
  root: string,
  { pathname, search }: Pick<URL, 'pathname' | 'search'>,
): Promise<Response | undefined> => {
  const path = relativePath(pathname);
  if (path === undefined || isHidden(path)) return undefined;
  const found = await lookUp(root, path);
  if (found === undefined) return undefined;
  if ('file' in found) return path.endsWith('/') ? undefined : fileAnswer(request, found.file, found.stats);
  const page = await lookUp(root, join(path, index));
  if (page === undefined || !('file' in page)) return undefined;
  if (path.endsWith('/')) return fileAnswer(request, page.file, page.stats);
  // Two slashes at the beginning would name another host.
  const location = `${pathname.replace(/^\/+/, '/')}/${search}`;
  return new Response(null, { status: 301, headers: { location } });
};
