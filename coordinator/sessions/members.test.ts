import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { tick } from '../fleet/fleet.ts';
import { type Database, Unavailable } from '../store/database.ts';
import { memoryDatabase } from '../testing/database.ts';
import { connect, member, minute_ms, ready, started, worldUnderTest } from '../testing/world.ts';
import { admitGuest, type Door, issueTicket, joinSession, noteActivity } from './members.ts';

describe('noteActivity()', () => {
  test('noteActivity() keeps a session alive that would end for want of it, after a countdown', async () => {
    const { world, clock, link } = await worldUnderTest({ idle_seconds: 300 });
    const one = await started(world);
    ready(world, link, one.session.id);
    connect(world, one);
    const now = () => world.sessions.get(one.session.id);
    clock.advance(10 * minute_ms);
    tick(world);
    expect(now()?.phase).toBe('ready');
    noteActivity(world, member(world, one));
    clock.advance(240_000);
    tick(world);
    expect(now()?.idle_at).toBe(clock.now() + 60_000);
    noteActivity(world, member(world, one));
    expect(now()?.idle_at).toBeNull();
    clock.advance(299_999);
    tick(world);
    expect(now()?.phase).toBe('ready');
    clock.advance(1);
    tick(world);
    expect(now()?.end?.reason).toBe('idle');
  });
});

describe('joinSession()', () => {
  test('joinSession() leaves no participant behind when the join cannot be stored', async () => {
    const memory = memoryDatabase();
    let down = false;
    const db: Database = {
      shared: memory.shared,
      transact: (work) =>
        down ? Promise.reject(new Unavailable('storage_away', 'gone')) : memory.transact(work),
      read: (work) => memory.read(work),
      health: () => memory.health(),
      compact: () => memory.compact(),
      close: () => memory.close(),
    };
    const { world, link } = await worldUnderTest({}, db);
    const one = await started(world);
    ready(world, link, one.session.id);
    await world.saver.saved(one.session.id);
    down = true;
    const invite = one.session.invite ?? '';
    await expect(joinSession(world, { invite }, '192.0.2.1')).rejects.toBeInstanceOf(Unavailable);
    expect(world.sessions.get(one.session.id)?.participants.map(({ owner }) => owner)).toEqual([true]);
    expect(world.sessions.get(one.session.id)?.phase).toBe('ready');
    down = false;
    await world.saver.saved(one.session.id);
    const row = await db.read(({ sessions }) => sessions.get({ id: one.session.id }));
    expect(JSON.parse(row?.data ?? '').participants).toHaveLength(1);
  });
});

test('joinSession() lets nobody in by a name that is in the session, or looks like one', async () => {
  const { world, link } = await worldUnderTest({ lobby: true });
  const one = await started(world);
  ready(world, link, one.session.id);
  const { code } = one.session;
  const told = async (name: string) => {
    const joined = await joinSession(world, { code, name }, '192.0.2.1');
    return isRefusal(joined) ? joined.refused : 'in';
  };
  const names = ['Anna', 'Anna', 'ANNA', '\u0410nn\u0430', 'Hanna'];
  const answers: string[] = [];
  for (const name of names) answers.push(await told(name));
  expect(answers).toEqual(['in', 'name_taken', 'name_taken', 'name_taken', 'in']);
});

describe('admitGuest()', () => {
  test('admitGuest() lets in who came by code; until then the guest neither connects nor learns the invite', async () => {
    const { world, link } = await worldUnderTest({ lobby: true });
    const one = await started(world);
    ready(world, link, one.session.id);
    connect(world, one);
    const join = async (door: Door) => {
      const joined = await joinSession(world, door, '192.0.2.1');
      if (isRefusal(joined)) throw new Error(joined.refused);
      return joined;
    };
    const guest = await join({ code: one.session.code });
    expect(guest.session).toMatchObject({ invite: null, participants: 1, waiting: [guest.participant_id] });
    expect(issueTicket(world, member(world, guest))).toEqual({ refused: 'lobby_waiting' });
    expect(await admitGuest(world, member(world, guest), guest.participant_id, true)).toEqual({
      refused: 'forbidden',
    });
    await admitGuest(world, member(world, one), guest.participant_id, true);
    connect(world, guest);
    const refused = await join({ code: one.session.code });
    await admitGuest(world, member(world, one), refused.participant_id, false);
    expect(issueTicket(world, member(world, refused))).toEqual({ refused: 'forbidden' });
    connect(world, await join({ invite: one.session.invite ?? '' }));
    expect(world.sessions.get(one.session.id)?.participants.filter(({ came }) => came)).toHaveLength(3);
  });
});
