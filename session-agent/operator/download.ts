import { createHash } from 'node:crypto';
import { chmodSync, closeSync, createReadStream, openSync, rmSync, writeSync } from 'node:fs';
import { fetchVerified } from '../../shared/fetch-verified.ts';
import { Failed, wordsOf } from './surroundings.ts';

const download_ms = 900_000;

const isAddress = (source: string): boolean => /^https?:\/\//.test(source);

/** The bytes of a file or an address, in pieces; Failed when they cannot be had or are more than `most`. */
async function* bytesOf(source: string, most: number, ending: AbortSignal): AsyncGenerator<Uint8Array> {
  let count = 0;
  try {
    const pieces = isAddress(source)
      ? await download(source, ending)
      : createReadStream(source, { signal: ending });
    for await (const piece of pieces) {
      count += piece.length;
      if (count > most) throw new Failed(`${source} is longer than ${most} bytes.`);
      yield piece;
    }
  } catch (error) {
    ending.throwIfAborted();
    if (error instanceof Failed) throw error;
    throw new Failed(`${source} cannot be read: ${wordsOf(error)}`);
  }
}

const download = async (address: string, ending: AbortSignal): Promise<AsyncIterable<Uint8Array>> => {
  const response = await fetchVerified(address, {
    signal: AbortSignal.any([AbortSignal.timeout(download_ms), ending]),
  });
  if (!response.ok || response.body === null)
    throw new Failed(`${address} answers with status ${response.status}.`);
  return response.body;
};

/** Copies the source to a new file that can be run; the file's SHA-256 in hexadecimal. Throws Failed. */
export const store = async (
  source: string,
  file: string,
  most: number,
  ending: AbortSignal,
): Promise<string> => {
  const hash = createHash('sha256');
  rmSync(file, { force: true });
  // Never a file that is there: it could be a link to elsewhere.
  const fd = openSync(file, 'wx', 0o755);
  try {
    for await (const piece of bytesOf(source, most, ending)) {
      hash.update(piece);
      for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
    }
  } finally {
    closeSync(fd);
  }
  chmodSync(file, 0o755);
  return hash.digest('hex');
};

/** All of it at once. Throws Failed. */
export const readWhole = async (source: string, most: number, ending: AbortSignal): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytesOf(source, most, ending)) pieces.push(piece);
  return Buffer.concat(pieces);
};
