import { Redis as Client, type RedisOptions } from 'ioredis';
import type { Clock } from './clock.ts';
import { parseRedisUrl, type RedisAddress } from './redis-address.ts';

/** How long one attempt to connect may take, and how long a program waits for Redis when it starts. */
const patience_ms = 2_000;
/** A connection that is lost is made again after 100 ms, then after twice as long each time, at last once a second. */
const retry_ms = { first: 100, most: 1_000 };

/** What a connection tells its owner of itself. */
export interface RedisEvents {
  /** It is there, for the first time or again: what was subscribed to is no longer. */
  ready(): void;
  /** It is lost, or could not be made. Told with each attempt. */
  away(error: Error): void;
  /** A message of a channel that it is subscribed to. */
  message?(channel: string, payload: Buffer): void;
}

/** A connection to Redis that comes back by itself, to another server too where Sentinels make that the master. */
export interface Redis {
  /** Rejects at once while Redis is away, and when it is late. What was under way when a connection broke has failed. */
  send(command: string, ...args: (string | Buffer)[]): Promise<unknown>;
  subscribe(channels: readonly string[]): Promise<unknown>;
  /** Gives the connection up, however well it looks, and makes a new one. */
  reconnect(): void;
  /** Resolves when it is there for the first time. */
  readonly arrived: Promise<void>;
  close(): void;
}

const optionsOf = ({ at, db, username, password, tls }: RedisAddress): RedisOptions => {
  const secured = tls && { ...tls, rejectUnauthorized: true, minVersion: 'TLSv1.2' as const };
  const login = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
  if (!('sentinels' in at)) return { ...at, ...login, db, ...(secured && { tls: secured }) };
  return {
    ...login,
    db,
    sentinels: at.sentinels.map((endpoint) => ({ ...endpoint })),
    name: at.name,
    // Told by the Sentinels of a new master, instead of waiting until the old one closes the connection: 1 s, not 12.
    failoverDetector: true,
    ...(at.login.username === undefined ? {} : { sentinelUsername: at.login.username }),
    ...(at.login.password === undefined ? {} : { sentinelPassword: at.login.password }),
    sentinelRetryStrategy: (times) => Math.min(times * retry_ms.first, retry_ms.most),
    ...(secured && { tls: secured, sentinelTLS: secured, enableTLSForSentinelMode: true }),
  };
};

/** Connects to the Redis at `url`; an answer is late after `answer_ms`. Throws when the address is wrong. */
export const openRedis = (url: string, answer_ms: number, events: RedisEvents): Redis => {
  const address = parseRedisUrl(url);
  if ('problem' in address) throw new Error(`The address of Redis ${address.problem}`);
  const options: RedisOptions = {
    ...optionsOf(address),
    lazyConnect: true,
    // What Redis 5 speaks already, and a little faster for messages.
    protocol: 2,
    connectTimeout: patience_ms,
    commandTimeout: answer_ms,
    sentinelCommandTimeout: answer_ms,
    // A server that takes bytes and answers nothing is away.
    socketTimeout: 2 * answer_ms,
    retryStrategy: (times) => Math.min(retry_ms.first * 2 ** (times - 1), retry_ms.most),
    // Nothing waits for a Redis that is away, and nothing happens twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    // A master that has become a replica.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
  const client: Client = new Client({ ...options, replyMapping: 'legacy' });
  let failure = new Error('the connection is closed');
  let open = true;
  const arrival = Promise.withResolvers<void>();
  client.on('error', (error) => {
    failure = error;
  });
  client.on('ready', () => {
    failure = new Error('the connection is closed');
    arrival.resolve();
    events.ready();
  });
  client.on('close', () => {
    if (open) events.away(failure);
  });
  if (events.message !== undefined) {
    const { message } = events;
    client.on('messageBuffer', (channel, payload) => message(channel.toString(), payload));
  }
  client.connect().catch(() => undefined); // told as away, and tried again
  return {
    send: (command, ...args) => client.call(command, args),
    subscribe: (channels) => client.subscribe(...channels),
    reconnect: () => client.disconnect(true),
    arrived: arrival.promise,
    close() {
      open = false;
      client.disconnect();
    },
  };
};

/** Resolves when `promise` does, or without it once a program that starts has waited for Redis long enough. */
export const patiently = async (clock: Clock, promise: Promise<unknown>): Promise<void> => {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(patience_ms, resolve);
  await Promise.race([promise, late]).finally(cancel);
};
