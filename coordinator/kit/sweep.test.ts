import { describe, expect, test } from 'bun:test';
import { fakeClock } from '../../shared/testing/clock.ts';
import { removals } from '../expiry.ts';
import { Unavailable } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';
import { memoryDatabase } from '../testing/database.ts';
import { recordedLog } from '../testing/log.ts';
import { account, auditRow, booking, outboxRow, recordRow } from '../testing/rows.ts';
import { memoryStore } from '../testing/store.ts';
import { createSweep, removeExpired } from './sweep.ts';

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
  return { db, clock, recorded, left, log: recorded.log, store: memoryStore([]) };
};

describe('removeExpired()', () => {
  test('removeExpired() takes a portion in each transaction, and so many of one table in one sweep', async () => {
    const { db, clock, store, log, recorded, left } = await rig(51_500);
    let transactions = 0;
    const counting = {
      ...{ clock, log, store },
      db: Object.assign(Object.create(db), {
        transact: (work: (tables: Tables) => Promise<unknown>) => {
          transactions += 1;
          return db.transact(work);
        },
      }),
    };
    expect(await removeExpired(counting, removals)).toBeTrue();
    expect([transactions, await left()]).toEqual([50 + 13, 1_500]);
    expect(recorded.lines().filter(({ msg }) => msg === 'removed what had expired')).toMatchObject([
      { table: 'counters', removed: 50_000, more: true },
    ]);
    expect(await removeExpired(counting, removals)).toBeFalse();
    expect(await left()).toBe(0);
  });

  test('removeExpired() goes on with the next table when one cannot be worked on, and says which', async () => {
    const { db, clock, store, log, recorded, left } = await rig(3);
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
    expect(await removeExpired({ db: broken, clock, store, log }, removals)).toBeFalse();
    expect(await left()).toBe(0);
    expect(recorded.lines()).toMatchObject([{ level: 'warn', table: 'codes' }]);
  });
});

describe('removeExpired() of what is over', () => {
  const day = 86_400_000;
  const setUp = async (patch: object) => {
    const db = memoryDatabase();
    const clock = fakeClock(Date.UTC(2027, 4, 31));
    const ago = (days: number) => clock.now() - days * day;
    await db.transact(async (tables) => {
      for (const days of [31, 32, 33, 400]) {
        const times = { starts_at: ago(days), ends_at: ago(days) + 3_600_000 };
        await tables.bookings.insert(booking(days, { ...times, state: 'used' }));
        await tables.bookings.insert(booking(1_000 + days, { ...times, state: 'held' }));
        await tables.records.insert(recordRow(days, { ended_at: ago(days) }));
        await tables.audit.insert(auditRow(days, { at: ago(days) }));
        await tables.outbox.insert(outboxRow(days, { due_at: ago(days) }));
        for (const state of ['rejected', 'approved', 'pending'] as const) {
          const id = `${state}-${days}`;
          await tables.accounts.insert(account(days, { id, email: `${id}@x`, state, created_at: ago(days) }));
          await tables.account_looks.insert({ look: id, spelling: 's', account_id: id });
        }
      }
    });
    await removeExpired({ db, clock, store: memoryStore([], patch), log: recordedLog().log }, removals);
    return db.read(async (tables) => ({
      used: await tables.bookings.count({ state: 'used' }),
      held: await tables.bookings.count({ state: 'held' }),
      records: await tables.records.count({}),
      audit: await tables.audit.count({}),
      outbox: await tables.outbox.count({}),
      accounts: await tables.accounts.count({}),
      looks: await tables.account_looks.count({}),
    }));
  };

  test('removeExpired() keeps everything for ever that the configuration says nothing of, and events for a week', async () => {
    const all = { used: 4, held: 4, records: 4, audit: 4, accounts: 12, looks: 12 };
    expect(await setUp({})).toEqual({ ...all, outbox: 0 });
  });

  test('removeExpired() keeps each for as long as the configuration wants, and never what is not over', async () => {
    const patch = {
      keep_bookings_days: 31,
      keep_records_days: '32',
      keep_audit_days: 33,
      keep_rejected_accounts_days: 300,
      keep_events_days: 32,
    };
    // A booking that began 32 days ago may have been over for 31 days only.
    const left = { used: 2, held: 4, records: 2, audit: 3, outbox: 2, accounts: 11, looks: 11 };
    expect(await setUp(patch)).toEqual(left);
  });
});

test('createSweep() sweeps once a minute, and at every call while there is more', async () => {
  const { db, clock, store, log, left } = await rig(100_500);
  const sweep = createSweep({ db, clock, store, log }, removals);
  await sweep();
  expect(await left()).toBe(100_500);
  clock.advance(60_000);
  for (const expected of [50_500, 500, 0, 0]) {
    await sweep();
    expect(await left()).toBe(expected);
  }
});
