import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { AGENT_LINK_VERSION } from '../../shared/protocol/agent-link.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';
import { Fenced } from '../kit/fenced.ts';
import { openWorld } from '../open.ts';
import { capacityOf } from '../seats/rules-capacity.ts';
import { happen } from '../sessions/live.ts';
import { joinSession } from '../sessions/members.ts';
import { createSession } from '../sessions/starts.ts';
import { memoryDatabase } from '../testing/database.ts';
import { keyOf, memoryStore } from '../testing/store.ts';
import { connect, entryOfA, ready, started, worldUnderTest } from '../testing/world.ts';
import { claimHost, letGo } from './claims.ts';
import { greetHost, tick } from './fleet.ts';

const running = (id: string) => ({ session_id: id, generation: 1, state: 'ready' as const });

/** Two coordinators on one database; the host was the first one's, with a session that plays. */
const pair = async () => {
  const db = memoryDatabase();
  const clock = fakeClock();
  const first = await worldUnderTest({}, db, clock);
  await claimHost(first.world, 'a', 2, capacityOf(2));
  const one = await started(first.world);
  ready(first.world, first.link, one.session.id);
  connect(first.world, one);
  await first.world.saver.saved(one.session.id);
  const second = await openWorld({
    ...first.world,
    store: memoryStore([entryOfA()], { coordinator_name: 'other' }),
  });
  const link = { ...first.link, epoch: 7 };
  const dial = () =>
    greetHost(
      second,
      link,
      keyOf('a'),
      {
        verb: 'HELLO',
        protocol: AGENT_LINK_VERSION,
        server_name: 'a',
        seats: 2,
        apps: ['Loft'],
        sessions: [running(one.session.id)],
      },
      () => {},
      () => false,
    );
  return { first, second, one, dial, clock, db };
};

describe('claimHost()', () => {
  test('claimHost() leaves the sessions of another coordinator alone until its host comes', async () => {
    const { second, one, clock, dial } = await pair();
    expect([second.sessions.size, second.hosts.size]).toEqual([0, 0]);
    clock.advance(121_000);
    tick(second);
    expect(second.lives.lost.size).toBe(0);
    expect(await dial()).toBeUndefined();
    expect(second.sessions.get(one.session.id)).toMatchObject({ phase: 'ready', reachable: true });
    connect(second, one);
    expect(isRefusal(await joinSession(second, { code: one.session.code }, '192.0.2.1'))).toBe(false);
  });

  test('claimHost() fences the former coordinator: what it still thinks is not stored', async () => {
    const { first, second, one, dial, db } = await pair();
    await dial();
    happen(first.world, one.session.id, { type: 'end', reason: 'time_up' });
    await expect(first.world.saver.saved(one.session.id)).rejects.toBeInstanceOf(Fenced);
    expect([first.world.sessions.size, first.world.links.size]).toEqual([0, 0]);
    const row = await db.read(({ sessions }) => sessions.get({ id: one.session.id }));
    expect(row?.phase).toBe('ready');
    expect(await createSession(first.world, { app: 'Loft' })).toMatchObject({ refused: 'app_offline' });
    expect(isRefusal(await createSession(second, { app: 'Loft' }))).toBe(false);
  });
});

test('letGo() forgets a host that has gone to another coordinator, with its sessions and the link that is left', async () => {
  const { first, dial } = await pair();
  const { world } = first;
  const before = world.catalogue.now();
  await letGo(world);
  expect([world.sessions.size, world.links.size]).toEqual([1, 1]);
  await dial();
  // As long as it has not read that the host has gone, it does not ask.
  await letGo(world);
  expect(world.sessions.size).toBe(1);
  const gone = await readCatalogue(world);
  // The host has come back since.
  const [row] = [gone.hosts.get('a')];
  await world.db.transact(({ hosts }) => hosts.update({ name: 'a' }, { held_by: 'main' }));
  world.catalogue.put(gone);
  await letGo(world);
  expect(world.sessions.size).toBe(1);
  await world.db.transact(({ hosts }) => hosts.update({ name: 'a' }, { held_by: row?.held_by ?? null }));
  await letGo(world);
  expect([world.sessions.size, world.hosts.size, world.links.size]).toEqual([0, 0, 0]);
  expect(before.hosts.get('a')?.held_by).not.toBe('other');
});
