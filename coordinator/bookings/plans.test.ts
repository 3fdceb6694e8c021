import { expect, test } from 'bun:test';
import { fakeClock } from '../../shared/testing/clock.ts';
import type { Database } from '../store/database.ts';
import type { ReadTables } from '../store/tables.ts';
import { memoryDatabase } from '../testing/database.ts';
import { hostRow } from '../testing/rows.ts';
import { PlansUnread, planChanged, readPlansOf, readWithPlans, rememberedPlans } from './plans.ts';

/** Forty hosts, and a database one of whose reads breaks once. */
const rig = async (breaks = 2) => {
  const db = memoryDatabase();
  const clock = fakeClock();
  const hosts = Array.from({ length: 40 }, (_, at) => hostRow(`host-${String(at).padStart(2, '0')}`));
  await db.transact((tables) => tables.hosts.insert(...hosts));
  const read: string[][] = [];
  let broken = breaks;
  const counting: Database = Object.assign(Object.create(db), {
    transact: db.transact.bind(db),
    read: async (work: (tables: ReadTables) => Promise<unknown>) => {
      if (broken-- === 0) throw new Error('it takes too long');
      return db.read((tables) =>
        work({
          ...tables,
          bookings: {
            ...tables.bookings,
            find: (where: { host: string | { in: string[] } }, selection?: object) => {
              read.push(typeof where.host === 'string' ? [where.host] : where.host.in);
              return tables.bookings.find(where, selection);
            },
          },
        }),
      );
    },
  });
  return { services: { db: counting, clock }, hosts, read };
};

test('readPlansOf() reads some hosts at a time and keeps what has come when a later read breaks', async () => {
  const { services, hosts, read } = await rig();
  await expect(readPlansOf(services, hosts)).rejects.toThrow('it takes too long');
  expect(read.flat()).toHaveLength(32);
  await readPlansOf(services, hosts);
  expect(read.flat()).toEqual(hosts.map(({ name }) => name));
});

test('readWithPlans() reads many plans before it and few with it, and nothing that has not changed', async () => {
  const { services, hosts, read } = await rig(Number.POSITIVE_INFINITY);
  let runs = 0;
  const cards = () =>
    readWithPlans(services, (tables, seatPlans) => {
      runs += 1;
      return seatPlans(tables, hosts);
    });
  expect(await cards()).toHaveLength(40);
  expect([runs, read.flat()]).toEqual([2, hosts.map(({ name }) => name)]);
  read.length = 0;
  await services.db.transact(async (tables) => {
    for (const { name } of hosts.slice(0, 3)) await planChanged(tables, name);
  });
  await cards();
  expect([runs, read.flat()]).toEqual([3, hosts.slice(0, 3).map(({ name }) => name)]);
  read.length = 0;
  await cards();
  expect([runs, read]).toEqual([4, []]);
});

test('rememberedPlans() reads nothing within a transaction: it says what has to be read before', async () => {
  const { services, hosts, read } = await rig();
  const [one] = hosts;
  if (one === undefined) throw new Error('there are hosts');
  const plans = () => services.db.transact((tables: ReadTables) => rememberedPlans(services, tables, [one]));
  const unread: unknown = await plans().catch((error: unknown) => error);
  expect(unread).toBeInstanceOf(PlansUnread);
  expect(read).toEqual([]);
  if (unread instanceof PlansUnread) await unread.read();
  const cards = await plans();
  expect(cards.flatMap(({ seats }) => seats.map(({ host }) => host))).toEqual(
    Array(one.seats).fill(one.name),
  );
});
