import { describe, expect, test } from 'bun:test';
import { silentLog } from '../../shared/log.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { fakeIds } from '../../shared/testing/ids.ts';
import { type Database, Unavailable } from '../store/database.ts';
import { memoryBus } from '../testing/bus.ts';
import { memoryDatabase } from '../testing/database.ts';
import { newSession, settings } from '../testing/domain.ts';
import { hostRow } from '../testing/rows.ts';
import { memoryStore } from '../testing/store.ts';
import { rowOf, sessionOf } from './rows.ts';
import { replay } from './rules-lifecycle.ts';
import type { Session } from './rules-session.ts';
import { createSaver } from './saver.ts';

/** A saver whose database does as `fault` says before each transaction, and `lost` after it: nothing, or throws. */
const setUp = async (fault: () => void, lost: () => void = () => {}) => {
  const memory = memoryDatabase();
  const db: Database = {
    shared: memory.shared,
    transact: async (work) => {
      fault();
      const done = await memory.transact(work);
      lost();
      return done;
    },
    read: (work) => memory.read(work),
    health: () => memory.health(),
    compact: () => memory.compact(),
    close: () => memory.close(),
  };
  const clock = fakeClock();
  const fenced: string[] = [];
  const saver = createSaver(
    { db, store: memoryStore([]), clock, bus: memoryBus(clock), ids: fakeIds(), log: silentLog },
    {
      fenced: (host) => void fenced.push(host),
      rebased: (stored) => saver.rebase(stored, () => stored.session),
    },
  );
  const add = async (id: string) => {
    const session = { ...newSession(), id };
    await memory.transact(({ sessions }) => sessions.insert({ ...rowOf(session, 0), version: 1 }));
    saver.track(session, 1);
    return session;
  };
  const happened = { event: { type: 'tick' }, at: 0 } as const;
  const mark = (session: Session) => saver.note({ ...session, facts: session.facts + 1 }, happened, true);
  const code = async (id: string) => (await memory.read(({ sessions }) => sessions.get({ id })))?.code;
  return { saver, clock, memory, add, code, fenced, mark };
};

describe('createSaver()', () => {
  test('createSaver() stores the latest state, and says when', async () => {
    const { saver, add, code, mark } = await setUp(() => {});
    const session = await add('s1');
    for (const number of ['1111', '2222', '3333']) mark({ ...session, code: number });
    await saver.saved('s1');
    expect(await code('s1')).toBe('3333');
    saver.forget('s1');
    await saver.stop();
    expect(await code('s1')).toBeUndefined();
  });

  test('createSaver() stores how a session ended before its row goes, when the database was away until then', async () => {
    let down = true;
    const { saver, clock, memory, add, mark } = await setUp(() => {
      if (down) throw new Unavailable('storage_away', 'gone');
    });
    const session = await add('s1');
    const seat = { host: session.host, seat: session.seat, slot_at: 0, holder: 's1', app: session.app };
    await memory.transact((tables) => tables.seat_slots.insert(seat));
    const end = { reason: 'time_up', at: 1 } as const;
    mark({ ...session, phase: 'ended', seat_held: false, end });
    saver.forget('s1');
    while (clock.pending() === 0) await Promise.resolve();
    down = false;
    clock.advance(1_000);
    await saver.saved('s1');
    await saver.stop();
    const left = await memory.read(async (tables) => [
      await tables.records.count({}),
      await tables.seat_slots.count({}),
      await tables.sessions.count({}),
    ]);
    expect(left).toEqual([1, 0, 0]);
  });

  test('createSaver() tells who waits that the database is away, and stores when it is back', async () => {
    let down = true;
    const { saver, clock, add, code, mark } = await setUp(() => {
      if (down) throw new Unavailable('storage_away', 'gone');
    });
    const session = await add('s1');
    mark({ ...session, code: '2222' });
    await expect(saver.saved('s1')).rejects.toBeInstanceOf(Unavailable);
    while (clock.pending() === 0) await Promise.resolve();
    down = false;
    clock.advance(1_000);
    await saver.saved('s1');
    expect(await code('s1')).toBe('2222');
  });

  test('createSaver() gives up a session that the database refuses, and stores the others', async () => {
    const { saver, memory, add, code, mark } = await setUp(() => {});
    const sessions = [await add('s1'), await add('s2'), await add('s3')];
    for (const session of sessions) mark({ ...session, code: session.id === 's2' ? 'a code' : '2222' });
    await saver.saved('s2').catch(() => undefined);
    await saver.stop();
    expect([await code('s1'), await code('s2'), await code('s3')]).toEqual(['2222', '0001', '2222']);
    expect(await memory.read(({ records }) => records.count({}))).toBe(0);
  });

  test('createSaver() stores nothing of a host that has come to another coordinator, and says so', async () => {
    const { saver, memory, add, code, fenced, mark } = await setUp(() => {});
    const session = await add('s1');
    const elsewhere = { ...hostRow(session.host), held_by: 'other' };
    await memory.transact(({ hosts }) => hosts.insert(elsewhere));
    mark({ ...session, code: '2222' });
    await expect(saver.saved('s1')).rejects.toMatchObject({ refusal: { refused: 'host_offline' } });
    expect([await code('s1'), fenced]).toEqual(['0001', [session.host]]);
  });

  /** A guest comes. */
  const comes = { event: { type: 'join', id: 'guest', token_hash: 'g', invited: true }, at: 0 } as const;
  const stored = async (memory: Database) => {
    const row = await memory.read(({ sessions }) => sessions.get({ id: 's1' }));
    return row && sessionOf(row);
  };

  test('createSaver() lets a fact happen once when it is not known whether it was stored', async () => {
    let times = 0;
    const { saver, clock, memory, add } = await setUp(
      () => {},
      () => {
        if (++times === 1) throw new Unavailable('storage_away', 'gone after the commit');
      },
    );
    const session = await add('s1');
    saver.note(replay(session, [comes], settings), comes, true);
    await expect(saver.saved('s1')).rejects.toBeInstanceOf(Unavailable);
    expect((await stored(memory))?.participants).toHaveLength(2);
    while (clock.pending() === 0) await Promise.resolve();
    clock.advance(1_000);
    await saver.saved('s1');
    expect(times).toBe(2);
    expect(await stored(memory)).toMatchObject({
      facts: 1,
      participants: [{ owner: true }, { id: 'guest' }],
    });
  });

  test('createSaver() lets a fact happen to what another hand has made of the session', async () => {
    const { saver, memory, add } = await setUp(() => {});
    const session = await add('s1');
    const others = rowOf({ ...session, language: 'ru' }, 0);
    await memory.transact(({ sessions }) => sessions.update({ id: 's1' }, { data: others.data }));
    saver.note(replay(session, [comes], settings), comes, true);
    await saver.saved('s1');
    expect(await stored(memory)).toMatchObject({
      language: 'ru',
      facts: 1,
      participants: [{ owner: true }, { id: 'guest' }],
    });
  });

  test('createSaver() ends when it is stopped, with or without a database', async () => {
    const { saver, add, code, mark } = await setUp(() => {
      throw new Unavailable('storage_away', 'gone');
    });
    mark({ ...(await add('s1')), code: '2222' });
    await saver.stop();
    expect(await code('s1')).toBe('0001');
  });
});
