import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { hostGone, tick } from '../fleet/fleet.ts';
import { slot_ms } from '../seats/rules-slots.ts';
import { memoryDatabase } from '../testing/database.ts';
import { booking } from '../testing/rows.ts';
import {
  connect,
  hold,
  member,
  minute_ms,
  ready,
  report,
  slots,
  started,
  worldUnderTest,
} from '../testing/world.ts';
import { startBooked } from './booked.ts';
import { endSession, joinSession, leaveSession } from './members.ts';

describe('startBooked()', () => {
  test('startBooked() starts the session of a booking once, with its code, and lets it go when nobody comes', async () => {
    const { world, db, clock, link, orders } = await worldUnderTest();
    const from = Math.ceil(clock.now() / slot_ms) * slot_ms + slot_ms;
    const row = booking(1, {
      app: 'Loft',
      host: 'a',
      seat: 1,
      account_id: null,
      code: '4711',
      state: 'open',
      starts_at: from,
      ends_at: from + 60 * minute_ms,
    });
    await db.transact(async ({ bookings, codes }) => {
      await bookings.insert(row);
      await codes.insert({ code: '4711', holder: row.id, free_at: null });
    });
    const byInvite = () => joinSession(world, { invite: row.invite }, '192.0.2.1');
    expect(await byInvite()).toEqual({
      refused: 'booking_not_open',
      detail: `it begins at ${new Date(from).toISOString()}`,
    });
    const id = await startBooked(world, row);
    expect(await startBooked(world, row)).toBe(String(id));
    expect(orders).toHaveLength(1);
    ready(world, link, String(id));
    const guest = await joinSession(world, { code: '4711' }, '192.0.2.1');
    expect(isRefusal(guest)).toBe(false);
    clock.advance(row.starts_at - clock.now() + 14 * minute_ms);
    tick(world);
    expect(world.sessions.get(String(id))?.phase).toBe('ready');
    clock.advance(minute_ms);
    tick(world);
    expect(world.sessions.get(String(id))?.end?.reason).toBe('nobody_came');
    await world.saver.saved(String(id));
    expect(await db.read(({ bookings }) => bookings.get({ id: row.id }))).toMatchObject({ state: 'missed' });
    expect(await byInvite()).toEqual({ refused: 'invite_unknown' });
  });

  test('startBooked() waits for its host, and for who was there before', async () => {
    const { world, db, link } = await worldUnderTest({}, memoryDatabase(), fakeClock(), 1);
    const row = booking(1, { app: 'Loft', host: 'a', seat: 0 });
    await db.transact(({ bookings }) => bookings.insert({ ...row, state: 'open' }));
    const one = await started(world);
    expect(await startBooked(world, row)).toMatchObject({ refused: 'servers_busy' });
    await endSession(world, member(world, one));
    report(world, link, one.session.id, { type: 'host_ended', reason: 'owner_ended' });
    hostGone(world, 'a', link);
    expect(await startBooked(world, row)).toEqual({ refused: 'host_offline' });
  });

  test('startBooked() keeps the seat from its start on, and starts anew when the app fails before anybody came', async () => {
    const { world, db, clock, link } = await worldUnderTest({}, memoryDatabase(), fakeClock(), 1);
    const from = Math.ceil(clock.now() / slot_ms) * slot_ms + 2 * slot_ms;
    const row = booking(1, {
      app: 'Loft',
      host: 'a',
      account_id: null,
      state: 'open',
      starts_at: from,
      ends_at: from + 60 * minute_ms,
    });
    await db.transact(async ({ bookings }) => bookings.insert(row));
    const first = String(await startBooked(world, row));
    expect((await slots(db)).map(({ holder }) => holder)).toContain('booking-1');
    const stored = () => db.read(({ bookings }) => bookings.get({ id: row.id }));
    expect((await stored())?.session_id).toBe(first);
    report(world, link, first, { type: 'host_ended', reason: 'app_crashed' });
    await world.saver.saved(first);
    expect(await stored()).toMatchObject({ state: 'open', session_id: null });
    const second = String(await startBooked(world, row));
    expect(second).not.toBe(first);
    ready(world, link, second);
    const guest = await joinSession(world, { invite: row.invite }, '192.0.2.1');
    if (isRefusal(guest)) throw new Error(guest.refused);
    connect(world, guest);
    leaveSession(world, member(world, guest));
    clock.advance(from - clock.now() + 14 * minute_ms);
    tick(world);
    expect(world.sessions.get(second)?.phase).toBe('ready');
    clock.advance(minute_ms);
    tick(world);
    expect(world.sessions.get(second)?.end?.reason).toBe('last_left');
    await world.saver.saved(second);
    expect(await stored()).toMatchObject({ state: 'used' });
  });

  test('startBooked() waits while somebody else holds the seat before its time', async () => {
    const { world, db, clock } = await worldUnderTest();
    const from = Math.ceil(clock.now() / slot_ms) * slot_ms + 2 * slot_ms;
    const row = booking(1, {
      app: 'Loft',
      host: 'a',
      state: 'open',
      starts_at: from,
      ends_at: from + slot_ms,
    });
    await db.transact(async ({ bookings }) => bookings.insert(row));
    await hold(db, clock, 0, 1, 1, 'someone');
    expect(await startBooked(world, row)).toMatchObject({ refused: 'servers_busy' });
    clock.advance(from - clock.now());
    expect(typeof (await startBooked(world, row))).toBe('string');
  });
});
