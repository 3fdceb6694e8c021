import type { Cancel, Clock } from '../clock.ts';

export interface FakeClock extends Clock {
  /** Moves time forward and runs every timer that falls due, in order of its due time. */
  advance(ms: number): void;
  /** Timers that have neither fired nor been cancelled; a leak shows here. */
  pending(): number;
}

/** A clock that moves only when told to. Starts at 2026-01-01T00:00:00Z unless `start` (epoch ms) is given. */
export const fakeClock = (start = Date.UTC(2026, 0, 1)): FakeClock => {
  let elapsed = 0;
  let order = 0;
  const timers = new Map<number, { due: number; every?: number; run: () => void }>();

  const add = (ms: number, run: () => void, every?: number): Cancel => {
    const id = order++;
    timers.set(id, { due: elapsed + ms, run, ...(every === undefined ? {} : { every }) });
    return () => void timers.delete(id);
  };
  const next = (until: number) =>
    [...timers].filter(([, t]) => t.due <= until).sort(([a, x], [b, y]) => x.due - y.due || a - b)[0];

  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    after: (ms, run) => add(ms, run),
    every: (ms, run) => add(ms, run, ms),
    pending: () => timers.size,
    advance(ms) {
      const until = elapsed + ms;
      for (let found = next(until); found !== undefined; found = next(until)) {
        const [id, timer] = found;
        elapsed = Math.max(elapsed, timer.due);
        if (timer.every === undefined) timers.delete(id);
        else timer.due += Math.max(timer.every, 1);
        timer.run();
      }
      elapsed = until;
    },
  };
};
