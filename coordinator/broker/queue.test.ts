import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { bounds } from '../limits.ts';
import { memoryDatabase } from '../testing/database.ts';
import { hold, member, report, started, worldUnderTest } from '../testing/world.ts';
import { askPlace, enterQueue, leaveQueue, moveQueue } from './queue.ts';
import { endSession } from './sessions.ts';
import { createSession } from './starts.ts';

describe('moveQueue()', () => {
  test('moveQueue() offers a seat that came free to the first in the queue, who keeps it for a minute', async () => {
    const { world, clock, link } = await worldUnderTest({}, memoryDatabase(), fakeClock(), 1);
    const one = await started(world);
    const places = [];
    for (let n = 0; n < 3; n++) {
      const place = await enterQueue(world, 'Loft', undefined);
      if (isRefusal(place)) throw new Error(place.refused);
      places.push(place);
      clock.advance(1);
    }
    const [first, second, third] = places;
    if (first === undefined || second === undefined || third === undefined) throw new Error('no places');
    expect(first).toMatchObject({ position: 1, state: 'waiting', expected_at: one.session.ends_at });
    expect(second).toMatchObject({ position: 2, expected_at: null });
    expect(await askPlace(world, first.id, 'wrong')).toEqual({ refused: 'queue_unknown' });

    endSession(world, member(world, one));
    report(world, link, one.session.id, { type: 'host_ended', reason: 'owner_ended' });
    expect(await createSession(world, { app: 'Loft' })).toMatchObject({ refused: 'servers_busy' });
    await moveQueue(world);
    const offered = await askPlace(world, first.id, first.token);
    expect(offered).toMatchObject({ state: 'offered', position: 0, claim_until: clock.now() + 60_000 });
    expect(await askPlace(world, second.id, second.token)).toMatchObject({ state: 'waiting', position: 1 });
    expect(await createSession(world, { app: 'Loft', queue: second })).toMatchObject({
      refused: 'servers_busy',
    });

    clock.advance(59_000);
    await askPlace(world, second.id, second.token);
    clock.advance(1_000);
    await moveQueue(world);
    expect(await askPlace(world, first.id, first.token)).toEqual({ refused: 'queue_unknown' });
    // The third has not asked for a minute, so its place is gone too.
    expect(await askPlace(world, third.id, third.token)).toEqual({ refused: 'queue_unknown' });
    expect(await askPlace(world, second.id, second.token)).toMatchObject({ state: 'offered' });
    expect(isRefusal(await createSession(world, { app: 'Loft', queue: second }))).toBe(false);
    expect(await leaveQueue(world, second.id, second.token)).toEqual({ refused: 'queue_unknown' });
  });

  test('moveQueue() offers no seat that a booking needs soon', async () => {
    const { world, db, clock } = await worldUnderTest({}, memoryDatabase(), fakeClock(), 2);
    await hold(db, clock, 0, 0, 12);
    await hold(db, clock, 1, 0, 1);
    const place = await enterQueue(world, 'Loft', undefined);
    if (isRefusal(place)) throw new Error(place.refused);
    await moveQueue(world);
    expect(await askPlace(world, place.id, place.token)).toMatchObject({ state: 'waiting' });
    await db.transact(({ seat_slots }) => seat_slots.remove({ seat: 1 }));
    await moveQueue(world);
    expect(await askPlace(world, place.id, place.token)).toMatchObject({ state: 'offered' });
  });

  test('moveQueue() has an end', async () => {
    const { world } = await worldUnderTest();
    for (let n = 0; n < bounds.queue_places; n++) await enterQueue(world, 'Loft', undefined);
    expect(await enterQueue(world, 'Loft', undefined)).toMatchObject({ refused: 'too_many_messages' });
  });
});
