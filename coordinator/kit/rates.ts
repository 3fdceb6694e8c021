import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import { openRedis, patiently } from '../../shared/redis.ts';
import type { Settings } from './data-directory.ts';
import { bounds } from './limits.ts';
import type { Configuration } from './settings.ts';

/**
 * Requests to the API; those that start something or try a secret; pages, their files and all else; questions about health;
 * WebSockets of visitors, and those that show the key of a host.
 */
const kinds = ['request', 'start', 'page', 'health', 'upgrade', 'host'] as const;
export type Kind = (typeof kinds)[number];

/** `count` at once, and again `count` within every `window_ms`. */
interface Rate {
  readonly count: number;
  readonly window_ms: number;
}

/** How much each network may ask. */
export interface RateLimits {
  /** Takes one; 0, or in how many ms the next one is free. Never rejects. */
  take(kind: Kind, network: string): Promise<number>;
  /** In how many ms the next one is free, as far as this process alone can tell; takes none. */
  beyond(kind: Kind, network: string): number;
  /** How Redis is; undefined when none is configured. */
  health(): { readonly ok: boolean; readonly note?: string } | undefined;
  stop(): void;
}

/** Counts in this process. The network that was quiet longest is forgotten first. */
const memoryTaker = (clock: Clock) => {
  /** By network, when all that it has taken will have been given back: at most a window ahead. */
  const free_at = new Map<string, number>();
  const look = (network: string, { count, window_ms }: Rate) => {
    const now = clock.monotonic();
    const taken = Math.max(now, free_at.get(network) ?? now) + window_ms / count;
    return { taken, wait_ms: Math.max(0, Math.ceil(taken - now - window_ms)) };
  };
  return {
    look: (network: string, rate: Rate): number => look(network, rate).wait_ms,
    take(network: string, rate: Rate): number {
      const { taken, wait_ms } = look(network, rate);
      if (wait_ms > 0) return wait_ms;
      free_at.delete(network);
      free_at.set(network, taken);
      const [oldest] = free_at.keys();
      if (free_at.size > bounds.networks_remembered && oldest !== undefined) free_at.delete(oldest);
      return 0;
    },
  };
};

/** One more in the window, which begins with its first; gives the count and what is left of the window in ms. */
const script = `local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}`;

/** A process waits so long for Redis, and counts for itself so long after that was in vain. */
const answer_ms = 1_000;
const pause_ms = 5_000;
const away_note = 'Redis is away: each process counts requests for itself';

/** Counts in Redis, for all processes together; undefined when that is not possible now. */
const redisTaker = (url: string, clock: Clock, log: Log) => {
  let away = false;
  let next = 0;
  const failed = (error: unknown) => {
    if (!away) log.warn({ error }, away_note);
    away = true;
    next = clock.monotonic() + pause_ms;
  };
  const back = () => {
    if (away) log.info('Redis counts requests again');
    away = false;
  };
  const client = openRedis(url, answer_ms, { ready: () => undefined, away: failed });
  const connected = patiently(clock, client.arrived);
  return {
    away: () => away,
    stop: () => client.close(),
    async take(key: string, { count, window_ms }: Rate): Promise<number | undefined> {
      await connected;
      if (away && clock.monotonic() < next) return undefined;
      try {
        const args = [script, '1', `vitrina:rate:${key}`, String(window_ms)];
        const [taken, left] = (await client.send('EVAL', ...args)) as [number, number];
        back();
        return taken <= count ? 0 : Math.max(1, left);
      } catch (error) {
        failed(error);
        return undefined;
      }
    },
  };
};

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
 * Counts in memory, so that a flood costs nothing else, and what a network may ask of all processes together, where
 * `redis_url` is configured at the start, in Redis too while that is there.
 */
export const createRateLimits = (store: Settings, clock: Clock, log: Log): RateLimits => {
  const { redis_url } = store.configuration();
  const memory = Object.fromEntries(kinds.map((kind) => [kind, memoryTaker(clock)])) as Record<
    Kind,
    ReturnType<typeof memoryTaker>
  >;
  const redis = redis_url === undefined ? undefined : redisTaker(redis_url, clock, log);
  return {
    async take(kind, network) {
      const share = rateOf(kind, store.configuration());
      const wait_ms = memory[kind].take(network, share);
      if (wait_ms > 0 || redis === undefined || !shared.has(kind)) return wait_ms;
      return (await redis.take(`${kind}:${network}`, share)) ?? 0;
    },
    beyond: (kind, network) => memory[kind].look(network, rateOf(kind, store.configuration())),
    health() {
      if (redis === undefined) return undefined;
      return redis.away() ? { ok: false, note: away_note } : { ok: true };
    },
    stop: () => redis?.stop(),
  };
};
