import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { refuse } from '../../shared/errors.ts';
import { seeded } from '../../shared/testing/random.ts';
import { type Database, Taken } from '../store/database.ts';
import { shapes } from '../store/shapes.ts';
import type { Booking, Tables } from '../store/tables.ts';
import { account, booking, hostRow, session, slot } from './rows.ts';

export interface OpenDatabase extends AsyncDisposable {
  readonly database: Database;
}

const failed = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing',
    (error: unknown) => error,
  );

const clear = (tables: Tables): Promise<unknown> =>
  Promise.all([
    tables.accounts.remove({ created_at: { from: 0 } }),
    tables.bookings.remove({ created_at: { from: 0 } }),
    tables.seat_slots.remove({ slot_at: { from: 0 } }),
    tables.sessions.remove({ updated_at: { from: 0 } }),
    tables.hosts.remove({ created_at: { from: 0 } }),
  ]);

/** What every database has to do, and do alike. */
export const testDatabase = (name: string, open: () => Promise<OpenDatabase>): void => {
  describe(name, () => {
    let opened: OpenDatabase;
    let database: Database;
    beforeAll(async () => {
      ({ database } = opened = await open());
    });
    beforeEach(() => database.transact(clear));
    afterAll(() => opened[Symbol.asyncDispose]());

    const insert = (...rows: Booking[]) => database.transact(({ bookings }) => bookings.insert(...rows));

    test('transact() stores rows of each kind of column as they were', async () => {
      const rows = [
        account(1, { name: 'Ünï çødé 𝄞 ', reason: '', decided_at: 0, email: 'ÄB@x' }),
        account(2, { name: "Robert'); DROP TABLE accounts;-- \0\\", reason: null, role: 'admin' }),
      ];
      const long = session(1, { data: JSON.stringify({ text: 'я'.repeat(100_000) }), ends_at: 2 ** 53 - 1 });
      const hosts = [hostRow('host-x', { capacity: '{}', draining_cards: '[3]' }), hostRow('host-y')];
      await database.transact(async (tables) => {
        await tables.accounts.insert(...rows);
        await Promise.all([tables.sessions.insert(long), tables.hosts.insert(...hosts)]);
      });
      expect(await database.read((tables) => tables.hosts.find({}))).toEqual(hosts);
      expect(await database.read(({ accounts }) => accounts.find({}))).toEqual(rows);
      expect(await database.read(({ sessions }) => sessions.get({ id: 'session-1' }))).toEqual(long);
    });

    test('transact() keeps nothing of work that throws, or is refused', async () => {
      await database.transact(({ accounts }) => accounts.insert(account(1), account(2)));
      const change = async ({ accounts, bookings }: Tables) => {
        await accounts.update({ id: 'account-1' }, { name: 'New' });
        await accounts.remove({ id: 'account-2' });
        await accounts.insert(account(3));
        await bookings.insert(booking(1));
      };
      const mind = new Error('mine');
      expect(
        await failed(database.transact((tables) => change(tables).then(() => Promise.reject(mind)))),
      ).toBe(mind);
      const refusal = refuse('time_taken');
      expect(await database.transact((tables) => change(tables).then(() => refusal))).toEqual(refusal);
      expect(await database.read(({ accounts }) => accounts.find({}))).toEqual([account(1), account(2)]);
      expect(await database.read(({ bookings }) => bookings.count({}))).toBe(0);
    });

    test('transact() gives the value of work, and its tables can be used no longer than that', async () => {
      const kept: Tables[] = [];
      expect(await database.transact(async (tables) => kept.push(tables))).toBe(1);
      expect(await failed(Promise.resolve(kept[0]?.accounts.count({})))).toBeInstanceOf(Error);
    });

    test('insert() says which index is taken, adds all rows or none, and the transaction goes on', async () => {
      const errors = await database.transact(async ({ accounts, seat_slots }) => {
        await accounts.insert(account(1));
        await seat_slots.insert(slot(2));
        return [
          await failed(accounts.insert(account(2), account(1))),
          await failed(accounts.insert(account(3), account(4, { email: account(1).email }))),
          await failed(seat_slots.insert(slot(0), slot(1), slot(2), slot(3))),
        ];
      });
      expect(errors).toEqual([
        new Taken('accounts', 'key'),
        new Taken('accounts', 'email'),
        new Taken('seat_slots', 'key'),
      ]);
      expect(errors.every((error) => error instanceof Taken)).toBeTrue();
      expect(await database.read(({ accounts }) => accounts.find({}))).toEqual([account(1)]);
      expect(await database.read((tables) => tables.seat_slots.count({}))).toBe(1);
    });

    test('insert() takes texts that differ in case, accent or width for different', async () => {
      const emails = ['a@x', 'A@x', 'á@x', 'ａ@x', 'a@x.', 'ß@x', 'ss@x'];
      await database.transact(({ accounts }) =>
        accounts.insert(...emails.map((email, number) => account(number, { email }))),
      );
      for (const [number, email] of emails.entries()) {
        const found = await database.read(({ accounts }) => accounts.find({ email }));
        expect(found).toEqual([account(number, { email })]);
      }
      expect(await database.read(({ accounts }) => accounts.find({ email: 'a@x ' }))).toEqual([]);
    });

    test('insert() refuses what a column cannot hold', async () => {
      const wrong = [
        account(1, { id: 'with space' }),
        account(1, { id: 'x'.repeat(65) }),
        account(1, { email: ' a@x' }),
        account(1, { email: 'x'.repeat(255) }),
        account(1, { name: 'half \ud800' }),
        account(1, { epoch: 1.5 }),
        account(1, { epoch: 2 ** 31 }),
        account(1, { created_at: 2 ** 53 }),
        account(1, { created_at: Number.NaN }),
        account(1, { created_at: -1 }),
      ];
      for (const row of wrong) {
        const error = await failed(database.transact(({ accounts }) => accounts.insert(row)));
        expect(error).toBeInstanceOf(TypeError);
      }
      expect(await database.read(({ accounts }) => accounts.count({}))).toBe(0);
    });

    test('update() changes what is as expected, counts the version and says whether it did', async () => {
      await database.transact(({ accounts }) =>
        accounts.insert(account(1, { state: 'pending' }), account(2)),
      );
      const key = { id: 'account-1' };
      const done = await database.transact(async ({ accounts }) => [
        await accounts.update(key, { state: 'approved' }, { state: 'pending', version: 1 }),
        await accounts.update(key, { state: 'rejected' }, { state: 'pending' }),
        await accounts.update(key, { name: 'Old' }, { version: 1 }),
        await accounts.update(key, { name: 'New' }),
        await accounts.update({ id: 'nobody' }, { name: 'New' }),
        await failed(accounts.update(key, { email: account(2).email })),
      ]);
      expect(done).toEqual([true, false, false, true, false, new Taken('accounts', 'email')]);
      const found = await database.read(({ accounts }) => accounts.get(key));
      expect(found).toEqual(account(1, { state: 'approved', name: 'New', version: 3 }));
    });

    test('update() of nothing new still counts as done', async () => {
      await database.transact((tables) => tables.seat_slots.insert(slot(0)));
      const { host, seat, slot_at, holder } = slot(0);
      const done = database.transact((tables) =>
        tables.seat_slots.update({ host, seat, slot_at }, { holder }),
      );
      expect(await done).toBeTrue();
    });

    test('remove() removes what it names and counts it', async () => {
      await insert(booking(1), booking(2), booking(3, { app: 'loft' }));
      const app = 'garden';
      const remove = (limit: object) => database.transact(({ bookings }) => bookings.remove({ app }, limit));
      expect([await remove({ limit: 1 }), await remove({})]).toEqual([1, 1]);
      expect(await database.read(({ bookings }) => bookings.find({}))).toEqual([booking(3, { app: 'loft' })]);
      const nothing = await failed(database.transact(({ bookings }) => bookings.remove({})));
      expect(nothing).toBeInstanceOf(TypeError);
    });

    test('get() and lock() find by the whole key and nothing else, and nothing for a key that no row can have', async () => {
      await database.transact((tables) => tables.seat_slots.insert(slot(0), slot(1), slot(0, { seat: 1 })));
      await insert(booking(1));
      const { host, seat, slot_at } = slot(1);
      const found = await database.transact(async (tables) => [
        await tables.seat_slots.get({ host, seat, slot_at }),
        await tables.seat_slots.lock({ host, seat, slot_at }),
        await tables.seat_slots.get({ host, seat: 7, slot_at }),
        await tables.seat_slots.get({ host: `${host} `, seat, slot_at }),
        await tables.accounts.lock({ id: 'ünknown' }),
        await tables.bookings.lock(booking(1, { title: 'as it was', version: 7 })),
        await tables.bookings.update(booking(1, { title: 'as it was' }), { seat: 1 }),
      ]);
      expect(found).toEqual([slot(1), slot(1), undefined, undefined, undefined, booking(1), true]);
    });

    test('find() compares by value, list, range and absence', async () => {
      const rows = [1, 2, 3, 4, 5].map((number) =>
        booking(number, { starts_at: number * 300_000, title: number > 3 ? 'late' : null }),
      );
      const absent = booking(6, { account_id: null, starts_at: 1_800_000 });
      await insert(...rows, absent);
      const ids = async (where: Parameters<Tables['bookings']['find']>[0]) =>
        (await database.read(({ bookings }) => bookings.find(where))).map(({ id }) => Number(id.slice(8)));
      expect(await ids({ id: { in: ['booking-2', 'booking-4', 'nobody', 'not possible'] } })).toEqual([2, 4]);
      expect(await ids({ id: { in: [] } })).toEqual([]);
      expect(await ids({ starts_at: { from: 600_000, to: 1_200_000 } })).toEqual([2, 3]);
      expect(await ids({ app: 'garden', starts_at: { to: 600_000 } })).toEqual([1]);
      expect(await ids({ starts_at: { from: 1_500_000 }, state: { in: ['held', 'open'] } })).toEqual([5, 6]);
      expect(await ids({ account_id: null })).toEqual([6]);
      expect(await ids({ account_id: { from: 'a' } })).toEqual([1, 2, 3, 4, 5]);
      expect(await ids({ account_id: 'nobody' })).toEqual([]);
      expect(await failed(ids({ title: 'late' }))).toBeInstanceOf(TypeError);
      expect(await failed(ids({ starts_at: { to: Number.POSITIVE_INFINITY } }))).toBeInstanceOf(TypeError);
    });

    test('find() sorts, limits and pages in both directions as a plain search does', async () => {
      const random = seeded(7);
      const rows = Array.from({ length: 60 }, (_, number) =>
        booking(number, {
          app: random.pick(['garden', 'loft']),
          host: random.pick(['host-a', 'host-b', 'host-B']),
          seat: random.below(3) - 1,
          starts_at: random.below(10) * 300_000,
        }),
      );
      await insert(...rows);
      const orders = [[], ['starts_at'], ['host', 'seat'], ['seat', 'starts_at']] as const;
      for (const order of orders) {
        for (const descending of [false, true]) {
          for (const where of [{}, { app: 'garden' }, { host: 'host-a', starts_at: { from: 600_000 } }]) {
            const all = await database.read(({ bookings }) => bookings.find(where, { order, descending }));
            const sign = descending ? -1 : 1;
            const compare = (a: Booking, b: Booking): number => {
              for (const column of [...order, 'id'] as const) {
                if (a[column] !== b[column]) return a[column] < b[column] ? -sign : sign;
              }
              return 0;
            };
            const matching = rows.filter(
              ({ app, host, starts_at }) =>
                ('app' in where ? app === 'garden' : true) &&
                ('host' in where ? host === 'host-a' && starts_at >= 600_000 : true),
            );
            expect(all).toEqual(matching.toSorted(compare));
            const paged: Booking[] = [];
            for (;;) {
              const after = paged.at(-1);
              const selection = { order, descending, limit: 7, ...(after === undefined ? {} : { after }) };
              const page = await database.read(({ bookings }) => bookings.find(where, selection));
              paged.push(...page);
              if (page.length < 7) break;
            }
            expect(paged).toEqual(all);
            expect(await database.read(({ bookings }) => bookings.count(where))).toBe(all.length);
          }
        }
      }
    });

    test('transact() runs at the same time as others without losing a step', async () => {
      await database.transact(({ accounts }) => accounts.insert(account(1), account(2)));
      const step = (key: { id: string }) =>
        database.transact(async ({ accounts }) => {
          const row = await accounts.lock(key);
          return accounts.update(key, { epoch: (row?.epoch ?? 0) + 1 });
        });
      await Promise.all(
        Array.from({ length: 100 }, (_, number) => step({ id: `account-${1 + (number % 2)}` })),
      );
      const found = await database.read(({ accounts }) => accounts.find({}));
      expect(found.map(({ epoch, version }) => [epoch, version])).toEqual([
        [50, 51],
        [50, 51],
      ]);
    });

    test('transact() never lets two bookings have one slot', async () => {
      const book = (number: number) =>
        database.transact(async ({ bookings, seat_slots }) => {
          const start = number % 5;
          await bookings.insert(booking(number));
          await seat_slots.insert(
            ...[0, 1, 2].map((at) => slot(start + at, { holder: `booking-${number}` })),
          );
        });
      const results = await Promise.all(Array.from({ length: 40 }, (_, number) => failed(book(number))));
      const won = results.filter((result) => result === 'nothing').length;
      expect(won).toBeGreaterThanOrEqual(1);
      expect(results.every((result) => result === 'nothing' || result instanceof Taken)).toBeTrue();
      const held = await database.read((tables) => tables.seat_slots.find({}));
      expect(held).toHaveLength(won * 3);
      expect(await database.read(({ bookings }) => bookings.count({}))).toBe(won);
    });

    test('read() sees each table of the schema', async () => {
      const counts = await database.read((tables) =>
        Promise.all([
          ...Object.values(tables).map(async (table) => (await table.find({}, { limit: 1 })).length),
        ]),
      );
      expect(counts).toEqual(Object.keys(shapes).map(() => 0));
    });

    test('health() is good', async () => {
      expect(await database.health()).toMatchObject({ ok: true });
    });
  });
};
