import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { LogCopy } from '../../shared/log.ts';
import { isDiskFull, unwritten } from '../disk.ts';
import type { AgentStatus } from '../status.ts';

export const agent_log = 'agent.log';
/** A file beyond this becomes `agent.log.1`, that one `agent.log.2`, and so on. */
const log_bytes = 8 * 1024 * 1024;
const kept_files = 4;
const errors_kept = 20;
const text_chars = 300;

type LoggedError = AgentStatus['errors'][number];

/** The agent's own log on disk, and the last of its warnings and errors in memory. */
export interface AgentLog extends LogCopy {
  errors(): LoggedError[];
  close(): void;
}

const facts = ['app', 'problem', 'problems', 'reason', 'file', 'error'] as const;

/** "this app cannot be launched (app Flat, problem /opt/flat does not exist)" */
const textOf = (line: Record<string, unknown>): string => {
  const told = facts.flatMap((name) => {
    const value = line[name];
    if (value === undefined || value === '') return [];
    const text = typeof value === 'object' && value !== null && 'message' in value ? value.message : value;
    return [`${name} ${typeof text === 'string' ? text : JSON.stringify(text)}`];
  });
  const text = told.length === 0 ? String(line.msg) : `${String(line.msg)} (${told.join(', ')})`;
  return text.length > text_chars ? `${text.slice(0, text_chars)}...` : text;
};

const shift = (file: string): void => {
  for (let number = kept_files - 1; number > 0; number--) {
    const from = number === 1 ? file : `${file}.${number - 1}`;
    try {
      renameSync(from, `${file}.${number}`);
    } catch (error) {
      // There are not that many yet.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
};

/**
 * Opens (appends to) `agent.log` in the folder, which is made if need be; throws when that cannot be, unless the disk is full. Later a line that the
 * disk does not take is lost here, and that is one of the errors; standard output has it all the same.
 */
export const openAgentLog = (folder: string, bytes = log_bytes): AgentLog => {
  const file = join(folder, agent_log);
  const open = () => {
    mkdirSync(folder, { recursive: true });
    return openSync(file, 'a', 0o640);
  };
  let fd: number | undefined;
  let size = 0;
  let closed = false;
  let failing = false;
  const errors: LoggedError[] = [];
  const note = (error: Omit<LoggedError, 'times'>) => {
    const last = errors.at(-1);
    const again = last?.text === error.text && last.level === error.level;
    if (again) errors.pop();
    errors.push({ ...error, times: again ? last.times + 1 : 1 });
    if (errors.length > errors_kept) errors.shift();
  };
  const store = (line: string, at: string) => {
    try {
      if (size > bytes) {
        if (fd !== undefined) closeSync(fd);
        fd = undefined;
        size = 0;
        shift(file);
      }
      fd ??= open();
      size += writeSync(fd, line);
      failing = false;
    } catch (error) {
      if (!failing) note({ at, level: 'error', text: unwritten(file, error) });
      failing = true;
    }
  };
  try {
    fd = open();
    size = fstatSync(fd).size;
  } catch (error) {
    // The first line tries again.
    if (!isDiskFull(error)) throw error;
  }
  return {
    level: 'info',
    errors: () => [...errors],
    write(line) {
      if (closed) return;
      const parsed: Record<string, unknown> = JSON.parse(line);
      const { time: at = '', level = '' } = parsed;
      if (level === 'warn' || level === 'error' || level === 'fatal') {
        note({ at: String(at), level, text: textOf(parsed) });
      }
      store(line, String(at));
    },
    close() {
      if (!closed && fd !== undefined) closeSync(fd);
      closed = true;
    },
  };
};
