import { createLog, type Log } from '../../shared/log.ts';

export interface RecordedLog {
  readonly log: Log;
  /** The lines written so far, parsed. */
  lines(): Record<string, unknown>[];
  /** The messages of lines at `level`. */
  messages(level: string): unknown[];
  /** Everything written so far, as text: to look for what must not be in it. */
  text(): string;
}

/** A log that keeps what is written. */
export const recordedLog = (): RecordedLog => {
  const written: string[] = [];
  const lines = () => written.map((line): Record<string, unknown> => JSON.parse(line));
  return {
    log: createLog('coordinator', 'debug', { write: (line) => void written.push(line) }),
    lines,
    messages: (level) =>
      lines()
        .filter((line) => line.level === level)
        .map(({ msg }) => msg),
    text: () => written.join(''),
  };
};
