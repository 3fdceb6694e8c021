import type { Cancel, Clock } from '../shared/clock.ts';
import { counted } from '../shared/counted.ts';
import type { Log } from '../shared/log.ts';
import type { AppConfig } from './config.ts';

const LOOK_MS = 1_000;
/** Looking at the memory of all processes of an app costs more than looking at a clock; on Windows it starts a program. */
const MEMORY_EVERY = process.platform === 'win32' ? 15 : 2;

export interface Watched {
  app: Pick<AppConfig, 'memory_mb' | 'longest_minutes'>;
  clock: Clock;
  log: Log;
  /** Bytes that the app takes now; undefined while none runs. */
  memory(): Promise<number | undefined>;
  /** Monotonic instant at which a session got it; undefined as long as none has. */
  since(): number | undefined;
  too_big(detail: string): void;
  too_long(detail: string): void;
}

/** Looks after an app's memory and time limits until cancelled. Without limits it does nothing at all. */
export const watchLimits = ({ app, clock, log, memory, since, too_big, too_long }: Watched): Cancel => {
  const { memory_mb, longest_minutes } = app;
  if (memory_mb === undefined && longest_minutes === undefined) return () => {};
  let looks = 0;
  let looking = false;
  let over = false;
  let told = false;
  const lookAtMemory = async (limit_mb: number) => {
    looking = true;
    try {
      const used_mb = Math.round(((await memory()) ?? 0) / 1024 / 1024);
      if (!over && used_mb > limit_mb) too_big(`it takes ${used_mb} MB of memory, and may take ${limit_mb}`);
    } catch (error) {
      if (!told) log.error({ error }, 'the memory of an app cannot be looked at, so its limit does not hold');
      told = true;
    } finally {
      looking = false;
    }
  };
  const cancel = clock.every(LOOK_MS, () => {
    const start = since();
    if (longest_minutes !== undefined && start !== undefined) {
      const late = clock.monotonic() - start > longest_minutes * 60_000;
      if (late) return too_long(`it may run for ${counted(longest_minutes, 'minute')}`);
    }
    if (memory_mb !== undefined && looks++ % MEMORY_EVERY === 0 && !looking) void lookAtMemory(memory_mb);
  });
  return () => {
    over = true;
    cancel();
  };
};
