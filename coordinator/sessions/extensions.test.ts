import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { tick } from '../fleet/fleet.ts';
import { slot_ms } from '../seats/rules-slots.ts';
import { account } from '../testing/rows.ts';
import { connect, hold, member, minute_ms, ready, slots, started, worldUnderTest } from '../testing/world.ts';
import { extendSession, offerExtensions } from './extensions.ts';
import { joinSession } from './members.ts';

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
    expect(await extendSession(world, member(world, one))).toMatchObject({ refused: 'extension_early' });
    clock.advance(39 * minute_ms);
    tick(world);
    expect(now()?.end?.reason).toBe('time_up');
  });

  test('extendSession() is refused before the end is near', async () => {
    const { world, clock, link } = await worldUnderTest();
    const one = await started(world);
    ready(world, link, one.session.id);
    connect(world, one);
    clock.advance(50 * minute_ms - 1);
    const { ends_at } = one.session;
    expect(await extendSession(world, member(world, one))).toEqual({
      refused: 'extension_early',
      detail: `from ${new Date(ends_at - 10 * minute_ms).toISOString()}`,
    });
    clock.advance(1);
    expect(isRefusal(await extendSession(world, member(world, one)))).toBe(false);
  });

  test('extendSession() gives who presses twice the same longer session', async () => {
    const { world, clock, link } = await worldUnderTest();
    const one = await started(world);
    ready(world, link, one.session.id);
    connect(world, one);
    clock.advance(51 * minute_ms);
    const owner = member(world, one);
    const to = one.session.ends_at + 30 * minute_ms;
    const presses = await Promise.all([1, 2, 3].map(() => extendSession(world, owner)));
    expect(presses.map((press) => (isRefusal(press) ? press.refused : press.ends_at))).toEqual([to, to, to]);
    // One that was on its way meanwhile.
    expect(await extendSession(world, owner)).toMatchObject({ ends_at: to });
    expect(await extendSession(world, member(world, one))).toMatchObject({ refused: 'extension_early' });
  });

  test('extendSession() needs minutes of the quota, and no further session', async () => {
    const extended = async (quota: object) => {
      const { world, db, clock, link } = await worldUnderTest();
      await db.transact(({ accounts }) => accounts.update({ id: 'account-1' }, quota));
      const one = await started(world, { account: account(1) });
      ready(world, link, one.session.id);
      connect(world, one);
      clock.advance(51 * minute_ms);
      const answer = await extendSession(world, member(world, one));
      return isRefusal(answer) ? answer.refused : 'extended';
    };
    expect(await extended({ quota_minutes: 89 })).toBe('quota_exceeded');
    expect(await extended({ quota_minutes: 90 })).toBe('extended');
    expect(await extended({ quota_sessions: 1 })).toBe('extended');
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

  test('extendSession() of a session that is as long as it may be says so', async () => {
    const { world, clock, link } = await worldUnderTest();
    const one = await started(world);
    ready(world, link, one.session.id);
    connect(world, one);
    const now = world.sessions.get(one.session.id);
    if (now === undefined) throw new Error('not there');
    const changes = { data: JSON.stringify({ ...now, longest_end: now.ends_at }) };
    await world.db.transact(({ sessions }) => sessions.update({ id: now.id }, changes));
    clock.advance(51 * minute_ms);
    expect(await extendSession(world, member(world, one))).toEqual({ refused: 'extension_longest' });
  });
});
