import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { endReasons } from '../../shared/protocol/session.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { slot_ms } from '../seats/rules-slots.ts';
import { memoryDatabase } from '../testing/database.ts';
import { account } from '../testing/rows.ts';
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
import { endSession } from './members.ts';
import { createSession } from './starts.ts';

describe('createSession() and the database', () => {
  test('createSession() stores the session, its code and its time before the host is told', async () => {
    const { world, db, orders, clock } = await worldUnderTest();
    const { session } = await started(world, { account: account(1) });
    const rows = await db.read(async (tables) => ({
      session: await tables.sessions.get({ id: session.id }),
      codes: await tables.codes.find({}),
    }));
    expect(rows.session).toMatchObject({ account_id: 'account-1', host: 'a', phase: 'assigned' });
    expect(rows.codes).toEqual([{ code: session.code, holder: session.id, free_at: null }]);
    expect(session.ends_at).toBe(clock.now() + 60 * minute_ms);
    expect((await slots(db)).every(({ holder }) => holder === session.id)).toBe(true);
    expect((await slots(db)).length).toBeGreaterThanOrEqual(12);
    expect(orders).toMatchObject([{ verb: 'CREATE_SESSION', session_id: session.id }]);
  });

  test('createSession() leaves booked time alone, ends before it, and says so', async () => {
    const { world, db, clock } = await worldUnderTest();
    await hold(db, clock, 0, 4, 12);
    await hold(db, clock, 1, 0, 12);
    const { session } = await started(world);
    expect(session.ends_at).toBe((Math.floor(clock.now() / slot_ms) + 4) * slot_ms);
    expect(session.cut_short).toBe(true);
    expect(await createSession(world, { app: 'Loft' })).toEqual({ refused: 'servers_busy' });
  });

  test('createSession() gives fifty who ask at once the seats there are, each once', async () => {
    const { world, db } = await worldUnderTest({}, memoryDatabase(), fakeClock(), 7);
    const made = await Promise.all(Array.from({ length: 50 }, () => createSession(world, { app: 'Loft' })));
    expect(made.filter((one) => !isRefusal(one))).toHaveLength(7);
    expect(new Set([...world.sessions.values()].map(({ seat }) => seat)).size).toBe(7);
    expect(new Set((await slots(db)).map(({ holder }) => holder)).size).toBe(7);
    expect(await db.read(({ codes }) => codes.count({}))).toBe(7);
  });

  test('createSession() asks for an account where the app does', async () => {
    const { world } = await worldUnderTest({ who_may_start: 'accounts' });
    expect(await createSession(world, { app: 'Loft' })).toEqual({ refused: 'account_required' });
    expect(isRefusal(await createSession(world, { app: 'Loft', account: account(1) }))).toBe(false);
  });

  test('createSession() is never longer than the app allows', async () => {
    const { world, clock } = await worldUnderTest();
    expect((await started(world, { minutes: 600 })).session.ends_at).toBe(clock.now() + 90 * minute_ms);
    const short = await started(world, { minutes: 10 });
    expect(short.session).toMatchObject({ ends_at: clock.now() + 10 * minute_ms, cut_short: false });
  });

  test('createSession() leaves a record, frees the seat and keeps the code in quarantine when it is over', async () => {
    const { world, db, link, clock } = await worldUnderTest();
    const one = await started(world);
    clock.advance(4_000);
    ready(world, link, one.session.id);
    connect(world, one);
    clock.advance(61_000);
    await endSession(world, member(world, one));
    await world.saver.saved(one.session.id);
    expect((await slots(db)).length).toBeGreaterThan(0);
    report(world, link, one.session.id, { type: 'host_ended', reason: 'owner_ended' });
    await world.saver.saved(one.session.id);
    expect(await slots(db)).toEqual([]);
    const { records, codes } = await db.read(async (tables) => ({
      records: await tables.records.find({}),
      codes: await tables.codes.find({}),
    }));
    expect(records).toMatchObject([
      {
        session_id: one.session.id,
        waited_ms: 4_000,
        minutes: 2,
        participants_max: 1,
        end_reason: endReasons.owner_ended,
      },
    ]);
    expect(codes[0]?.free_at).toBeGreaterThan(clock.now());
  });

  test('createSession() leaves a record of no minutes when nobody ever connected', async () => {
    const { world, db, link, clock } = await worldUnderTest();
    const one = await started(world);
    ready(world, link, one.session.id);
    clock.advance(61_000);
    await endSession(world, member(world, one));
    await world.saver.saved(one.session.id);
    expect(await db.read(({ records }) => records.find({}))).toMatchObject([
      { minutes: 0, participants_max: 0 },
    ]);
  });
});
