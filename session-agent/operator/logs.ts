import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Cancel } from '../../shared/clock.ts';
import { agent_log } from './agent-log.ts';
import { Failed, type Surroundings } from './surroundings.ts';

const tail_bytes = 64 * 1024;
const tail_lines = 200;
const look_ms = 500;

/** The files that belong to one of these names, the oldest first; the agent's own log when there are no names. */
export const logFiles = (folder: string, names: readonly string[]): string[] => {
  const all = readdirSync(folder).filter((name) => name.endsWith('.log'));
  const wanted =
    names.length === 0
      ? all.filter((name) => name === agent_log)
      : all.filter((name) => names.includes(/^(.+)-(app|signalling)\.log$/.exec(name)?.[1] ?? ''));
  return wanted.map((name) => join(folder, name)).sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
};

/** Reads what has been added to a file; a file that has become shorter was emptied or replaced and is read from its start. */
const follower = (file: string) => {
  let at = 0;
  let inode = 0;
  let first = true;
  return (): string => {
    const fd = openSync(file, 'r');
    try {
      const { size, ino } = fstatSync(fd);
      if (first) at = Math.max(0, size - tail_bytes);
      else if (size < at || ino !== inode) at = 0;
      inode = ino;
      const bytes = Buffer.alloc(Math.min(size - at, tail_bytes));
      const read = readSync(fd, bytes, 0, bytes.length, at);
      at += read;
      const text = bytes.toString('utf8', 0, read);
      const last = first
        ? text
            .split('\n')
            .slice(-tail_lines - 1)
            .join('\n')
        : text;
      first = false;
      return last;
    } finally {
      closeSync(fd);
    }
  };
};

/**
 * Prints the ends of the files, each with its name when there are several. With `follow` it goes on with what is added, until
 * the function returned is called. Throws Failed when there is nothing.
 */
export const showLogs = (
  folder: string,
  names: readonly string[],
  follow: boolean,
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
  const parts = files.map((file) => ({ file, read: follower(file) }));
  let shown = '';
  const show = () => {
    for (const { file, read } of parts) {
      const text = read();
      if (text === '') continue;
      if (parts.length > 1 && shown !== file) write(`==> ${file} <==\n`);
      shown = file;
      write(text.endsWith('\n') || follow ? text : `${text}\n`);
    }
  };
  show();
  return follow ? clock.every(look_ms, show) : () => {};
};
