import { isRefusal, type Refusal } from '../../shared/errors.ts';
import { systemIds } from '../../shared/ids.ts';
import type { Booked } from '../../shared/protocol/bookings.ts';
import { type FakeClock, fakeClock } from '../../shared/testing/clock.ts';
import { book, type Visitor } from '../bookings/bookings.ts';
import type { CatalogueServices } from '../catalogue/data-directory.ts';
import { slot_ms, slotsOf } from '../seats/rules-slots.ts';
import type { Database } from '../store/database.ts';
import type { Account, AppRow, HostRow } from '../store/tables.ts';
import { memoryBus } from './bus.ts';
import { recordedLog } from './log.ts';
import { account, appRow, hostRow } from './rows.ts';
import { type MemoryStore, memoryStore } from './store.ts';

/** A Monday morning. */
export const monday = Date.UTC(2026, 10, 2, 9);
export const minute = 60_000;

export interface BookingRig {
  readonly services: CatalogueServices & { readonly clock: FakeClock; readonly store: MemoryStore };
  readonly visitor: (number?: number) => Visitor;
  readonly stranger: Visitor;
  /** Books "garden" today at a time (UTC) for an hour, by account 1 unless said. */
  at(time: string, order?: object, by?: Visitor, key?: string): Promise<Booked | Refusal>;
  /** The same, where a refusal would be the test's fault. */
  booked(time: string, order?: object, by?: Visitor): Promise<Booked>;
}

/** Accounts 1 to 3, app "garden" on "host-a" and "host-b" with two seats each. The changes are of all rows of a kind. */
export const bookingRig = async (
  db: Database,
  {
    patch = {},
    app = {},
    host = {},
    of = {},
  }: { patch?: object; app?: Partial<AppRow>; host?: Partial<HostRow>; of?: Partial<Account> } = {},
): Promise<BookingRig> => {
  const accounts = [1, 2, 3].map((number) => account(number, of));
  await db.transact(async (tables) => {
    await tables.accounts.insert(...accounts);
    await tables.apps.insert(appRow('garden', { max_minutes: 120, ...app }));
    for (const name of ['host-a', 'host-b']) {
      await tables.hosts.insert(hostRow(name, { seats: 2, ...host }));
      await tables.host_apps.insert({ host: name, app: 'garden' });
    }
  });
  const clock = fakeClock(monday);
  const store = memoryStore([], patch);
  const services = {
    db,
    store,
    files: store,
    clock,
    bus: memoryBus(clock),
    ids: systemIds,
    log: recordedLog().log,
  };
  const network = { network: '192.0.2.1', base: 'https://vitrina.example' };
  const visitor = (number = 1): Visitor => ({ account: accounts[number - 1], ...network });
  const at: BookingRig['at'] = async (time, order = {}, by = visitor(), key = undefined) => {
    const wanted = { app: 'garden', date: '2026-11-02', time, minutes: 60, ...order };
    const reply = await book(services, wanted, by, key);
    return isRefusal(reply) ? reply : (reply.body as Booked);
  };
  return {
    services,
    visitor,
    stranger: network,
    at,
    async booked(time, order, by) {
      const made = await at(time, order, by);
      if (isRefusal(made)) throw new Error(`refused: ${made.refused} ${made.detail ?? ''}`);
      return made;
    },
  };
};

/** What does not belong together in the tables of bookings; empty when all is well. */
export const bookingFaults = async (db: Database): Promise<string[]> => {
  const { bookings, slots, codes } = await db.read(async (tables) => ({
    bookings: await tables.bookings.find({}),
    slots: await tables.seat_slots.find({}),
    codes: await tables.codes.find({}),
  }));
  const held = Map.groupBy(slots, ({ holder }) => holder);
  const known = new Map(bookings.map((booking) => [booking.id, booking]));
  const usedCodes = new Map(codes.filter(({ free_at }) => free_at === null).map((row) => [row.holder, row]));
  const faults = bookings.flatMap(({ id, host, seat, state, starts_at, ends_at, code }) => {
    const live = state === 'held' || state === 'open' || state === 'used';
    const wanted = live ? slotsOf({ from: starts_at, to: ends_at }).map((slot) => slot * slot_ms) : [];
    const own = held.get(id) ?? [];
    const right =
      own.every((slot) => slot.host === host && slot.seat === seat) &&
      Bun.deepEquals(
        own.map(({ slot_at }) => slot_at).sort((a, b) => a - b),
        wanted,
      );
    return [
      ...(right ? [] : [`${id} is ${state} with ${own.length} slots of ${wanted.length}`]),
      ...(live === (usedCodes.get(id)?.code === code) ? [] : [`${id} is ${state}, its code is not`]),
    ];
  });
  const orphans = [...held.keys()].filter((holder) => !known.has(holder));
  // The key of seat_slots forbids it; looked at all the same, on the bookings themselves.
  const bySeat = Map.groupBy(
    bookings.filter(({ state }) => state === 'held' || state === 'open' || state === 'used'),
    ({ host, seat }) => `${host} ${seat}`,
  );
  const overlaps = [...bySeat.values()].flatMap((list) => {
    const sorted = list.sort((a, b) => a.starts_at - b.starts_at);
    return sorted.filter((one, at) => one.starts_at < (sorted[at - 1]?.ends_at ?? 0)).map(({ id }) => id);
  });
  return [
    ...faults,
    ...orphans.map((id) => `${id} is unknown and holds slots`),
    ...overlaps.map((id) => `${id} overlaps`),
  ];
};
