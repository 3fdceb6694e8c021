import { parseArgs } from 'node:util';
import { systemClock } from '../../shared/clock.ts';
import { isRefusal } from '../../shared/errors.ts';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import { startMariadb } from '../../shared/testing/mariadb.ts';
import { seeded } from '../../shared/testing/random.ts';
import { availability } from '../bookings/availability.ts';
import { planBooking } from '../bookings/bookings.ts';
import type { Services } from '../kit/services.ts';
import { slot_ms } from '../seats/rules-slots.ts';
import type { Database } from '../store/database.ts';
import { openJsonDatabase } from '../store/json/open.ts';
import { insert_rows } from '../store/table.ts';
import type { Booking } from '../store/tables.ts';
import { memoryBus } from './bus.ts';
import { temporaryFolder } from './folder.ts';
import { openMigrated } from './mysql.ts';
import { percentiles, timed } from './percentiles.ts';
import { account, appRow, booking, hostRow } from './rows.ts';
import { memoryStore } from './store.ts';

/**
 * `bun coordinator/testing/bench-availability.ts [--queries N]`: how long one answer about the free times of an app takes,
 * for 31 days, with 100,000 bookings on 200 hosts of four seats, on MariaDB and on the JSON files. `wide` is an app that
 * all hosts have, `narrow` one of twenty. Every tenth query follows a new booking. Prints JSON, milliseconds.
 */
const hosts = 200;
const seats = 4;
const rows = 100_000;
const narrow_hosts = 20;
const hour_ms = 3_600_000;

const nameOf = (host: number): string => `host-${String(host).padStart(3, '0')}`;

/** Visits of an hour, as evenly over the seats as 100,000 can be: 125 on each within the next 60 days. */
const bookingsFrom = (now: number): Booking[] => {
  const random = seeded(1);
  const first = Math.ceil(now / slot_ms) * slot_ms + hour_ms;
  const per_seat = rows / (hosts * seats);
  const apart = Math.floor((59 * 24 * hour_ms) / per_seat / slot_ms) * slot_ms;
  return Array.from({ length: rows }, (_, at): Booking => {
    const place = at % (hosts * seats);
    const nth = Math.floor(at / (hosts * seats));
    const starts_at = first + nth * apart + random.below((apart - hour_ms) / slot_ms) * slot_ms;
    const app = place % 10 === 0 ? 'narrow' : 'wide';
    const host = nameOf(Math.floor(place / seats));
    return booking(at, {
      account_id: 'account-2',
      app,
      host,
      seat: place % seats,
      starts_at,
      ends_at: starts_at + hour_ms,
    });
  });
};

const fill = async (db: Database, now: number): Promise<void> => {
  await db.transact(async (tables) => {
    await tables.accounts.insert(account(1));
    await tables.apps.insert(appRow('wide'), appRow('narrow'));
    for (let host = 0; host < hosts; host++) {
      await tables.hosts.insert(hostRow(nameOf(host), { seats }));
      await tables.host_apps.insert({ host: nameOf(host), app: 'wide' });
      if (host < narrow_hosts) await tables.host_apps.insert({ host: nameOf(host), app: 'narrow' });
    }
  });
  const all = bookingsFrom(now);
  for (let at = 0; at < all.length; at += insert_rows) {
    const some = all.slice(at, at + insert_rows);
    await db.transact(({ bookings }) => bookings.insert(...some));
  }
};

const measure = async (services: Services, app: string, queries: number) => {
  const day = (days: number) => new Date(services.clock.now() + days * 24 * hour_ms).toISOString();
  const request = { from: day(0).slice(0, 10), to: day(30).slice(0, 10), minutes: 60 };
  const ask = async () => {
    const answer = await availability(services, app, request);
    if (isRefusal(answer)) throw new Error(answer.refused);
    return answer;
  };
  const first = await timed(ask);
  const took: number[] = [];
  const bookings: number[] = [];
  for (let at = 0; at < queries; at++) {
    if (at % 10 === 0) {
      const [date = ''] = day(1 + (at % 29)).split('T');
      const wanted = { app, date, time: '12:00', minutes: 30 };
      const visitor = { account: account(1), network: '', base: 'https://vitrina.example' };
      bookings.push(
        await timed(async () => {
          const made = await planBooking(services, wanted, visitor);
          if (isRefusal(made)) throw new Error(`${made.refused} ${made.detail}`);
        }),
      );
    }
    took.push(await timed(ask));
  }
  const { seats: all, free } = await ask();
  return {
    seats: all,
    runs: free.length,
    first_ms: Math.round(first),
    ...percentiles(took),
    booking_p50_ms: percentiles(bookings).p50_ms,
  };
};

const bench = async (db: Database, queries: number) => {
  const store = memoryStore([], { code_digits: 6, bookings_per_account: 10_000 });
  const services = {
    db,
    store,
    files: store,
    clock: systemClock,
    bus: memoryBus(systemClock),
    ids: systemIds,
    log: silentLog,
  };
  const filled = await timed(() => fill(db, systemClock.now()));
  const narrow = await measure(services, 'narrow', queries);
  const wide = await measure(services, 'wide', queries);
  return { filled_seconds: Math.round(filled / 1_000), narrow, wide };
};

const onMariadb = async (queries: number) => {
  await using mariadb = await startMariadb();
  const db = await openMigrated(await mariadb.createDatabase('bench'));
  try {
    return await bench(db, queries);
  } finally {
    await db.close();
  }
};

const onJson = async (queries: number) => {
  await using folder = await temporaryFolder();
  const db = await openJsonDatabase({ directory: folder.path, clock: systemClock, log: silentLog });
  try {
    return await bench(db, queries);
  } finally {
    await db.close();
  }
};

/** How long answers about free times take on both databases. */
export const benchAvailability = async (queries: number) => ({
  hosts,
  bookings: rows,
  queries,
  mariadb: await onMariadb(queries),
  json: await onJson(queries),
});

if (import.meta.main) {
  const { values } = parseArgs({ options: { queries: { type: 'string' } } });
  const report = await benchAvailability(Number(values.queries ?? 500));
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
}
