import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { slot_ms } from '../domain/slots.ts';
import { connect, hold, member, minute_ms, ready, slots, started, worldUnderTest } from '../testing/world.ts';
import { extendSession, offerExtensions } from './extensions.ts';
import { tick } from './fleet.ts';
import { joinSession } from './sessions.ts';

describe('extendSession()', () => {
  test('extendSession() is offered near the end where the seat is free, to the owner, up to the longest end', async () => {
    const { world, db, clock, link } = await worldUnderTest();
    const one = await started(world);
    const guest = await joinSession(world, { code: one.session.code }, '192.0.2.1');
    if (isRefusal(guest)) throw new Error(guest.refused);
    ready(world, link, one.session.id);
    connect(world, one);
    const now = () => world.sessions.get(one.session.id);
    await offerExtensions(world);
    expect(now()?.extendable_to).toBeNull();
    clock.advance(51 * minute_ms);
    await offerExtensions(world);
    expect(now()?.extendable_to).toBe(one.session.ends_at + 30 * minute_ms);
    expect(await extendSession(world, member(world, guest))).toEqual({ refused: 'forbidden' });
    expect(await extendSession(world, member(world, one))).toMatchObject({
      ends_at: one.session.ends_at + 30 * minute_ms,
      extendable_to: null,
    });
    const held = await slots(db);
    expect(Math.max(...held.map(({ slot_at }) => slot_at)) + slot_ms).toBeGreaterThanOrEqual(
      now()?.ends_at ?? 0,
    );
    expect(await extendSession(world, member(world, one))).toEqual({ refused: 'extension_refused' });
    clock.advance(39 * minute_ms);
    tick(world);
    expect(now()?.end?.reason).toBe('time_up');
  });

  test('extendSession() goes no further than the next booking, and is taken back when that comes close', async () => {
    const { world, db, clock, link } = await worldUnderTest();
    const one = await started(world);
    ready(world, link, one.session.id);
    connect(world, one);
    const { seat = 0 } = world.sessions.get(one.session.id) ?? {};
    clock.advance(51 * minute_ms);
    await offerExtensions(world);
    await hold(db, { now: () => one.session.ends_at }, seat, 1, 6);
    await offerExtensions(world);
    const to = world.sessions.get(one.session.id)?.extendable_to;
    expect(to === null || to === (Math.floor(one.session.ends_at / slot_ms) + 1) * slot_ms).toBe(true);
    await hold(db, { now: () => one.session.ends_at + slot_ms - 1 }, seat, 0, 1).catch(() => undefined);
    await offerExtensions(world);
    expect(world.sessions.get(one.session.id)?.extendable_to).toBeNull();
    expect(await extendSession(world, member(world, one))).toEqual({ refused: 'extension_refused' });
  });
});
