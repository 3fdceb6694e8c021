import { describe, expect, test } from 'bun:test';
import {
  availabilitySchema,
  type Booked,
  bookedSchema,
  bookingSchema,
  bookingsSchema,
} from '../../shared/protocol/bookings.ts';
import { problemSchema } from '../../shared/protocol/http.ts';
import type { EndReason } from '../../shared/protocol/session.ts';
import { describedRoutes } from '../kit/http-openapi.ts';
import { onError } from '../kit/http-problems.ts';
import { openWorld } from '../open.ts';
import { bookedRoutes } from '../sessions/http-booked.ts';
import type { Account, Booking } from '../store/tables.ts';
import type { Sent } from '../testing/app.ts';
import { bookingRig, minute, monday } from '../testing/bookings.ts';
import { memoryDatabase } from '../testing/database.ts';
import { bookingRoutes } from './http.ts';

const rig = async (options: Parameters<typeof bookingRig>[1] = {}) => {
  const under = await bookingRig(memoryDatabase(), {
    ...options,
    patch: { public_url: 'https://vitrina.example', ...options.patch },
  });
  const { services } = under;
  const ended: [booking: Booking, reason: EndReason][] = [];
  let caller: Account | undefined = under.visitor().account;
  const app = describedRoutes();
  app.onError(onError(services.log, services.ids));
  app.use(async (c, next) => {
    c.set('caller', caller);
    await next();
  });
  const world = await openWorld(services);
  const endBooked = async (booking: Booking, reason: EndReason) => {
    if (booking.session_id !== null) ended.push([booking, reason]);
  };
  app.route('/', bookingRoutes(world));
  app.route('/', bookedRoutes(world, { services, endBooked }));
  const request = async (
    path: string,
    { method = 'GET', token, body, headers = {} }: Sent = {},
    network = '192.0.2.1',
  ) =>
    app.request(
      path,
      {
        method,
        headers: {
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      },
      { network, upgrade: () => false },
    );
  const order = { app: 'garden', date: '2026-11-02', time: '12:00', minutes: 60 };
  return {
    ...under,
    ended,
    request,
    as: (account: Account | undefined) => {
      caller = account;
    },
    create: async (changes: object = {}, headers: Record<string, string> = {}): Promise<Booked> => {
      const response = await request('/bookings', {
        method: 'POST',
        body: { ...order, ...changes },
        headers,
      });
      expect([response.status, response.headers.get('etag')]).toEqual([201, '"1"']);
      return bookedSchema.parse(await response.json());
    },
    refused: async (path: string, sent: Sent = {}) => {
      const response = await request(path, sent);
      return problemSchema.parse(await response.json()).code;
    },
    order,
  };
};

describe(`${bookingRoutes.name}()`, () => {
  test('bookingRoutes() creates, shows, moves and cancels, each change with its version', async () => {
    const { create, request, refused, ended } = await rig();
    const made = await create({ title: 'A walk' });
    const path = `/bookings/${made.id}`;
    const shown = await request(path);
    expect(shown.headers.get('etag')).toBe('"1"');
    expect(bookingSchema.parse(await shown.json())).toEqual(made);

    const move = { method: 'PATCH', body: { date: '2026-11-02', time: '14:00' } };
    expect(await refused(path, move)).toBe('version_required');
    expect(await refused(path, { ...move, headers: { 'If-Match': '1' } })).toBe('malformed');
    expect(await refused(path, { ...move, headers: { 'If-Match': '"2"' } })).toBe('version_conflict');
    const moved = await request(path, { ...move, headers: { 'If-Match': '"1"' } });
    expect([moved.status, moved.headers.get('etag')]).toEqual([200, '"2"']);
    expect(bookingSchema.parse(await moved.json())).toMatchObject({
      starts_at: made.starts_at + 120 * minute,
      code: made.code,
      invite_url: made.invite_url,
    });
    expect(
      await refused(path, { method: 'PATCH', body: { time: '14:00' }, headers: { 'If-Match': '"2"' } }),
    ).toBe('malformed');

    expect(await refused(path, { method: 'DELETE' })).toBe('version_required');
    const cancelled = await request(path, { method: 'DELETE', headers: { 'If-Match': '"2"' } });
    expect(bookingSchema.parse(await cancelled.json())).toMatchObject({ state: 'cancelled', version: 3 });
    expect(await refused(path, { method: 'DELETE', headers: { 'If-Match': '"3"' } })).toBe('booking_closed');
    expect(ended).toEqual([]);
  });

  test('bookedRoutes() ends the session of a booking that is cancelled while it runs', async () => {
    const { create, request, ended, services } = await rig();
    const { id } = await create();
    await services.db.transact(({ bookings }) =>
      bookings.update({ id }, { state: 'open', session_id: 'session-1' }),
    );
    await request(`/bookings/${id}`, { method: 'DELETE', headers: { 'If-Match': '"2"' } });
    expect(ended.map(([{ session_id, state }, reason]) => [session_id, state, reason])).toEqual([
      ['session-1', 'cancelled', 'owner_ended'],
    ]);
  });

  test('bookingRoutes() lets the bearer of the token manage a booking without an account', async () => {
    const { as, create, refused, request } = await rig();
    as(undefined);
    const { id, token, account_id } = await create();
    expect([account_id, token?.length]).toEqual([null, 43]);
    expect(await refused(`/bookings/${id}`)).toBe('unauthorized');
    expect(await refused(`/bookings/${id}`, { token: 'wrong' })).toBe('booking_unknown');
    expect((await request(`/bookings/${id}`, { token: token ?? '' })).status).toBe(200);
    expect(await refused('/bookings', { token: token ?? '' })).toBe('account_required');
    const sent = { method: 'DELETE', token: token ?? '', headers: { 'If-Match': '"1"' } };
    expect((await request(`/bookings/${id}`, sent)).status).toBe(200);
  });

  test('bookedRoutes() lets only who holds the booking join as its owner, not who may manage it', async () => {
    const { as, create, refused, visitor } = await rig();
    const join = (id: string, token?: string) =>
      refused(`/bookings/${id}/join`, token === undefined ? { method: 'POST' } : { method: 'POST', token });
    const { id } = await create();
    expect(await join(id)).toBe('booking_not_open');
    as(undefined);
    const anonymous = await create({ time: '15:00' });
    expect(await join(anonymous.id, anonymous.token)).toBe('booking_not_open');
    expect(await join(anonymous.id)).toBe('unauthorized');
    const other = visitor(2).account;
    for (const role of ['operator', 'admin'] as const) {
      as(other && { ...other, role });
      expect([await join(id), await join(anonymous.id)]).toEqual(['forbidden', 'forbidden']);
    }
    as(other);
    expect([await join(id), await join(anonymous.id)]).toEqual(['booking_unknown', 'booking_unknown']);
  });

  test('bookingRoutes() answers the same key with the same booking', async () => {
    const { as, create, refused, order, visitor } = await rig();
    as(visitor(1).account);
    const headers = { 'Idempotency-Key': 'one' };
    expect(await create({}, headers)).toEqual(await create({}, headers));
    const other = { method: 'POST', body: { ...order, time: '13:00' }, headers };
    expect(await refused('/bookings', other)).toBe('idempotency_mismatch');
    const odd = { method: 'POST', body: order, headers: { 'Idempotency-Key': 'a b' } };
    expect(await refused('/bookings', odd)).toBe('malformed');
  });

  test('bookingRoutes() hands no stranger the booking of another one behind the same address', async () => {
    const { as, create, refused, request, order } = await rig();
    as(undefined);
    for (const key of ['one', 'f'.repeat(31), '00000000-0000-0000-0000-000000000001']) {
      const headers = { 'Idempotency-Key': key };
      const { token } = await create({}, headers);
      const again = await request('/bookings', { method: 'POST', body: order, headers });
      const text = await again.text();
      expect([again.status, text.includes(String(token))]).toEqual([422, false]);
      expect(text).toContain('random UUID');
    }
    const headers = { 'Idempotency-Key': crypto.randomUUID() };
    const mine = await create({ time: '13:00' }, headers);
    // From the train, and once more: a stranger's own secret is good everywhere.
    const moved = await request(
      '/bookings',
      { method: 'POST', body: { ...order, time: '13:00' }, headers },
      '203.0.113.9',
    );
    expect(bookedSchema.parse(await moved.json())).toEqual(mine);
    expect(await refused('/bookings', { method: 'POST', body: order, headers })).toBe('idempotency_mismatch');
  });

  test('bookingRoutes() takes ISO dates only, so that no date in another order books another day', async () => {
    const { request, order, create } = await rig();
    const told = async (changes: object) => {
      const response = await request('/bookings', { method: 'POST', body: { ...order, ...changes } });
      return problemSchema.parse(await response.json());
    };
    const rows: [changes: object, detail: string][] = [
      [{ date: '01/02/2026' }, 'year-month-day'],
      [{ date: '2/11/2026' }, 'year-month-day'],
      [{ date: '2026-13-01' }, 'there is no 2026-13-01'],
      [{ date: '2026-31-12' }, 'there is no 2026-31-12'],
      [{ date: '2026-11-2' }, 'year-month-day'],
      [{ date: '2026-11-02T12:00:00Z' }, 'year-month-day'],
      [{ time: '9:00' }, 'hours:minutes'],
      [{ time: '12:00:00' }, 'hours:minutes'],
      [{ time: '24:00' }, 'there is no'],
      [{ zone: '+03:00' }, 'no time zone'],
      [{ zone: '2026-01-01T00:00+05:30' }, 'no time zone'],
    ];
    for (const [changes, detail] of rows) {
      expect(await told(changes)).toMatchObject({
        code: 'malformed',
        detail: expect.stringContaining(detail),
      });
    }
    const { local } = await create({ zone: 'europe/moscow' });
    expect(local).toEqual({ date: '2026-11-02', time: '12:00', zone: 'Europe/Moscow' });
  });

  test("bookingRoutes() lists one's own, and everybody's for operators", async () => {
    const { as, create, request, refused, visitor } = await rig();
    await create();
    await create({ time: '15:00' });
    as(visitor(2).account);
    await create();
    const list = async (query: string) =>
      bookingsSchema.parse(await (await request(`/bookings${query}`)).json());
    expect((await list('')).bookings).toHaveLength(1);
    expect(await refused('/bookings?whose=all')).toBe('forbidden');
    const operator = visitor(3).account;
    as(operator && { ...operator, role: 'operator' });
    expect((await list('')).bookings).toHaveLength(0);
    expect((await list('?whose=all')).bookings).toHaveLength(3);
    expect((await list('?whose=all&account=account-1')).bookings).toHaveLength(2);
    expect((await list('?whose=all&state=cancelled')).bookings).toHaveLength(0);
    const first = await list('?whose=all&limit=2');
    expect([first.bookings.length, first.next]).toEqual([2, first.bookings[1]?.id ?? '']);
    expect((await list(`?whose=all&limit=2&after=${first.next}`)).bookings).toHaveLength(1);
    const noon = '2026-11-02T12:00:00Z';
    const count = async (query: string) => (await list(`?whose=all&${query}`)).bookings.length;
    expect(await count(`from=${noon}&to=2026-11-02T15:00:00Z`)).toBe(2);
    expect(await count('from=2026-11-02T16:00:00%2B03:00&to=2026-11-02T19:00:00%2B03:00')).toBe(1);
    expect(await count(`from=${Date.parse(noon) + 1}`)).toBe(1);
    for (const query of [
      '?limit=0',
      '?limit=201',
      '?state=gone',
      '?from=x',
      '?whose=ours',
      '?from=2026-11-02',
      '?to=02/11/2026',
    ]) {
      expect(await refused(`/bookings${query}`)).toBe('malformed');
    }
  });

  test('bookingRoutes() tells when an app can be booked, in the days of a zone', async () => {
    const { create, request, refused } = await rig();
    const free = async (query: string) =>
      availabilitySchema.parse(await (await request(`/apps/garden/availability?${query}`)).json());
    await create();
    const day = await free('from=2026-11-02&to=2026-11-02&minutes=60');
    expect(day).toEqual({
      app: 'garden',
      minutes: 60,
      zone: 'UTC',
      seats: 4,
      free: [
        { from: monday, to: monday + 125 * minute, seats: 4 },
        { from: monday + 125 * minute, to: monday + 240 * minute, seats: 3 },
        { from: monday + 240 * minute, to: monday + 900 * minute, seats: 4 },
      ],
    });
    const inDelhi = await free('from=2026-11-03&to=2026-11-03&zone=Asia/Kolkata');
    expect(inDelhi.free).toEqual([
      { from: Date.UTC(2026, 10, 2, 18, 30), to: Date.UTC(2026, 10, 3, 18, 30), seats: 4 },
    ]);
    expect((await free('from=2026-01-01&to=2026-01-31')).free).toEqual([]);
    for (const query of [
      'from=2026-11-02',
      'from=2026-11-02&to=2026-12-03',
      'from=2026-11-02&to=2026-11-02&minutes=7',
      'from=2026-11-02&to=2026-11-02&minutes=125',
      'from=2026-11-02&to=2026-11-02&zone=Mars/Base',
      'from=2026-11-02&to=2026-11-02&zone=2026-01-01T00:00%2B05:30',
      'from=02/11/2026&to=02/11/2026',
      'from=2026-13-01&to=2026-13-01',
    ]) {
      expect(await refused(`/apps/garden/availability?${query}`)).toBe('malformed');
    }
    expect(await refused('/apps/castle/availability?from=2026-11-02&to=2026-11-02')).toBe('app_unknown');
  });

  test('bookingRoutes() gives a booking as a calendar file', async () => {
    const { create, request } = await rig();
    const { id, code, invite_url } = await create({ title: 'A walk' });
    const response = await request(`/bookings/${id}/calendar.ics`);
    expect(response.headers.get('content-type')).toBe('text/calendar; charset=utf-8; method=PUBLISH');
    const text = (await response.text()).replaceAll('\r\n ', '');
    for (const line of [
      `UID:${id}@vitrina.example`,
      'SEQUENCE:1',
      'DTSTART:20261102T120000Z',
      'DTEND:20261102T130000Z',
      'STATUS:CONFIRMED',
      'SUMMARY:A walk',
      `DESCRIPTION:garden\\n${invite_url}\\n${code}`,
      `URL:${invite_url}`,
    ]) {
      expect(text).toContain(`${line}\r\n`);
    }
    expect((await request('/bookings/other/calendar.ics')).status).toBe(404);
  });

  const clocks: [zone: string, date: string, time: string, which: string | undefined, answer: string][] = [
    ['Europe/Berlin', '2027-03-28', '02:30', undefined, 'time_skipped'],
    ['Europe/Berlin', '2027-03-28', '02:30', 'later', 'time_skipped'],
    ['Europe/Berlin', '2027-03-28', '03:00', undefined, '2027-03-28T01:00:00.000Z'],
    ['Europe/Berlin', '2027-10-31', '02:30', undefined, 'time_ambiguous'],
    ['Europe/Berlin', '2027-10-31', '02:30', 'earlier', '2027-10-31T00:30:00.000Z'],
    ['Europe/Berlin', '2027-10-31', '02:30', 'later', '2027-10-31T01:30:00.000Z'],
    ['America/New_York', '2027-03-14', '02:00', undefined, 'time_skipped'],
    ['America/New_York', '2027-03-14', '03:00', undefined, '2027-03-14T07:00:00.000Z'],
    ['Australia/Lord_Howe', '2027-04-04', '01:45', undefined, 'time_ambiguous'],
    ['Australia/Lord_Howe', '2027-04-04', '01:45', 'later', '2027-04-03T15:15:00.000Z'],
    ['Australia/Lord_Howe', '2027-10-03', '02:15', undefined, 'time_skipped'],
    ['Asia/Kathmandu', '2027-06-01', '12:00', undefined, '2027-06-01T06:15:00.000Z'],
  ];
  for (const [zone, date, time, which, expected] of clocks) {
    test(`bookingRoutes() books ${date} ${time} ${which ?? ''} in ${zone}: ${expected}`, async () => {
      const { request, services, order } = await rig({ patch: { booking_days_ahead: 366 } });
      const body = { ...order, zone, date, time, ...(which === undefined ? {} : { which }) };
      const response = await request('/bookings', { method: 'POST', body });
      const answer = await response.json();
      if (expected.startsWith('time_')) expect<string>(problemSchema.parse(answer).code).toBe(expected);
      else {
        const booked = bookedSchema.parse(answer);
        expect(new Date(booked.starts_at).toISOString()).toBe(expected);
        expect(booked.local).toMatchObject({ zone, time, ...(which === undefined ? {} : { which }) });
        expect(booked.ends_at - booked.starts_at).toBe(60 * minute);
      }
      expect(services.clock.now()).toBe(monday);
    });
  }
});
