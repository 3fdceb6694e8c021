import type { Clock } from '../../shared/clock.ts';
import type { Bus } from './bus.ts';
import type { Settings } from './data-directory.ts';
import { bounds } from './limits.ts';
import type { Configuration } from './settings.ts';
import { createTaker, type Rate, type Taker } from './taker.ts';

/**
 * Requests to the API; those that start something or try a secret; pages, their files and all else; questions about health;
 * WebSockets of visitors, and those that show the key of a host.
 */
const kinds = ['request', 'start', 'page', 'health', 'upgrade', 'host'] as const;
export type Kind = (typeof kinds)[number];

/** How much each network may ask. */
export interface RateLimits {
  /** Takes one; 0, or in how many ms the next one is free. Never rejects. */
  take(kind: Kind, network: string): Promise<number>;
  /** In how many ms the next one is free, as far as this process alone can tell; takes none. */
  beyond(kind: Kind, network: string): number;
}

/** So many at once, and so many a second. */
const rate = (count: number, per_second: number): Rate => ({
  count,
  window_ms: Math.ceil((count * 1_000) / per_second),
});

const rateOf = (kind: Kind, configuration: Configuration): Rate => {
  const { requests_per_second, requests_burst, starts_per_minute, connections_per_address } = configuration;
  switch (kind) {
    case 'start':
      return { count: starts_per_minute, window_ms: 60_000 };
    case 'request':
      return rate(requests_burst, requests_per_second);
    case 'page':
      return rate(requests_burst * bounds.pages_per_request, requests_per_second * bounds.pages_per_request);
    case 'health':
      return rate(bounds.health_burst, bounds.health_per_second);
    case 'upgrade':
    case 'host':
      return {
        count: connections_per_address * bounds.upgrades_per_connection,
        window_ms: bounds.upgrades_ms,
      };
  }
};

/** Of these all processes together give one share. The others are cheap to answer, and bounded by each process. */
const shared: ReadonlySet<Kind> = new Set(['request', 'start']);

/**
 * Counts in this process, so that a flood costs nothing else, and what a network may ask of all processes together on the bus, too,
 * while that is there.
 */
export const createRateLimits = (store: Settings, clock: Clock, bus: Pick<Bus, 'take'>): RateLimits => {
  const own = Object.fromEntries(kinds.map((kind) => [kind, createTaker(clock)])) as Record<Kind, Taker>;
  return {
    async take(kind, network) {
      const rate = rateOf(kind, store.configuration());
      const wait_ms = own[kind].take(network, rate);
      if (wait_ms > 0 || !shared.has(kind)) return wait_ms;
      return (await bus.take(`${kind}:${network}`, rate)) ?? 0;
    },
    beyond: (kind, network) => own[kind].look(network, rateOf(kind, store.configuration())),
  };
};
