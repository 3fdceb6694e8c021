import { RedisClient } from 'bun';
import type { Clock } from './clock.ts';

const answer_ms = 5_000;
/** How long one attempt to connect may take. */
export const redis_patience_ms = 2_000;

/** redis://host:port, rediss:// with TLS, or redis+unix:///path of a socket. */
export const isRedisUrl = (text: string): boolean =>
  URL.canParse(text) && ['redis:', 'rediss:', 'redis+unix:'].includes(new URL(text).protocol);

/** A connection to Redis that comes back by itself. Commands fail at once while Redis is away, and late ones count as failed. */
export const connectRedis = (url: string, clock: Clock) => {
  const client = new RedisClient(url, {
    autoReconnect: true,
    maxRetries: 0xffff_ffff,
    enableOfflineQueue: false,
    connectionTimeout: redis_patience_ms,
  });
  const within = async <T>(ms: number, promise: Promise<T>): Promise<T> => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = clock.after(ms, () => reject(new Error('Redis does not answer')));
    return Promise.race([promise, late]).finally(cancel);
  };
  return {
    client,
    within,
    send: (command: string, ...args: string[]): Promise<unknown> =>
      within(answer_ms, client.send(command, args)),
  };
};
