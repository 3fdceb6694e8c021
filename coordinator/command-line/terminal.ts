import { decodeText } from '../../shared/text-file.ts';
import { Declined } from '../fleet/enrol-client.ts';

/** Longest line that is read; nothing that is longer is a password. */
const line_chars = 1_000;

/** Ctrl-C was typed. The terminal is as it was before. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

const say = (text: string): void => void process.stderr.write(text);

/** The bytes before the end of the line, in UTF-8 or UTF-16; nothing that is longer is a password. */
const lineOf = (bytes: Buffer): Buffer => {
  const end = bytes.indexOf('\n');
  const line = bytes.subarray(0, end < 0 ? line_chars : end);
  // In UTF-16 BE the line feed has a zero before it.
  return line.includes(0) ? line.subarray(0, line.length - (line.length % 2)) : line;
};

/** The first line of a standard input that is no terminal. Throws Declined when it is no text. */
const readLine = async (): Promise<string> => {
  let bytes = Buffer.alloc(0);
  for await (const chunk of Bun.stdin.stream()) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.includes('\n') || bytes.length > line_chars) break;
  }
  try {
    return decodeText(lineOf(bytes), 'standard input').replace(/\r$/, '');
  } catch (error) {
    throw new Declined(`The password cannot be read: ${error instanceof Error ? error.message : error}`);
  }
};

/** Arrow keys and the like: they are no part of a password. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal sends begins with ESC
const sequences = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)?/gsu;

/** What the line is after the key. */
const after = (line: string, key: string): string => {
  if (key === '\x7f' || key === '\b') return [...line].slice(0, -1).join('');
  if (key === '\x15') return ''; // Ctrl-U
  return key < ' ' || line.length >= line_chars ? line : line + key;
};

/** Reads a line for each question, without showing what is typed. Throws Interrupted. */
const typedLines = async (questions: readonly string[]): Promise<string[]> => {
  const { stdin } = process;
  const lines: string[] = [];
  let line = '';
  const ended = Promise.withResolvers<void>();
  const finish = () => {
    lines.push(line);
    line = '';
    say(`\n${questions[lines.length] ?? ''}`);
    if (lines.length >= questions.length) ended.resolve();
  };
  const decoder = new TextDecoder();
  const typed = (chunk: Uint8Array) => {
    for (const key of decoder.decode(chunk, { stream: true }).replace(sequences, '')) {
      if (lines.length >= questions.length) return;
      if (key === '\x03') return ended.reject(new Interrupted());
      if (key === '\r' || key === '\n' || key === '\x04') finish();
      else line = after(line, key);
    }
  };
  const closed = () => ended.resolve();
  stdin.setRawMode(true);
  stdin.on('data', typed).on('end', closed);
  stdin.resume();
  say(questions[0] ?? '');
  try {
    await ended.promise;
    return lines;
  } finally {
    stdin.setRawMode(false);
    stdin.off('data', typed).off('end', closed);
    stdin.pause();
  }
};

/**
 * A password: from a terminal without an echo, asked for again when it is a `new_one`; else the first line of standard input.
 * `whose` ends the question. Throws Interrupted, and Declined when the two differ.
 */
export const askPassword = async (whose: string, new_one: boolean): Promise<string> => {
  if (!process.stdin.isTTY) return readLine();
  const question = `${new_one ? 'New password' : 'Password'} of ${whose}: `;
  const [password = '', again = ''] = await typedLines(new_one ? [question, 'The same again: '] : [question]);
  if (new_one && password !== again) throw new Declined('The two passwords differ. Nothing was changed.');
  return password;
};
