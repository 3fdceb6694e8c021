import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { bounds } from '../kit/limits.ts';
import { endSession } from '../sessions/members.ts';
import { createSession } from '../sessions/starts.ts';
import { memoryDatabase } from '../testing/database.ts';
import { hold, member, report, started, worldUnderTest } from '../testing/world.ts';
import { askPlace, enterQueue, leaveQueue, moveQueue } from './queue.ts';

describe('moveQueue()', () => {
  test('moveQueue() offers a seat that came free to the first in the queue, who keeps it for a minute', async () => {
    const { world, clock, link } = await worldUnderTest({}, memoryDatabase(), fakeClock(), 1);
    const one = await started(world);
    const places = [];
    for (let n = 0; n < 3; n++) {
      const place = await enterQueue(world, 'Loft', undefined, '192.0.2.1');
      if (isRefusal(place)) throw new Error(place.refused);
      places.push(place);
      clock.advance(1);
    }
    const [first, second, third] = places;
    if (first === undefined || second === undefined || third === undefined) throw new Error('no places');
    expect(first).toMatchObject({ position: 1, state: 'waiting', expected_at: one.session.ends_at });
    expect(second).toMatchObject({ position: 2, expected_at: null });
    expect(await askPlace(world, first.id, 'wrong')).toEqual({ refused: 'queue_unknown' });

    await endSession(world, member(world, one));
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
    const place = await enterQueue(world, 'Loft', undefined, '192.0.2.1');
    if (isRefusal(place)) throw new Error(place.refused);
    await moveQueue(world);
    expect(await askPlace(world, place.id, place.token)).toMatchObject({ state: 'waiting' });
    await db.transact(({ seat_slots }) => seat_slots.remove({ seat: 1 }));
    await moveQueue(world);
    expect(await askPlace(world, place.id, place.token)).toMatchObject({ state: 'offered' });
  });

  test('moveQueue() has an end', async () => {
    const { world } = await worldUnderTest();
    for (let n = 0; n < bounds.queue_places; n++) {
      expect(isRefusal(await enterQueue(world, 'Loft', undefined, `192.0.2.${n}`))).toBe(false);
    }
    expect(await enterQueue(world, 'Loft', undefined, '198.51.100.1')).toEqual({
      refused: 'too_many',
      detail: 'the queue is full',
    });
  });
});

describe('enterQueue()', () => {
  test('enterQueue() gives one network few places, however many it asks for at once', async () => {
    const { world, db, clock } = await worldUnderTest();
    const enter = (network: string) => enterQueue(world, 'Loft', undefined, network);
    const most = bounds.queue_entries_of_network;
    const answers = await Promise.all(Array.from({ length: 3 * most }, () => enter('192.0.2.1')));
    expect(answers.filter(isRefusal).map(({ refused }) => refused)).toEqual(
      Array<'too_many_messages'>(2 * most).fill('too_many_messages'),
    );
    expect(await db.read(({ queue }) => queue.count({}))).toBe(most);
    expect(isRefusal(await enter('198.51.100.1'))).toBe(false);
    clock.advance(2 * bounds.queue_entries_ms);
    expect(isRefusal(await enter('192.0.2.1'))).toBe(false);
  });
});

describe('createSession() beside a queue', () => {
  test('createSession() keeps seats back only for those who have just asked for their place', async () => {
    const { world, clock } = await worldUnderTest({}, memoryDatabase(), fakeClock(), 2);
    const places = [];
    for (const network of ['192.0.2.1', '192.0.2.2']) {
      const place = await enterQueue(world, 'Loft', undefined, network);
      if (isRefusal(place)) throw new Error(place.refused);
      places.push(place);
    }
    expect(await createSession(world, { app: 'Loft' })).toMatchObject({ refused: 'servers_busy' });
    clock.advance(bounds.queue_present_ms);
    const [here, away] = places;
    if (here === undefined || away === undefined) throw new Error('no places');
    await askPlace(world, here.id, here.token);
    // Two seats, and one who waits for one of them: the other may be taken, and then no more.
    expect(isRefusal(await createSession(world, { app: 'Loft' }))).toBe(false);
    expect(await createSession(world, { app: 'Loft' })).toMatchObject({ refused: 'servers_busy' });
    // Who was away has kept the place.
    expect(await askPlace(world, away.id, away.token)).toMatchObject({ state: 'waiting', position: 2 });
  });

  test('createSession() keeps an offered seat back until the claim has run out', async () => {
    const { world, clock } = await worldUnderTest({}, memoryDatabase(), fakeClock(), 1);
    await enterQueue(world, 'Loft', undefined, '192.0.2.1');
    await moveQueue(world);
    clock.advance(bounds.queue_claim_ms - 1);
    expect(await createSession(world, { app: 'Loft' })).toMatchObject({ refused: 'servers_busy' });
    clock.advance(1);
    expect(isRefusal(await createSession(world, { app: 'Loft' }))).toBe(false);
  });
});
