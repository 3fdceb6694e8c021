import type { Clock } from '../../shared/clock.ts';
import { networkOf } from '../../shared/network.ts';

/** What networks have a share of: `most` at once, and again as many within `window_ms`. */
export interface Rate {
  readonly most: number;
  readonly window_ms: number;
}

/** Networks remembered for each kind; a new one beyond them waits until one of those has been quiet. */
const networks_max = 50_000;

/** How much each network has taken of late. An address stands for its network. */
export interface Rates<Kind extends string> {
  /** Takes one; false when there is none. */
  take(kind: Kind, address: string): boolean;
  /** Whether there is one. */
  has(kind: Kind, address: string): boolean;
  /** Takes one even if there is none: what was learnt too late to refuse it. */
  note(kind: Kind, address: string): void;
  /** Gives one back that was not needed. */
  giveBack(kind: Kind, address: string): void;
}

/** Counts in this process. */
export const createRates = <Kind extends string>(
  clock: Clock,
  shares: Readonly<Record<Kind, Rate>>,
): Rates<Kind> => {
  /** By kind and network, when all that it has taken will have been given back; monotonic ms. */
  const free_at = new Map<string, number>();

  const add = (kind: Kind, address: string, count: number): void => {
    const { most, window_ms } = shares[kind];
    const key = `${kind} ${networkOf(address)}`;
    const now = clock.monotonic();
    const at = Math.max(now, free_at.get(key) ?? now) + (count * window_ms) / most;
    if (at > now) free_at.set(key, at);
    else free_at.delete(key);
  };
  const sweep = (): void => {
    const now = clock.monotonic();
    for (const [key, at] of free_at) if (at <= now) free_at.delete(key);
  };
  const has = (kind: Kind, address: string): boolean => {
    const { most, window_ms } = shares[kind];
    const now = clock.monotonic();
    const at = free_at.get(`${kind} ${networkOf(address)}`);
    if (at === undefined && free_at.size >= networks_max) sweep();
    if (at === undefined) return most > 0 && free_at.size < networks_max;
    // Halves of thousandths are lost in the sums.
    return at - now + window_ms / most <= window_ms + 0.5;
  };
  return {
    has,
    take(kind, address) {
      const free = has(kind, address);
      if (free) add(kind, address, 1);
      return free;
    },
    note: (kind, address) => add(kind, address, 1),
    giveBack: (kind, address) => add(kind, address, -1),
  };
};
