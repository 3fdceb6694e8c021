import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Cancel } from '../../shared/clock.ts';
import { agent_log } from './agent-log.ts';
import { lineForPeople, lineForPrograms } from './log-lines.ts';
import { Failed, type Surroundings } from './surroundings.ts';

const tail_bytes = 64 * 1024;
const tail_lines = 200;
const look_ms = 500;

/**
 * The files that belong to one of these names, the oldest first; the agent's own log when there are no names. A file of which
 * only the rolled part is there, `<file>.1`, counts.
 */
export const logFiles = (folder: string, names: readonly string[]): string[] => {
  const there = readdirSync(folder).map((name) => name.replace(/\.log\.1$/, '.log'));
  const all = [...new Set(there)].filter((name) => name.endsWith('.log'));
  const wanted =
    names.length === 0
      ? all.filter((name) => name === agent_log)
      : all.filter((name) => names.includes(/^(.+)-(app|signalling)\.log$/.exec(name)?.[1] ?? ''));
  const changedAt = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return wanted.map((name) => join(folder, name)).sort((a, b) => changedAt(a) - changedAt(b));
};

/** A piece of a file, at most tail_bytes of it. */
interface Piece {
  text: string;
  /** Where it begins and ends, in bytes. */
  from: number;
  to: number;
  inode: number;
}

/** What a file has from the place that `start` says on; undefined when it is not there, as in the moment of its being rolled. */
const readFrom = (file: string, start: (size: number, inode: number) => number): Piece | undefined => {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size, ino } = fstatSync(fd);
    const from = start(size, ino);
    const bytes = Buffer.alloc(Math.min(size - from, tail_bytes));
    const read = readSync(fd, bytes, 0, bytes.length, from);
    return { text: bytes.toString('utf8', 0, read), from, to: from + read, inode: ino };
  } finally {
    closeSync(fd);
  }
};

const fromTail = (size: number): number => Math.max(0, size - tail_bytes);

/** The last lines of a file; what was rolled a moment ago counts. */
const tailOf = (file: string, piece: Piece | undefined): string => {
  const older = piece === undefined || piece.from === 0 ? readFrom(`${file}.1`, fromTail)?.text : undefined;
  const lines = `${older ?? ''}${piece?.text ?? ''}`.split('\n');
  return lines.slice(-tail_lines - 1).join('\n');
};

/** Reads what has been added to a file; a file that has become shorter was emptied or replaced and is read from its start. */
const follower = (file: string) => {
  let at: number | undefined;
  let inode = 0;
  return (): string => {
    const first = at === undefined;
    const piece = readFrom(file, (size, ino) => {
      if (at === undefined) return fromTail(size);
      return size < at || ino !== inode ? 0 : at;
    });
    at = piece?.to ?? at ?? 0;
    inode = piece?.inode ?? inode;
    return first ? tailOf(file, piece) : (piece?.text ?? '');
  };
};

/**
 * Prints the ends of the files as lines for people, each file with its name when there are several; with `json` an object a line. With `follow` it goes on with what is added, until
 * the function returned is called. Throws Failed when there is nothing.
 */
export const showLogs = (
  folder: string,
  names: readonly string[],
  { follow, json }: { follow: boolean; json: boolean },
  { clock, write }: Pick<Surroundings, 'clock'> & { write(text: string): void },
): Cancel => {
  const files = logFiles(folder, names);
  if (files.length === 0) {
    throw new Failed(
      names.length === 0
        ? `There is no ${agent_log} in ${folder}: the agent has not run with this config.json.`
        : `There is no output of ${names[0]} in ${folder}. "session-agent status" lists what runs.`,
    );
  }
  const parts = files.map((file) => ({ file, read: follower(file), rest: '' }));
  const render = (file: string) => (line: string) =>
    json ? lineForPrograms(line, names.length === 0 ? undefined : basename(file)) : lineForPeople(line);
  let shown = '';
  const show = () => {
    for (const part of parts) {
      const { file } = part;
      const lines = `${part.rest}${part.read()}`.split('\n');
      // What is said next may go on with it.
      part.rest = follow ? (lines.pop() ?? '') : '';
      if (!follow && lines.at(-1) === '') lines.pop();
      if (lines.length === 0) continue;
      if (parts.length > 1 && shown !== file && !json) write(`==> ${file} <==\n`);
      shown = file;
      write(`${lines.map(render(file)).join('\n')}\n`);
    }
  };
  show();
  if (!follow) return () => {};
  const cancel = clock.every(look_ms, show);
  return () => {
    cancel();
    for (const { file, rest } of parts) if (rest !== '') write(`${render(file)(rest)}\n`);
  };
};
