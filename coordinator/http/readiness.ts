import type { World } from '../broker/world.ts';
import type { RateLimits } from './rate-limits.ts';

interface Part {
  readonly ok: boolean;
  readonly note?: string;
}

/** What the coordinator works with, by name. */
export type Parts = Readonly<Record<string, Part>>;

/** Without these the coordinator cannot work; without the others it works worse. */
const necessary = ['store', 'database', 'process'];

export const readiness =
  (world: World, rates: RateLimits, stopping: () => boolean) => async (): Promise<Parts> => {
    const redis = rates.health();
    return {
      store: world.store.health(),
      database: await world.db.health(),
      ...(redis === undefined ? {} : { redis }),
      process: stopping() ? { ok: false, note: 'shutting down' } : { ok: true },
    };
  };

export const isReady = (parts: Parts): boolean => necessary.every((name) => parts[name]?.ok === true);
