import { expect, test } from 'bun:test';
import { fakeClock } from '../../shared/testing/clock.ts';
import { fakeIds } from '../../shared/testing/ids.ts';
import { memoryBus } from '../testing/bus.ts';
import { memoryDatabase } from '../testing/database.ts';
import { recordedLog } from '../testing/log.ts';
import { memoryStore } from '../testing/store.ts';
import { createLease } from './lease.ts';

/** Coordinators of these names on one database and by one clock. */
const leases = (...names: readonly string[]) => {
  const [db, clock, ids] = [memoryDatabase(), fakeClock(), fakeIds()];
  return names.map((coordinator_name) => {
    const recorded = recordedLog();
    const store = memoryStore([], { coordinator_name });
    const lease = createLease({ db, store, clock, bus: memoryBus(clock), ids, log: recorded.log });
    return { ...lease, clock, db, errors: () => recorded.lines().filter(({ level }) => level === 'error') };
  });
};

test('createLease() takes a coordinator for dead that has been silent for 15 s, until it speaks again', async () => {
  const [first, second] = leases('first', 'second');
  if (first === undefined || second === undefined) throw new Error('two');
  for (let passed = 0; passed < 30_000; passed += 5_000) {
    await first.renew();
    await second.renew();
    expect([first.dead().size, second.dead().size]).toEqual([0, 0]);
    first.clock.advance(5_000);
  }
  for (let passed = 0; passed < 15_000; passed += 5_000) {
    await second.renew();
    first.clock.advance(5_000);
  }
  expect([...second.dead().keys()]).toEqual(['first']);
  await first.renew();
  await second.renew();
  expect(second.dead().size).toBe(0);
});

test('createLease() says nothing on a database that is its own', async () => {
  const [only] = leases('main');
  if (only === undefined) throw new Error('one');
  Object.assign(only.db, { shared: false });
  await only.renew();
  expect(await only.db.read(({ coordinators }) => coordinators.count({}))).toBe(0);
});

test('createLease() tells two coordinators of one name that they are two', async () => {
  const [one, other] = leases('main', 'main');
  if (one === undefined || other === undefined) throw new Error('two');
  await one.renew();
  await other.renew();
  expect([one.errors(), other.errors()]).toEqual([[], []]);
  one.clock.advance(5_000);
  await one.renew();
  await other.renew();
  expect([one.errors().length, other.errors().length]).toEqual([1, 1]);
});
