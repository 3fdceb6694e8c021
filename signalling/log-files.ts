import { appendFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../shared/clock.ts';

/** Older files are removed when a new day begins. */
const kept_days = 14;

const day_ms = 86_400_000;

const fileName = (time: number): string => `server-${new Date(time).toISOString().slice(0, 10)}.log`;

/**
 * Log lines into one file a day (UTC), `server-YYYY-MM-DD.log`. A disk that fails must not stop the server: lines are
 * then lost, and `failed` is told once until a line gets through again.
 */
export const createLogFiles = (folder: string, clock: Clock, failed: (error: unknown) => void) => {
  let current = '';
  let failing = false;

  const startDay = (name: string): void => {
    mkdirSync(folder, { recursive: true });
    const oldest = fileName(clock.now() - kept_days * day_ms);
    for (const file of readdirSync(folder)) {
      if (/^server-\d{4}-\d{2}-\d{2}\.log$/.test(file) && file < oldest) rmSync(join(folder, file));
    }
    current = name;
  };

  return {
    write(line: string): void {
      try {
        const name = fileName(clock.now());
        if (name !== current) startDay(name);
        appendFileSync(join(folder, name), line);
        failing = false;
      } catch (error) {
        if (!failing) failed(error);
        failing = true;
      }
    },
  };
};
