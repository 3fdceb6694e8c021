import { describe, expect, test } from 'bun:test';
import { fakeClock } from '../../shared/testing/clock.ts';
import { Unavailable } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';
import { memoryDatabase } from '../testing/database.ts';
import { recordedLog } from '../testing/log.ts';
import { createSweep, removeExpired } from './expiry.ts';

const rig = async (rows: number) => {
  const db = memoryDatabase();
  const clock = fakeClock();
  const recorded = recordedLog();
  const expires_at = clock.now();
  for (let from = 0; from < rows; from += 1_000) {
    const some = Array.from({ length: Math.min(1_000, rows - from) }, (_, at) => ({
      ...{ name: `n${from + at}`, window_at: 0, hits: 1, expires_at },
    }));
    await db.transact(({ counters }) => counters.insert(...some));
  }
  await db.transact(({ codes }) => codes.insert({ code: '0001', holder: 'x', free_at: expires_at }));
  const left = () => db.read(({ counters }) => counters.count({}));
  return { db, clock, recorded, left, log: recorded.log };
};

describe('removeExpired()', () => {
  test('removeExpired() takes a portion in each transaction, and so many of one table in one sweep', async () => {
    const { db, clock, log, recorded, left } = await rig(51_500);
    let transactions = 0;
    const counting = {
      ...{ clock, log },
      db: Object.assign(Object.create(db), {
        transact: (work: (tables: Tables) => Promise<unknown>) => {
          transactions += 1;
          return db.transact(work);
        },
      }),
    };
    expect(await removeExpired(counting)).toBeTrue();
    expect([transactions, await left()]).toEqual([50 + 9, 1_500]);
    expect(recorded.lines().filter(({ msg }) => msg === 'removed what had expired')).toMatchObject([
      { table: 'counters', removed: 50_000, more: true },
    ]);
    expect(await removeExpired(counting)).toBeFalse();
    expect(await left()).toBe(0);
  });

  test('removeExpired() goes on with the next table when one cannot be worked on, and says which', async () => {
    const { db, clock, log, recorded, left } = await rig(3);
    const broken = Object.assign(Object.create(db), {
      transact: (work: (tables: Tables) => Promise<unknown>) =>
        db.transact((tables) =>
          work({
            ...tables,
            codes: {
              ...tables.codes,
              remove: () => Promise.reject(new Unavailable('storage_away', 'locked')),
            },
          }),
        ),
    });
    expect(await removeExpired({ db: broken, clock, log })).toBeFalse();
    expect(await left()).toBe(0);
    expect(recorded.lines()).toMatchObject([{ level: 'warn', table: 'codes' }]);
  });
});

test('createSweep() sweeps once a minute, and at every call while there is more', async () => {
  const { db, clock, log, left } = await rig(100_500);
  const sweep = createSweep({ db, clock, log });
  await sweep();
  expect(await left()).toBe(100_500);
  clock.advance(60_000);
  for (const expected of [50_500, 500, 0, 0]) {
    await sweep();
    expect(await left()).toBe(expected);
  }
});
