import { type Database, Taken } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';
import { account, booking, hostRow, slot } from './rows.ts';

/** What one side does; `meet` waits, the first time, until the other side has come as far. */
type Side = (tables: Tables, meet: () => Promise<void>) => Promise<void>;

export interface Interleaving {
  readonly name: string;
  readonly sides: readonly [Side, Side];
  /** How many of the two are stored; the other is refused with Taken or finds that it may not. */
  readonly winners: 1 | 2;
}

/** What a decision throws that finds the seat or the booking changed. */
class Occupied extends Error {}

const host = { name: 'host-a' };

const check = async ({ seat_slots }: Tables, at: number, count: number, seat = 0): Promise<void> => {
  const range = { from: slot(at).slot_at, to: slot(at + count).slot_at };
  const held = await seat_slots.count({ host: host.name, seat, slot_at: range });
  if (held > 0) throw new Occupied('occupied');
};

const hold = async ({ seat_slots }: Tables, number: number, slots: readonly number[], seat = 0) =>
  seat_slots.insert(...slots.map((at) => slot(at, { seat, holder: `booking-${number}` })));

const book = async (tables: Tables, number: number, slots: readonly number[], seat = 0): Promise<void> => {
  await tables.bookings.insert(booking(number, { seat }));
  await hold(tables, number, slots, seat);
};

const release = ({ seat_slots }: Tables, number: number) =>
  seat_slots.remove({ holder: `booking-${number}` });

/** Books with a plain check, which both sides pass before either inserts. */
const blind =
  (number: number, slots: readonly number[]): Side =>
  async (tables, meet) => {
    await check(tables, slots[0] ?? 0, slots.length);
    await meet();
    await book(tables, number, slots);
  };

const lockingNothing =
  (number: number): Side =>
  async (tables, meet) => {
    const { seat, slot_at } = slot(0);
    const found = await tables.seat_slots.lock({ host: host.name, seat, slot_at });
    if (found !== undefined) throw new Occupied('occupied');
    await meet();
    await book(tables, number, [0, 1]);
  };

const oneByOne =
  (number: number, [first, second]: readonly [number, number]): Side =>
  async (tables, meet) => {
    await book(tables, number, [first]);
    await meet();
    await hold(tables, number, [second]);
  };

/** Books as every coordinator does: the host is locked before anything is looked at. */
const locked =
  (number: number, before: (tables: Tables) => Promise<unknown> = async () => undefined): Side =>
  async (tables, meet) => {
    await before(tables);
    await meet();
    await tables.hosts.lock(host);
    await check(tables, 0, 2);
    await book(tables, number, [0, 1]);
  };

const move =
  (number: number, from: number, to: number): Side =>
  async (tables, meet) => {
    await meet();
    await tables.hosts.lock(host);
    await release(tables, number);
    await check(tables, 0, 2, to);
    await hold(tables, number, [0, 1], to);
    const expected = { state: 'held', seat: from, version: 1 } as const;
    if (!(await tables.bookings.update({ id: `booking-${number}` }, { seat: to }, expected))) {
      throw new Occupied('changed');
    }
  };

const cancel =
  (number: number): Side =>
  async (tables, meet) => {
    await meet();
    await tables.hosts.lock(host);
    const key = { id: `booking-${number}` };
    if (!(await tables.bookings.update(key, { state: 'cancelled' }, { state: 'held', version: 1 }))) {
      throw new Occupied('changed');
    }
    await release(tables, number);
  };

const lockBoth =
  (first: number, second: number, number: number): Side =>
  async (tables, meet) => {
    await tables.accounts.lock({ id: `account-${first}` });
    await meet();
    await tables.accounts.lock({ id: `account-${second}` });
    await book(tables, number, [number]);
  };

/** The ways in which two can meet. Bookings 8 and 9 are there before, on seats 8 and 9 for the first two slots. */
export const interleavings: readonly Interleaving[] = [
  { name: 'a plain check', sides: [blind(1, [0, 1]), blind(2, [0, 1])], winners: 1 },
  { name: 'one range within the other', sides: [blind(1, [0, 1, 2, 3]), blind(2, [1, 2])], winners: 1 },
  {
    name: 'slots taken one by one in opposite orders, a deadlock',
    sides: [oneByOne(1, [0, 1]), oneByOne(2, [1, 0])],
    winners: 1,
  },
  {
    name: 'a check that locks a row that is not there',
    sides: [lockingNothing(1), lockingNothing(2)],
    winners: 1,
  },
  { name: 'the host locked first', sides: [locked(1), locked(2)], winners: 1 },
  {
    name: 'another read before the host is locked',
    sides: [
      locked(1, ({ seat_slots }) => seat_slots.count({})),
      locked(2, ({ bookings }) => bookings.find({})),
    ],
    winners: 1,
  },
  {
    name: 'the account locked before the host',
    sides: [
      locked(1, ({ accounts }) => accounts.lock({ id: 'account-1' })),
      locked(2, ({ accounts }) => accounts.lock({ id: 'account-2' })),
    ],
    winners: 1,
  },
  { name: 'a booking and a move to its seat', sides: [locked(1), move(8, 8, 0)], winners: 1 },
  { name: 'two moves to one seat', sides: [move(8, 8, 0), move(9, 9, 0)], winners: 1 },
  { name: 'a cancellation and a move of one booking', sides: [cancel(8), move(8, 8, 3)], winners: 1 },
  { name: 'two cancellations', sides: [cancel(8), cancel(8)], winners: 1 },
  {
    name: 'accounts locked in opposite orders, a deadlock',
    sides: [lockBoth(1, 2, 1), lockBoth(2, 1, 2)],
    winners: 2,
  },
];

/** What came of two sides that meet: who won, and whatever does not belong together. */
export interface Meeting {
  readonly winners: number;
  /** Errors other than a refusal. */
  readonly errors: readonly unknown[];
  /** Bookings whose slots do not fit their state and seat. */
  readonly wrong: readonly string[];
}

const prepare = async (tables: Tables): Promise<void> => {
  await tables.bookings.remove({ created_at: { from: 0 } });
  await tables.seat_slots.remove({ slot_at: { from: 0 } });
  await tables.accounts.remove({ created_at: { from: 0 } });
  await tables.hosts.remove(host);
  await tables.hosts.insert(hostRow(host.name));
  await tables.accounts.insert(account(1), account(2));
  for (const number of [8, 9]) await book(tables, number, [0, 1], number);
};

/** Lets the sides meet, each in a coordinator of its own. */
export const letMeet = async (
  { sides }: Interleaving,
  coordinators: readonly [Database, Database],
): Promise<Meeting> => {
  const [database] = coordinators;
  await database.transact(prepare);
  const both = Promise.withResolvers<void>();
  let here = 0;
  const run = async (side: Side, coordinator: Database): Promise<unknown> => {
    let met = false;
    const meet = async () => {
      if (met) return;
      met = true;
      here += 1;
      if (here === 2) both.resolve();
      await both.promise;
    };
    try {
      await coordinator.transact((tables) => side(tables, meet));
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const results = await Promise.all([run(sides[0], coordinators[0]), run(sides[1], coordinators[1])]);
  const { bookings, slots } = await database.read(async (tables) => ({
    bookings: await tables.bookings.find({}),
    slots: await tables.seat_slots.find({}),
  }));
  const wrong = bookings.filter(({ id, state, seat }) => {
    const own = slots.filter(({ holder }) => holder === id);
    return (state === 'held') !== own.length > 0 || own.some((one) => one.seat !== seat);
  });
  return {
    winners: results.filter((result) => result === undefined).length,
    errors: results.filter(
      (result) => result !== undefined && !(result instanceof Taken) && !(result instanceof Occupied),
    ),
    wrong: wrong.map(({ id }) => id),
  };
};
