import type { Clock } from '../../shared/clock.ts';
import { openRedis } from '../../shared/redis.ts';
import { bounds } from './limits.ts';

/** Two connections to Redis, one to speak and one to listen, of which is known that what the one says the other hears. */
export interface Line {
  isUp(): boolean;
  /** Resolves with how many hear it. Rejects when it may be lost. */
  publish(channel: string, payload: Buffer): Promise<number>;
  /** Runs a script on one key. */
  run(script: string, key: string, ...args: string[]): Promise<unknown>;
  remove(key: string, field: string): Promise<unknown>;
  /** Resolves when it is up for the first time. */
  readonly arrived: Promise<void>;
  close(): void;
}

export interface LineNeeds {
  readonly clock: Clock;
  /** What nobody else listens to, and everything else that is listened to. */
  readonly own: string;
  readonly channels: readonly string[];
  /** All that is said from now on is heard. */
  up(): void;
  /** Whatever was said of late may be lost. Told once, until it is up again. */
  down(error: Error): void;
  message(channel: string, payload: Buffer): void;
}

const beat = Buffer.alloc(0);

/**
 * The line hears its own beat once a second. That finds what neither connection shows: a server that is gone without a word, and
 * two connections to different servers while Sentinels exchange them. Throws when the address is wrong.
 */
export const openLine = (url: string, { clock, own, channels, up, down, message }: LineNeeds): Line => {
  const arrival = Promise.withResolvers<void>();
  let state: 'starting' | 'up' | 'down' = 'starting';
  let heard_at = clock.monotonic();
  let failure = new Error('what is published does not arrive');

  const lost = (error: Error) => {
    if (state === 'down') return;
    state = 'down';
    down(error);
  };
  const failed = (error: Error) => {
    failure = error;
  };
  const speaking = openRedis(url, bounds.redis_answer_ms, { ready: () => sendBeat(), away: lost });
  const listening = openRedis(url, bounds.redis_answer_ms, {
    ready: () => void listening.subscribe([own, ...channels]).then(sendBeat, failed),
    away: lost,
    message(channel, payload) {
      if (channel !== own || payload.length > 0) return message(channel, payload);
      heard_at = clock.monotonic();
      if (state === 'up') return;
      state = 'up';
      arrival.resolve();
      up();
    },
  });
  const sendBeat = () => void speaking.send('PUBLISH', own, beat).catch(failed);
  const stopTicker = clock.every(bounds.redis_beat_ms, () => {
    sendBeat();
    if (clock.monotonic() - heard_at <= bounds.redis_silent_ms) return;
    heard_at = clock.monotonic();
    lost(failure);
    speaking.reconnect();
    listening.reconnect();
  });

  return {
    isUp: () => state === 'up',
    async publish(channel, payload) {
      try {
        return Number(await speaking.send('PUBLISH', channel, payload));
      } catch (error) {
        if (error instanceof Error) lost(error);
        throw error;
      }
    },
    run: (script, key, ...args) => speaking.send('EVAL', script, '1', key, ...args),
    remove: (key, field) => speaking.send('HDEL', key, field),
    arrived: arrival.promise,
    close() {
      stopTicker();
      speaking.close();
      listening.close();
    },
  };
};
