import { stat } from 'node:fs/promises';
import type { z } from 'zod';
import { type ConfigProblem, describeProblem, parseConfig } from './config.ts';
import { limits } from './limits.ts';
import type { Log } from './log.ts';
import { readText } from './text-file.ts';

/** A file that people edit while the program runs. */
export interface WatchedFile<T> {
  /** The last good content; undefined until there was one. */
  value(): T | undefined;
  /** What is wrong with the file now. */
  problems(): readonly ConfigProblem[];
  /** The last attempt to read the file succeeded, whatever it holds. */
  readable(): boolean;
  /** Reads the file again; says whether `value` is a new one. Never rejects. */
  refresh(): Promise<boolean>;
}

/** The text, or why there is none. */
const readBounded = async (file: string): Promise<{ text: string } | { failure: string }> => {
  try {
    const { size } = await stat(file);
    if (size > limits.file_bytes) return { failure: `is longer than ${limits.file_bytes} bytes` };
    return { text: await readText(file) };
  } catch (error) {
    return { failure: `cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
};

/**
 * Keeps the last good content of a file in force. Each distinct breakage is logged once, with file, line and key; so is
 * the recovery. Nothing is logged before the first good content: whoever starts the program reports `problems`.
 */
export const watchedFile = <S extends z.ZodType>(
  file: string,
  schema: S,
  log: Log,
): WatchedFile<z.infer<S>> => {
  let seen: string | undefined;
  let value: z.infer<S> | undefined;
  let problems: readonly ConfigProblem[] = [];
  let readable = false;
  let reported = '';

  const report = () => {
    const described = problems.map(describeProblem);
    const now = described.join('\n');
    if (value === undefined || now === reported) return;
    reported = now;
    if (now === '') log.info({ file }, 'the file is good again and in force');
    else log.error({ problems: described }, 'the file is broken; its last good content stays in force');
  };

  return {
    value: () => value,
    problems: () => problems,
    readable: () => readable,
    async refresh() {
      const read = await readBounded(file);
      readable = 'text' in read;
      let fresh = false;
      if ('failure' in read) {
        seen = undefined;
        problems = [{ file, line: 1, key: '', text: read.failure }];
      } else if (read.text !== seen) {
        seen = read.text;
        const parsed = parseConfig(read.text, file, schema);
        problems = 'problems' in parsed ? parsed.problems : [];
        if ('value' in parsed) {
          value = parsed.value;
          fresh = true;
        }
      }
      report();
      return fresh;
    },
  };
};
