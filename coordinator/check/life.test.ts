import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { systemIds } from '../../shared/ids.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import { planBooking } from '../bookings/bookings.ts';
import { cancelBooking } from '../bookings/moves.ts';
import { tickBookings } from '../bookings/ticks.ts';
import { claimHost } from '../fleet/claims.ts';
import { tick } from '../fleet/fleet.ts';
import { capacityOf } from '../seats/rules-capacity.ts';
import { slot_ms } from '../seats/rules-slots.ts';
import { bookingNeeds } from '../sessions/booked.ts';
import { extendSession, offerExtensions } from '../sessions/extensions.ts';
import { endSession, joinSession } from '../sessions/members.ts';
import type { Database } from '../store/database.ts';
import { memoryDatabase } from '../testing/database.ts';
import { openMigrated } from '../testing/mysql.ts';
import { account } from '../testing/rows.ts';
import { connect, member, minute_ms, ready, report, started, worldUnderTest } from '../testing/world.ts';
import { checkData, type Finding } from './run.ts';

setDefaultTimeout(120_000);

let server: PrivateMariadb;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server[Symbol.asyncDispose]());

/** The database in memory waits for nothing outside: others have their turn here. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Checks again and again, beside whatever else is done, until it is stopped; what was found. */
const watched = (db: Database, clock: { now(): number }) => {
  const needs = { db, clock: { ...fakeClock(), now: () => clock.now() }, ids: systemIds };
  const findings: Finding[] = [];
  let stopped = false;
  let rounds = 0;
  const running = (async () => {
    while (!stopped) {
      const found = await checkData(needs, true);
      findings.push(...found.findings, ...found.repaired);
      rounds += 1;
      await turn();
    }
  })();
  return {
    found: () => ({ findings, rounds }),
    async [Symbol.asyncDispose]() {
      stopped = true;
      await running;
    },
  };
};

/** Bookings and sessions as they come and go: booked, moved along, started early, failed, played, extended, cancelled, missed. */
const live = async (db: Database) => {
  const { world, clock, link, hello } = await worldUnderTest({ idle_seconds: 0 }, db, fakeClock(), 4);
  await db.transact(({ accounts }) => accounts.insert(account(2, { role: 'admin' })));
  await claimHost(world, 'a', 4, capacityOf(4));
  await using watch = watched(db, clock);
  const pass = async (minutes: number) => {
    for (let passed = 0; passed < minutes; passed += 5) {
      await turn();
      clock.advance(5 * minute_ms);
      const running = [...world.sessions.values()].filter(({ end }) => end === null);
      hello(
        running.map(({ id, generation, phase }) => ({
          ...{ session_id: id, generation },
          state: phase === 'ready' ? 'ready' : 'starting',
        })),
      );
      tick(world);
      await tickBookings(bookingNeeds(world));
      for (const { id, phase } of [...world.sessions.values()]) {
        if (phase === 'assigned') ready(world, link, id);
      }
      for (const id of [...world.sessions.keys()]) await world.saver.saved(id);
    }
  };
  const first = Math.ceil(clock.now() / slot_ms) * slot_ms + 6 * slot_ms;
  const plan = async (slots: number) => {
    const [date = '', time = ''] = new Date(first + slots * slot_ms).toISOString().slice(0, 16).split('T');
    const visitor = { account: account(1), network: '192.0.2.1', base: 'https://vitrina.example' };
    const made = await planBooking(world, { app: 'Loft', date, time, zone: 'UTC', minutes: 30 }, visitor);
    if (isRefusal(made)) throw new Error(made.refused);
    return { ...made, cancel: () => cancelBooking(world, made.id, visitor, made.version) };
  };
  const [played, missed, failed, cancelled] = [await plan(0), await plan(0), await plan(1), await plan(2)];
  await cancelled.cancel();
  const one = await started(world);
  ready(world, link, one.session.id);
  connect(world, one);
  await pass(25);
  const sessionOf = ({ id }: { id: string }) =>
    [...world.sessions.values()].find((session) => session.booking_id === id && session.end === null);
  const early = sessionOf(played);
  expect(early?.phase).toBe('ready');
  report(world, link, sessionOf(failed)?.id ?? '', { type: 'host_ended', reason: 'app_crashed' });
  const guest = await joinSession(world, { code: played.code }, '192.0.2.1');
  if (isRefusal(guest)) throw new Error(guest.refused);
  connect(world, guest);
  await pass(30);
  await offerExtensions(world);
  expect(isRefusal(await extendSession(world, member(world, one)))).toBeFalse();
  await pass(10);
  await endSession(world, member(world, one));
  await pass(5);
  report(world, link, one.session.id, { type: 'host_ended', reason: 'owner_ended' });
  await pass(60);
  const states = await db.read(async ({ bookings }) =>
    Promise.all(
      [played, missed, failed, cancelled].map(async ({ id }) => (await bookings.get({ id }))?.state),
    ),
  );
  return { ...watch.found(), states };
};

const databases: [name: string, open: () => Promise<Database>][] = [
  ['memory', async () => memoryDatabase()],
  ['MariaDB', async () => openMigrated(await server.createDatabase('alive'))],
];

for (const [name, open] of databases) {
  test(`checkData() finds nothing while a coordinator plays and books on ${name}`, async () => {
    const db = await open();
    const { findings, rounds, states } = await live(db);
    expect(findings).toEqual([]);
    expect(rounds).toBeGreaterThan(0);
    expect(states[0]).toBe('used');
    expect(states[3]).toBe('cancelled');
    await db.close();
  });
}
