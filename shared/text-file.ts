import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** UTF-16 without its mark is believed where so much of it is ASCII: JSON, PEM and most secrets are. */
const ascii_share = 1 / 4;

/** Of each two bytes, how often the first and how often the second is zero. */
const zeros = (bytes: Uint8Array): [first: number, second: number] => {
  const found: [number, number] = [0, 0];
  for (const [at, byte] of bytes.entries()) if (byte === 0) found[at % 2 === 0 ? 0 : 1]++;
  return found;
};

const begins = (bytes: Uint8Array, ...mark: number[]): boolean =>
  mark.every((byte, at) => bytes[at] === byte);

const encodingOf = (bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' => {
  if (begins(bytes, 0xff, 0xfe)) return 'utf-16le';
  if (begins(bytes, 0xfe, 0xff)) return 'utf-16be';
  const [first, second] = zeros(bytes);
  const enough = (bytes.length / 2) * ascii_share;
  if (first === 0 && second > 0 && second >= enough) return 'utf-16le';
  return second === 0 && first > 0 && first >= enough ? 'utf-16be' : 'utf-8';
};

/**
 * The text that a person or a tool of any system wrote: UTF-8 with or without its mark, as Windows' editors write it, or
 * UTF-16, as its shells redirect it. Throws when the bytes are neither; `file` is named then.
 */
export const decodeText = (bytes: Uint8Array, file: string): string => {
  const encoding = encodingOf(bytes);
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`not valid ${encoding.toUpperCase()}, save it as UTF-8: '${file}'`);
  }
  // A secret in yet another encoding would be read without a word, and would match nothing.
  if (/(?![\t\n\v\f\r])\p{Cc}/u.test(text)) throw new Error(`no text, save it as UTF-8: '${file}'`);
  return text;
};

/** The whole file as text, as `decodeText` understands it. Rejects, with the file's name, when it cannot be read. */
export const readText = async (file: string): Promise<string> => decodeText(await readFile(file), file);

/** The same at once. Throws, with the file's name, when it cannot be read. */
export const readTextSync = (file: string): string => decodeText(readFileSync(file), file);
