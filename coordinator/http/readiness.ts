import type { Clock } from '../../shared/clock.ts';
import { bounds } from '../kit/limits.ts';
import type { World } from '../sessions/live.ts';

interface Part {
  readonly ok: boolean;
  readonly note?: string;
}

/** What the coordinator works with, by name. */
export type Parts = Readonly<Record<string, Part>>;

/** Without these the coordinator cannot work; without the others it works worse. */
const necessary = ['store', 'database', 'process'];

/** Asks `look` at most once in `health_ms`, however many want to know. */
const remembered = <T>(clock: Clock, look: () => Promise<T>) => {
  let last: { at: number; answer: Promise<T> } | undefined;
  return (): Promise<T> => {
    const now = clock.monotonic();
    if (last === undefined || now - last.at >= bounds.health_ms) last = { at: now, answer: look() };
    return last.answer;
  };
};

export const readiness = (world: World, stopping: () => boolean) => {
  const database = remembered(world.clock, () => world.db.health());
  return async (): Promise<Parts> => {
    const redis = world.bus.health();
    return {
      store: world.store.health(),
      database: await database(),
      ...(redis === undefined ? {} : { redis }),
      process: stopping() ? { ok: false, note: 'shutting down' } : { ok: true },
    };
  };
};

export const isReady = (parts: Parts): boolean => necessary.every((name) => parts[name]?.ok === true);
