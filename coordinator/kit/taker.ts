import type { Clock } from '../../shared/clock.ts';
import { bounds } from './limits.ts';

/** `count` at once, and again `count` within every `window_ms`. */
export interface Rate {
  readonly count: number;
  readonly window_ms: number;
}

/** Who has taken how much of late. Each share counts for itself. */
export interface Taker {
  /** Takes one; 0, or in how many ms the next one is free. */
  take(share: string, rate: Rate): number;
  /** The same, and takes none. */
  look(share: string, rate: Rate): number;
}

/** Counts in this process. The share that was quiet longest is forgotten first. */
export const createTaker = (clock: Pick<Clock, 'monotonic'>): Taker => {
  /** By share, when all that was taken of it will have been given back: at most a window ahead. */
  const free_at = new Map<string, number>();
  const next = (share: string, { count, window_ms }: Rate) => {
    const now = clock.monotonic();
    const taken = Math.max(now, free_at.get(share) ?? now) + window_ms / count;
    return { taken, wait_ms: Math.max(0, Math.ceil(taken - now - window_ms)) };
  };
  return {
    look: (share, rate) => next(share, rate).wait_ms,
    take(share, rate) {
      const { taken, wait_ms } = next(share, rate);
      if (wait_ms > 0) return wait_ms;
      free_at.delete(share);
      free_at.set(share, taken);
      const [oldest] = free_at.keys();
      if (free_at.size > bounds.networks_remembered && oldest !== undefined) free_at.delete(oldest);
      return 0;
    },
  };
};
