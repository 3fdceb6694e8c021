import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { isRefusal, refuse } from '../../shared/errors.ts';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import { removals } from '../expiry.ts';
import { bounds } from '../kit/limits.ts';
import { removeExpired } from '../kit/sweep.ts';
import type { Database } from '../store/database.ts';
import { type BookingRig, bookingFaults, bookingRig, minute, monday } from '../testing/bookings.ts';
import { memoryDatabase } from '../testing/database.ts';
import { openMigrated } from '../testing/mysql.ts';
import { booking, session, webhookRow } from '../testing/rows.ts';
import { availability } from './availability.ts';
import { book, getBooking, listBookings } from './bookings.ts';
import { hostChanged, hostLost } from './evacuation.ts';
import { cancelBooking, moveBooking } from './moves.ts';
import { planChanged } from './plans.ts';
import { bookingEnded, bookingUsed, tickBookings } from './ticks.ts';

setDefaultTimeout(120_000);

let server: PrivateMariadb | undefined;
let databases = 0;

const kinds: Record<string, () => Promise<Database>> = {
  memory: async () => memoryDatabase(),
  MariaDB: async () => {
    server ??= await startMariadb();
    databases += 1;
    return openMigrated(await server.createDatabase(`bookings${databases}`));
  },
};
afterAll(() => server?.[Symbol.asyncDispose]());

const refusedBy = (value: unknown): string => (isRefusal(value) ? value.refused : 'nothing');

for (const [kind, open] of Object.entries(kinds)) {
  describe(`${book.name}() on ${kind}`, () => {
    let db: Database;
    const rigs = async (options: Parameters<typeof bookingRig>[1] = {}): Promise<BookingRig> => {
      await db.transact(async (tables) => {
        const always = { from: 0 };
        await tables.accounts.remove({ created_at: always });
        await tables.bookings.remove({ created_at: always });
        await tables.seat_slots.remove({ slot_at: always });
        await tables.sessions.remove({ created_at: always });
        await tables.idempotency.remove({ expires_at: always });
        // Not the revisions of plans: they only ever grow.
        await tables.counters.remove({ window_at: { from: 1 } });
        for (const host of ['host-a', 'host-b']) await planChanged(tables, host);
        await tables.outbox.remove({ created_at: always });
        for (const name of ['host-a', 'host-b']) {
          await tables.hosts.remove({ name });
          await tables.host_apps.remove({ host: name });
        }
        await tables.apps.remove({ name: 'garden' });
        await tables.webhooks.remove({ enabled: true });
        await tables.codes.remove({ code: { from: '0' } });
      });
      return bookingRig(db, options);
    };
    beforeAll(async () => {
      db = await open();
    });
    afterAll(() => db.close());

    test(`book() holds a seat, a code and an invite, and says so to webhooks, on ${kind}`, async () => {
      const { services, booked } = await rigs();
      await db.transact(({ webhooks }) =>
        webhooks.insert(webhookRow(1, { events: '["booking.created","booking.cancelled"]' })),
      );
      const made = await booked('12:00', { title: 'A walk' });
      expect(made).toMatchObject({
        state: 'held',
        starts_at: monday + 180 * minute,
        minutes: 60,
        title: 'A walk',
        local: { date: '2026-11-02', time: '12:00', zone: 'UTC' },
        version: 1,
      });
      expect(made.code).toMatch(/^\d{4}$/);
      expect(made.invite_url).toMatch(/^https:\/\/vitrina\.example\/i\/[\w-]{22}$/);
      expect(made.token).toBeUndefined();
      const { slots, codes, events } = await db.read(async (tables) => ({
        slots: await tables.seat_slots.find({ holder: made.id }),
        codes: await tables.codes.find({ holder: made.id }),
        events: await tables.outbox.find({}),
      }));
      expect([slots.length, codes.map(({ code }) => code)]).toEqual([12, [made.code]]);
      expect(events.map(({ event }) => event)).toEqual(['booking.created']);
      expect(JSON.stringify(events)).not.toContain(made.code);
      expect(await bookingFaults(services.db)).toEqual([]);
    });

    test(`book() gives each seat once, however many ask at a time, on ${kind}`, async () => {
      const { at, visitor } = await rigs();
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, number) => at('12:00', {}, visitor(1 + (number % 3)))),
      );
      const refused = answers.filter(isRefusal).map((refusal) => refusal.refused);
      expect(refused).toEqual(Array.from({ length: 8 }, () => 'time_taken'));
      expect(refusedBy(await at('12:55'))).toBe('time_taken');
      expect(refusedBy(await at('13:00'))).toBe('nothing');
      expect(refusedBy(await at('11:00'))).toBe('nothing');
      expect(await bookingFaults(db)).toEqual([]);
    });

    test(`book() refuses what may not be booked, on ${kind}`, async () => {
      const { at, booked, services, stranger } = await rigs();
      const change = (changes: object) => db.transact(({ apps }) => apps.update({ name: 'garden' }, changes));
      expect(refusedBy(await at('12:00', { app: 'castle' }))).toBe('app_unknown');
      expect(refusedBy(await at('08:55'))).toBe('time_past');
      expect(refusedBy(await at('12:02'))).toBe('malformed');
      expect(refusedBy(await at('12:00', { minutes: 125 }))).toBe('malformed');
      expect(refusedBy(await at('12:00', { date: '2027-03-02' }))).toBe('malformed');
      expect(refusedBy(await at('12:00', { date: '2026-11-31' }))).toBe('malformed');
      expect(refusedBy(await at('12:00', { zone: 'Mars/Base' }))).toBe('malformed');
      expect((await booked('12:00', { minutes: undefined })).minutes).toBe(30);
      await change({ who_may_start: 'accounts' });
      expect(refusedBy(await at('12:00', {}, stranger))).toBe('account_required');
      await change({ enabled: false });
      expect(refusedBy(await at('12:00'))).toBe('app_disabled');
      await change({ enabled: true });
      for (const name of ['host-a', 'host-b']) await hostRowChange(db, name, { draining: true });
      expect(refusedBy(await at('12:00'))).toBe('app_offline');
      for (const name of ['host-a', 'host-b']) await hostRowChange(db, name, { draining: false, seats: 0 });
      expect(refusedBy(await at('12:00'))).toBe('app_offline');
      expect(services.clock.now()).toBe(monday);
    });

    test(`book() does once what is asked five times with one key, on ${kind}`, async () => {
      const { at, stranger } = await rigs();
      const key = crypto.randomUUID();
      const answers = await Promise.all(Array.from({ length: 5 }, () => at('12:00', {}, stranger, key)));
      const [first] = answers;
      expect(refusedBy(first)).toBe('nothing');
      for (const answer of answers) expect(answer).toEqual(first ?? refuse('internal'));
      expect(await db.read(({ bookings }) => bookings.count({}))).toBe(1);
      expect(refusedBy(await at('13:00', {}, stranger, key))).toBe('idempotency_mismatch');
      expect(refusedBy(await at('13:00', {}, stranger, crypto.randomUUID()))).toBe('nothing');
    });

    test(`book() keeps no refusal under a key, on ${kind}`, async () => {
      const { at, services } = await rigs({ patch: { quota_sessions: 0 } });
      expect(refusedBy(await at('12:00', {}, undefined, 'key'))).toBe('quota_exceeded');
      services.store.edit([], {});
      expect(refusedBy(await at('12:00', {}, undefined, 'key'))).toBe('nothing');
    });

    test(`book() holds quotas against parallel requests, on ${kind}`, async () => {
      const { at, visitor } = await rigs({ patch: { quota_sessions: 3 } });
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, number) => at(`${10 + number}:00`, { minutes: 30 })),
      );
      expect(answers.filter((answer) => !isRefusal(answer))).toHaveLength(3);
      expect(new Set(answers.filter(isRefusal).map(({ refused }) => refused))).toEqual(
        new Set(['quota_exceeded']),
      );
      expect(refusedBy(await at('12:00', {}, visitor(2)))).toBe('nothing');
      expect(refusedBy(await at('12:00', { date: '2026-11-09' }))).toBe('nothing');
      expect(await bookingFaults(db)).toEqual([]);
    });

    test(`book() counts minutes, and those of an app by themselves, on ${kind}`, async () => {
      const { at, booked, services, visitor } = await rigs({
        of: { quota_minutes: 90 },
        app: { quota_sessions: 2 },
      });
      const first = await booked('12:00');
      expect(refusedBy(await at('14:00', { minutes: 35 }))).toBe('quota_exceeded');
      expect(refusedBy(await at('14:00', { minutes: 5 }))).toBe('nothing');
      expect(refusedBy(await at('16:00', { minutes: 5 }))).toBe('quota_exceeded');
      await cancelBooking(services, first.id, visitor(), 1);
      expect(refusedBy(await at('16:00', { minutes: 85 }))).toBe('nothing');
    });

    test(`book() counts sessions that nobody booked, on ${kind}`, async () => {
      const { at } = await rigs({ patch: { quota_sessions: 2 } });
      const row = {
        account_id: 'account-1',
        created_at: monday,
        updated_at: monday,
        ends_at: monday + 600_000,
      };
      await db.transact(async ({ sessions, records }) => {
        await sessions.insert(session(1, row), session(2, { ...row, phase: 'ended' }));
        await sessions.insert(session(3, { ...row, booking_id: 'other' }));
        await records.remove({ started_at: { from: 0 } });
      });
      expect(refusedBy(await at('12:00'))).toBe('nothing');
      expect(refusedBy(await at('14:00'))).toBe('quota_exceeded');
    });

    test(`book() takes so many of an account, and of a network without one, on ${kind}`, async () => {
      const { at, stranger } = await rigs({
        patch: { bookings_per_account: 2, anonymous_bookings_per_network: 2 },
      });
      for (const by of [undefined, stranger]) {
        const time = by === undefined ? '12:00' : '14:00';
        const answers = await Promise.all([at(time, {}, by), at(time, {}, by), at(time, {}, by)]);
        expect(answers.filter((answer) => !isRefusal(answer))).toHaveLength(2);
        expect(answers.map(refusedBy)).toContain('quota_exceeded');
      }
      // What was refused for another reason does not count.
      const fresh = { ...stranger, network: '192.0.2.2' };
      for (const _ of [1, 2]) expect(refusedBy(await at('8:00', {}, fresh))).toBe('time_past');
      expect(refusedBy(await at('20:00', {}, fresh))).toBe('nothing');
    });

    test(`getBooking() and cancelBooking() are for the owner, its token and operators, on ${kind}`, async () => {
      const { services, booked, stranger, visitor } = await rigs();
      const owned = await booked('12:00');
      const anonymous = await booked('12:00', {}, stranger);
      const bearer = { ...stranger, token: anonymous.token };
      const sees = async (id: string, by: typeof stranger) => refusedBy(await getBooking(services, id, by));
      expect(await sees(owned.id, visitor(1))).toBe('nothing');
      for (const by of [visitor(2), stranger, bearer])
        expect(await sees(owned.id, by)).toBe('booking_unknown');
      expect(await sees(anonymous.id, bearer)).toBe('nothing');
      for (const by of [visitor(1), stranger, { ...stranger, token: 'x' }]) {
        expect(await sees(anonymous.id, by)).toBe('booking_unknown');
        expect(refusedBy(await cancelBooking(services, anonymous.id, by, 1))).toBe('booking_unknown');
      }
      const operator = {
        ...visitor(2),
        account: { ...visitor(2).account, role: 'operator' },
      } as typeof stranger;
      expect(await sees(owned.id, operator)).toBe('nothing');
      expect(refusedBy(await cancelBooking(services, anonymous.id, bearer, 1))).toBe('nothing');
    });

    test(`cancelBooking() frees the seat and keeps the code of a booking that had opened away for a day, on ${kind}`, async () => {
      const { services, booked, visitor } = await rigs();
      const made = await booked('12:00');
      await db.transact(({ bookings }) => bookings.update({ id: made.id }, { state: 'open' }));
      expect(refusedBy(await cancelBooking(services, made.id, visitor(), 3))).toBe('version_conflict');
      const twice = await Promise.all(
        [2, 2].map((version) => cancelBooking(services, made.id, visitor(), version)),
      );
      expect(twice.map(refusedBy).filter((refused) => refused === 'nothing')).toHaveLength(1);
      expect(await bookingFaults(db)).toEqual([]);
      const code = () => db.read(({ codes }) => codes.get({ code: made.code }));
      expect((await code())?.free_at).toBe(monday + 1_440 * minute);
      services.clock.advance(1_440 * minute - 1);
      await removeExpired(services, removals);
      expect(await code()).toBeDefined();
      services.clock.advance(2);
      await removeExpired(services, removals);
      expect(await code()).toBeUndefined();
      expect(refusedBy(await cancelBooking(services, made.id, visitor(), 3))).toBe('booking_closed');
    });

    test(`cancelBooking() keeps the code of a booking that never opened away for an hour, on ${kind}`, async () => {
      const { services, booked, visitor } = await rigs();
      const made = await booked('12:00');
      await cancelBooking(services, made.id, visitor(), 1);
      const row = await db.read(({ codes }) => codes.get({ code: made.code }));
      expect(row?.free_at).toBe(monday + 60 * minute);
    });

    test(`book() makes an account so many bookings a day, cancelled ones too, on ${kind}`, async () => {
      const { services, booked, at, visitor } = await rigs();
      for (let n = 0; n < bounds.bookings_made_per_day; n++) {
        const made = await booked('12:00');
        await cancelBooking(services, made.id, visitor(), 1);
      }
      expect(await at('12:00')).toMatchObject({
        refused: 'quota_exceeded',
        detail: expect.stringContaining('60 bookings made within a day'),
      });
      expect(await db.read(({ codes }) => codes.count({ free_at: null }))).toBe(0);
      services.clock.advance(2 * 1_440 * minute);
      expect(isRefusal(await at('12:00', { date: '2026-11-05' }))).toBe(false);
    });

    test(`moveBooking() takes the new time and frees the old one, on ${kind}`, async () => {
      const { services, booked, at, visitor } = await rigs();
      const made = await booked('12:00');
      const move = (change: object, version: number) =>
        moveBooking(services, made.id, change, visitor(), version);
      expect(await move({ minutes: 90 }, 1)).toMatchObject({
        ends_at: made.starts_at + 90 * minute,
        version: 2,
      });
      expect(await move({ date: '2026-11-02', time: '12:30' }, 2)).toMatchObject({
        starts_at: made.starts_at + 30 * minute,
        code: made.code,
        version: 3,
      });
      expect(refusedBy(await move({ minutes: 60 }, 2))).toBe('version_conflict');
      expect(refusedBy(await move({ date: '2026-11-02', time: '08:00' }, 3))).toBe('time_past');
      for (const _ of [1, 2, 3, 4]) await booked('16:00', {}, visitor(2));
      expect(refusedBy(await move({ date: '2026-11-02', time: '15:00' }, 3))).toBe('time_taken');
      for (const _ of [1, 2, 3]) await booked('12:30', { minutes: 90 }, visitor(3));
      expect(refusedBy(await move({ title: 'Another' }, 3))).toBe('nothing');
      expect(refusedBy(await at('13:00'))).toBe('time_taken');
      expect(await bookingFaults(db)).toEqual([]);
    });

    test(`moveBooking() says nothing of a change that moves nothing, on ${kind}`, async () => {
      const { services, booked, visitor } = await rigs();
      const made = await booked('12:00', { title: 'A walk' });
      await db.transact(({ webhooks }) => webhooks.insert(webhookRow(1, { events: '["booking.moved"]' })));
      const move = (change: object, version = 1) =>
        moveBooking(services, made.id, change, visitor(), version);
      const events = () => db.read(({ outbox }) => outbox.count({}));
      const same = { date: '2026-11-02', time: '12:00', zone: 'UTC', minutes: 60, title: 'A walk' };
      // What an app allows now does not matter to a time that stays.
      await db.transact(({ apps }) => apps.update({ name: 'garden' }, { max_minutes: 30 }));
      for (const change of [{}, { minutes: 60 }, { title: 'A walk' }, { zone: 'UTC' }, same]) {
        expect(await move(change)).toMatchObject({ version: 1, title: 'A walk', starts_at: made.starts_at });
      }
      expect(refusedBy(await move({}, 2))).toBe('version_conflict');
      expect(await move({ ...same, title: null })).toMatchObject({ version: 2, title: null });
      expect(await move({ title: 'A run' }, 2)).toMatchObject({ version: 3, title: 'A run', state: 'held' });
      expect(await events()).toBe(0);
      expect(refusedBy(await move({ minutes: 65 }, 3))).toBe('malformed');
      expect(await move({ minutes: 30, title: 'A sit' }, 3)).toMatchObject({ version: 4, title: 'A sit' });
      expect(await events()).toBe(1);
      expect(await move({ zone: 'Europe/Berlin' }, 4)).toMatchObject({ version: 5, zone: 'Europe/Berlin' });
      expect(await events()).toBe(2);
      expect(await bookingFaults(db)).toEqual([]);
    });

    test(`moveBooking() and cancelBooking() of one booking at a time: one of them, on ${kind}`, async () => {
      const { services, booked, visitor } = await rigs();
      for (let round = 0; round < 5; round++) {
        const made = await booked('12:00');
        const change = { date: '2026-11-02', time: '18:00' };
        const answers = await Promise.all([
          moveBooking(services, made.id, change, visitor(), 1),
          cancelBooking(services, made.id, visitor(), 1),
          moveBooking(services, made.id, { minutes: 30 }, visitor(), 1),
        ]);
        expect(answers.filter((answer) => !isRefusal(answer))).toHaveLength(1);
        expect(await bookingFaults(db)).toEqual([]);
        const now = await getBooking(services, made.id, visitor());
        if (!isRefusal(now) && now.state === 'held')
          await cancelBooking(services, made.id, visitor(), now.version);
      }
    });

    test(`moveBooking() does not count the booking twice, on ${kind}`, async () => {
      const { services, booked, visitor } = await rigs({ patch: { quota_sessions: 1, quota_minutes: 60 } });
      const made = await booked('12:00', { minutes: 30 });
      const move = (minutes: number, version: number) =>
        moveBooking(services, made.id, { minutes }, visitor(), version);
      expect(refusedBy(await move(60, 1))).toBe('nothing');
      expect(refusedBy(await move(65, 2))).toBe('quota_exceeded');
    });

    test(`tickBookings() opens, starts and gives up in time, on ${kind}`, async () => {
      const { services, booked } = await rigs();
      const made = [await booked('12:00'), await booked('12:00')];
      const [came, missed] = made.map(({ id }) => id);
      const calls: string[] = [];
      const needs = {
        services,
        startBooked: async ({ id }: { id: string }) => {
          const session_id = `session-of-${id}`;
          const first = await db.transact(({ bookings }) =>
            bookings.update({ id }, { session_id }, { state: 'open', session_id: null }),
          );
          if (first) calls.push(`start ${id}`);
          return session_id;
        },
        endBooked: async ({ id }: { id: string }) => void calls.push(`end ${id}`),
        elsewhere: () => false,
        usable: () => true,
      };
      const states = async () =>
        Promise.all(
          made.map(async ({ id }) => (await db.read(({ bookings }) => bookings.get({ id })))?.state),
        );
      const tickAt = async (minutes: number) => {
        services.clock.advance(
          made[0] === undefined ? 0 : made[0].starts_at + minutes * minute - services.clock.now(),
        );
        await Promise.all([tickBookings(needs), tickBookings(needs)]);
      };
      await tickAt(-10.01);
      expect(await states()).toEqual(['held', 'held']);
      await tickAt(-10);
      expect(await states()).toEqual(['open', 'open']);
      await tickAt(-2);
      expect(calls.toSorted()).toEqual([`start ${came}`, `start ${missed}`].toSorted());
      calls.length = 0;
      expect(await db.transact((tables) => bookingUsed(tables, came ?? ''))).toBeUndefined();
      expect(await db.transact((tables) => bookingUsed(tables, came ?? ''))).toBeUndefined();
      await tickAt(15);
      expect([await states(), calls]).toEqual([['used', 'missed'], [`end ${missed}`]]);
      expect(await bookingFaults(db)).toEqual([]);
      await db.transact((tables) =>
        bookingEnded(services, tables, came ?? '', { came: true, by_people: true }),
      );
      expect(await db.read(({ seat_slots }) => seat_slots.count({}))).toBe(0);
      expect(await db.read(({ codes }) => codes.count({ free_at: null }))).toBe(0);
    });

    test(`hostChanged() moves what the host can no longer have, on ${kind}`, async () => {
      const { services, booked } = await rigs();
      const made = await booked('12:00');
      const before = await db.read(({ bookings }) => bookings.get({ id: made.id }));
      const host = before?.host ?? '';
      expect(await hostChanged(services, host)).toEqual({ moved: 0, lost: 0, kept: 0 });
      await db.transact(({ host_apps }) => host_apps.remove({ host, app: made.app }));
      expect(await hostChanged(services, host)).toMatchObject({ moved: 1, lost: 0 });
      const after = await db.read(({ bookings }) => bookings.get({ id: made.id }));
      expect(after?.host).not.toBe(host);
      expect(await bookingFaults(db)).toEqual([]);
    });

    test(`tickBookings() starts as many as begin at one time, on ${kind}`, async () => {
      const { services } = await rigs();
      const many = bounds.bookings_per_tick + 100;
      const starts_at = services.clock.now() + minute;
      await db.transact(({ bookings }) =>
        bookings.insert(
          ...Array.from({ length: many }, (_, at) =>
            booking(at, { state: 'open', starts_at, ends_at: starts_at + 60 * minute }),
          ),
        ),
      );
      const needs = {
        services,
        startBooked: async ({ id }: { id: string }) => {
          await db.transact(({ bookings }) => bookings.update({ id }, { session_id: 's' }));
          return 's';
        },
        endBooked: async () => {},
        elsewhere: () => false,
        usable: () => true,
      };
      await tickBookings(needs);
      await tickBookings(needs);
      expect(await db.read(({ bookings }) => bookings.count({ session_id: 's' }))).toBe(many);
    });

    test(`tickBookings() looks for a host that can start the app, else the booking is lost, on ${kind}`, async () => {
      const { services, booked } = await rigs();
      const made = await booked('12:00');
      const hostOf = async () => (await db.read(({ bookings }) => bookings.get({ id: made.id })))?.host;
      const first = await hostOf();
      const tried: string[] = [];
      let usable = true;
      const needs = {
        services,
        startBooked: async ({ host }: { host: string }) => {
          tried.push(host);
          return { refused: 'host_offline' } as const;
        },
        endBooked: async () => {},
        elsewhere: () => false,
        usable: () => usable,
      };
      services.clock.advance(made.starts_at - services.clock.now());
      await tickBookings(needs);
      expect([tried, (await hostOf()) === first]).toEqual([[first ?? ''], false]);
      usable = false;
      await tickBookings(needs);
      expect([tried.length, (await hostOf()) === first]).toEqual([2, false]);
      services.clock.advance(15 * minute);
      await tickBookings(needs);
      const lost = await db.read(({ bookings }) => bookings.get({ id: made.id }));
      expect(lost?.state).toBe('lost');
      expect(await bookingFaults(db)).toEqual([]);
    });

    test(`hostLost() moves what fits, keeps the rest and tells of what is near, once, on ${kind}`, async () => {
      const { services, booked, visitor } = await rigs();
      for (const date of ['2026-11-02', '2026-11-05']) {
        for (const _ of [1, 2, 3]) await booked('12:00', { date });
      }
      const on = (host: string) => db.read(({ bookings }) => bookings.count({ host, state: 'held' }));
      const events = '["booking.unplaceable"]';
      await db.transact(({ webhooks }) => webhooks.insert(webhookRow(9, { events })));
      const count = await on('host-a');
      const done = await hostLost(services, 'host-a');
      expect(done.moved + done.lost + done.kept).toBe(count);
      expect([done.lost, done.kept]).toEqual([0, 2]);
      expect([await on('host-a'), await on('host-b')]).toEqual([2, 4]);
      expect(await bookingFaults(db)).toEqual([]);
      expect(await hostLost(services, 'host-a')).toEqual({ moved: 0, lost: 0, kept: 2 });
      const listed = await listBookings(services, { account_id: 'account-1', state: 'held' }, visitor().base);
      const reasons = isRefusal(listed) ? [] : listed.bookings.flatMap(({ reason }) => reason ?? []);
      expect(reasons).toEqual([expect.stringContaining('not available now')]);
      const told = await db.read(({ outbox }) => outbox.find({ event: 'booking.unplaceable' }));
      expect(told).toHaveLength(1);
      expect(await hostLost(services, 'host-b')).toEqual({ moved: 2, lost: 0, kept: 2 });
    });

    test(`hostLost() moves to hosts that are alive only, and looks at a day where none is, on ${kind}`, async () => {
      const { services, booked } = await rigs();
      for (const date of ['2026-11-02', '2026-11-05', '2026-11-09']) await booked('12:00', { date });
      const places = () => db.read(({ bookings }) => bookings.find({ state: 'held' }));
      const before = (await places()).map(({ host }) => host);
      for (const host of ['host-a', 'host-b']) {
        const done = await hostLost(services, host, () => false);
        expect([done.moved, done.lost, done.kept <= 1]).toEqual([0, 0, true]);
      }
      expect((await places()).map(({ host }) => host)).toEqual(before);
      expect((await places()).filter(({ unplaceable_at }) => unplaceable_at !== null)).toHaveLength(1);
      for (const host of new Set(before)) await hostLost(services, host, (name) => name !== host);
      expect((await places()).filter(({ unplaceable_at }) => unplaceable_at !== null)).toEqual([]);
      expect(await bookingFaults(db)).toEqual([]);
    });

    test(`availability() counts down with bookings and sessions, and up again, on ${kind}`, async () => {
      const { services, booked, visitor } = await rigs();
      const seatsAt = async (time: string) => {
        const asked = { from: '2026-11-02', to: '2026-11-02', minutes: 60 };
        const answer = await availability(services, 'garden', asked);
        if (isRefusal(answer)) throw new Error(answer.refused);
        const instant = Date.parse(`2026-11-02T${time}Z`);
        return answer.free.find(({ from, to }) => from <= instant && instant < to)?.seats ?? 0;
      };
      expect([await seatsAt('08:55'), await seatsAt('09:00'), await seatsAt('12:00')]).toEqual([0, 4, 4]);
      const made = await booked('12:00');
      expect([
        await seatsAt('11:00'),
        await seatsAt('11:05'),
        await seatsAt('12:55'),
        await seatsAt('13:00'),
      ]).toEqual([4, 3, 3, 4]);
      for (const _ of [1, 2, 3]) await booked('12:00');
      expect(await seatsAt('12:00')).toBe(0);
      await cancelBooking(services, made.id, visitor(), 1);
      expect(await seatsAt('12:00')).toBe(1);
      const times = { created_at: monday, updated_at: monday, ends_at: monday + 30 * minute };
      await db.transact(({ sessions }) => sessions.insert(session(7, { ...times, host: 'host-a', seat: 1 })));
      expect([await seatsAt('09:00'), await seatsAt('09:30')]).toEqual([3, 4]);
      await db.transact(({ sessions }) => sessions.update({ id: 'session-7' }, { phase: 'ended' }));
      expect(await seatsAt('09:00')).toBe(4);
      await hostRowChange(db, 'host-b', { draining: true });
      expect(await seatsAt('09:00')).toBe(2);
      await hostRowChange(db, 'host-a', { seats: 1 });
      expect(await seatsAt('09:00')).toBe(1);
    });

    test(`listBookings() pages through what the filter lets pass, on ${kind}`, async () => {
      const { services, booked, visitor } = await rigs();
      for (const time of ['15:00', '12:00', '12:00', '18:00']) await booked(time);
      await booked('12:00', {}, visitor(2));
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await listBookings(
          services,
          { account_id: 'account-1', limit: 2, after },
          visitor().base,
        );
        if (isRefusal(page)) throw new Error(page.refused);
        seen.push(...page.bookings.map(({ local }) => local.time));
        after = page.next ?? undefined;
      } while (after !== undefined);
      expect(seen).toEqual(['12:00', '12:00', '15:00', '18:00']);
      const late = await listBookings(
        services,
        { from: monday + 300 * minute, to: monday + 600 * minute },
        'https://x',
      );
      expect(isRefusal(late) ? 0 : late.bookings.length).toBe(2);
      expect(refusedBy(await listBookings(services, { after: 'none' }, 'https://x'))).toBe('malformed');
    });
  });
}

const hostRowChange = (db: Database, name: string, changes: object): Promise<boolean> =>
  db.transact(({ hosts }) => hosts.update({ name }, changes));

describe(`${availability.name}()`, () => {
  test('availability() shows one coordinator what another one stored', async () => {
    server ??= await startMariadb();
    const url = await server.createDatabase('two');
    const [one, two] = [await openMigrated(url), await openMigrated(url)];
    try {
      const { booked, services } = await bookingRig(one);
      const other = { ...services, db: two };
      const free = async (by: typeof services) => {
        const answer = await availability(by, 'garden', {
          from: '2026-11-02',
          to: '2026-11-02',
          minutes: 60,
        });
        return isRefusal(answer) ? answer : answer.free;
      };
      expect(await free(other)).toEqual(await free(services));
      await booked('12:00');
      expect(await free(other)).toEqual(await free(services));
      expect(await free(other)).toHaveLength(3);
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });
});
