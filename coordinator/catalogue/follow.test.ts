import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { startRedis } from '../../shared/testing/redis.ts';
import { openRedisBus } from '../kit/bus-redis.ts';
import type { Services } from '../kit/services.ts';
import { memoryBus } from '../testing/bus.ts';
import { memoryDatabase } from '../testing/database.ts';
import { recordedLog } from '../testing/log.ts';
import { appRow } from '../testing/rows.ts';
import { memoryStore } from '../testing/store.ts';
import { followCatalogue } from './follow.ts';
import { createLiveCatalogue } from './live.ts';

setDefaultTimeout(60_000);

/** A coordinator as far as its catalogue goes. Its clock stands still: it looks at nothing by itself. */
const follower = (db: Services['db'], bus: Services['bus'], settle = async () => {}) => {
  const catalogue = createLiveCatalogue();
  const { log } = recordedLog();
  const store = memoryStore([]);
  const services = { db, bus, log, ids: systemIds, clock: fakeClock(), store, files: store, catalogue };
  const changes = followCatalogue(services, settle);
  /** Resolves with the names of the apps when it has `name`. */
  const apps = async (name: string): Promise<string[]> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => catalogue.now().apps.has(name) && resolve();
    const cancel = catalogue.onChange(look);
    look();
    await promise;
    cancel();
    return [...catalogue.now().apps.keys()].sort();
  };
  return { ...changes, catalogue, apps, services };
};

describe('followCatalogue()', () => {
  test('followCatalogue() brings an edit into force at the other coordinators, also one made while Redis was away', async () => {
    await using redis = await startRedis();
    const parts = { clock: systemClock, ids: systemIds, log: recordedLog().log };
    const buses = [await openRedisBus(redis.url, parts), await openRedisBus(redis.url, parts)] as const;
    const db = memoryDatabase();
    const [here, there] = buses.map((bus) => follower(db, bus)) as [
      ReturnType<typeof follower>,
      ReturnType<typeof follower>,
    ];
    await db.transact(({ apps }) => apps.insert(appRow('castle')));
    await here.changed();
    expect([...here.catalogue.now().apps.keys()]).toEqual(['castle']);
    expect(await there.apps('castle')).toEqual(['castle']);

    await redis.kill();
    await db.transact(({ apps }) => apps.insert(appRow('garden')));
    await here.changed();
    expect([...there.catalogue.now().apps.keys()]).toEqual(['castle']);
    await redis.start();
    expect(await there.apps('garden')).toEqual(['castle', 'garden']);

    await there.stop();
    await here.stop();
    await Promise.all(buses.map((bus) => bus.stop()));
  });

  test('followCatalogue() reads once for all who ask before the reading, and anew for who asks later', async () => {
    const db = memoryDatabase();
    const bus = memoryBus(fakeClock());
    const gate = Promise.withResolvers<void>();
    let settled = 0;
    const one = follower(db, bus, async () => {
      settled++;
      await gate.promise;
    });
    const first = one.changed();
    while (settled === 0) await new Promise(setImmediate);
    await db.transact(({ apps }) => apps.insert(appRow('castle')));
    const later = [one.changed(), one.changed(), one.changed()];
    bus.tell('catalogue');
    gate.resolve();
    await Promise.all([first, ...later]);
    expect([settled, one.catalogue.now().apps.has('castle')]).toEqual([2, true]);
    await one.stop();
    bus.tell('catalogue');
    expect(settled).toBe(2);
  });
});
