import { createMiddleware } from 'hono/factory';
import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import { connectRedis, redis_patience_ms } from '../../shared/redis.ts';
import { bounds } from '../limits.ts';
import type { Configuration } from '../store/configuration-file.ts';
import type { Store } from '../store/store.ts';
import { beyondRate } from '../ws/budget.ts';
import type { Env } from './env.ts';
import { problem } from './problems.ts';

/** Every request to the API, and those that start something or try a secret. */
type Kind = 'request' | 'start';

/** `count` at once, and again `count` within every `window_ms`. */
interface Rate {
  readonly count: number;
  readonly window_ms: number;
}

/** How much each network may ask. */
export interface RateLimits {
  /** Takes one; 0, or in how many ms the next one is free. Never rejects. */
  take(kind: Kind, network: string): Promise<number>;
  /** How Redis is; undefined when none is configured. */
  health(): { readonly ok: boolean; readonly note?: string } | undefined;
  stop(): void;
}

/** Counts in this process. The network that was quiet longest is forgotten first. */
const memoryTaker = (clock: Clock) => {
  /** By network, when all that it has taken will have been given back: at most a window ahead. */
  const free_at = new Map<string, number>();
  return (key: string, { count, window_ms }: Rate): number => {
    const now = clock.monotonic();
    const one_ms = window_ms / count;
    const taken = Math.max(now, free_at.get(key) ?? now) + one_ms;
    const wait_ms = Math.ceil(taken - now - window_ms);
    free_at.delete(key);
    free_at.set(key, wait_ms > 0 ? taken - one_ms : taken);
    const [oldest] = free_at.keys();
    if (free_at.size > bounds.networks_remembered && oldest !== undefined) free_at.delete(oldest);
    return Math.max(0, wait_ms);
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
  const { client, within } = connectRedis(url, clock);
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
  const connected = within(redis_patience_ms, client.connect()).catch(failed);
  return {
    away: () => away,
    stop: () => client.close(),
    async take(key: string, { count, window_ms }: Rate): Promise<number | undefined> {
      await connected;
      if (away && clock.monotonic() < next) return undefined;
      try {
        const args = [script, '1', `vitrina:rate:${key}`, String(window_ms)];
        const [taken, left] = (await within(answer_ms, client.send('EVAL', args))) as [number, number];
        back();
        return taken <= count ? 0 : Math.max(1, left);
      } catch (error) {
        failed(error);
        return undefined;
      }
    },
  };
};

const rateOf = (kind: Kind, configuration: Configuration): Rate => {
  const { requests_per_second, requests_burst, starts_per_minute } = configuration;
  return kind === 'start'
    ? { count: starts_per_minute, window_ms: 60_000 }
    : { count: requests_burst, window_ms: Math.ceil((requests_burst * 1_000) / requests_per_second) };
};

/** Counts in memory, and where `redis_url` is configured at the start, in Redis while that is there. */
export const createRateLimits = (store: Store, clock: Clock, log: Log): RateLimits => {
  const { redis_url } = store.configuration();
  const memory = memoryTaker(clock);
  const redis = redis_url === undefined ? undefined : redisTaker(redis_url, clock, log);
  return {
    async take(kind, network) {
      const rate = rateOf(kind, store.configuration());
      const key = `${kind}:${network}`;
      return (await redis?.take(key, rate)) ?? memory(key, rate);
    },
    health() {
      if (redis === undefined) return undefined;
      return redis.away() ? { ok: false, note: away_note } : { ok: true };
    },
    stop: () => redis?.stop(),
  };
};

/** What starts something, or tries a secret. */
const starts = new Set([
  ...['sessions', 'join', 'queue', 'bookings', 'login', 'accounts', 'enrolments'].map(
    (name) => `POST /api/v1/${name}`,
  ),
  'GET /agent/check',
]);

/** Refuses what goes beyond the caller's share, with the seconds until there is some again. */
export const limitRate = (limits: RateLimits) =>
  createMiddleware<Env>(async (c, next) => {
    const { network } = c.env;
    const strict = starts.has(`${c.req.method} ${c.req.path}`);
    let wait_ms = await limits.take('request', network);
    if (wait_ms === 0 && strict) wait_ms = await limits.take('start', network);
    if (wait_ms === 0) return next();
    const refused = problem(beyondRate(wait_ms));
    refused.headers.set('Retry-After', String(Math.ceil(wait_ms / 1_000)));
    return refused;
  });
