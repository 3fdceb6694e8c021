import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../shared/errors.ts';
import { AGENT_LINK_VERSION } from '../shared/protocol/agent-link.ts';
import { fakeClock } from '../shared/testing/clock.ts';
import { hostHello, tick } from './fleet/fleet.ts';
import { openWorld } from './open.ts';
import type { Link } from './sessions/live.ts';
import { issueTicket, joinSession } from './sessions/members.ts';
import { memoryDatabase } from './testing/database.ts';
import { keyOf } from './testing/store.ts';
import { connect, member, ready, slots, started, worldUnderTest } from './testing/world.ts';

describe('openWorld() after a restart', () => {
  test('openWorld() ends what its host no longer runs when it comes back', async () => {
    const db = memoryDatabase();
    const clock = fakeClock();
    const first = await worldUnderTest({}, db, clock);
    const one = await started(first.world);
    ready(first.world, first.link, one.session.id);
    await first.world.saver.stop();
    const { world } = await worldUnderTest({}, db, clock);
    expect(world.sessions.get(one.session.id)?.end?.reason).toBe('host_forgot');
    await world.saver.saved(one.session.id);
    expect(await slots(db)).toEqual([]);
  });

  test('openWorld() goes on with what the host still runs', async () => {
    const db = memoryDatabase();
    const clock = fakeClock();
    const first = await worldUnderTest({}, db, clock);
    const one = await started(first.world);
    ready(first.world, first.link, one.session.id);
    connect(first.world, one);
    const guest = await joinSession(
      first.world,
      { invite: first.world.sessions.get(one.session.id)?.invite ?? '' },
      '192.0.2.1',
    );
    if (isRefusal(guest)) throw new Error(guest.refused);
    await first.world.saver.stop();

    const world = await openWorld({ ...first.world });
    expect(member(world, guest).participant.owner).toBe(false);
    expect(issueTicket(world, member(world, one))).toEqual({ refused: 'host_offline' });
    const link: Link = { ...first.link, epoch: 2 };
    const hello = {
      verb: 'HELLO' as const,
      protocol: AGENT_LINK_VERSION,
      server_name: 'a',
      seats: 2,
      apps: ['Loft'],
      sessions: [{ session_id: one.session.id, generation: 1, state: 'ready' as const }],
    };
    expect(hostHello(world, link, keyOf('a'), hello, () => {})).toBeUndefined();
    connect(world, one);
    connect(world, guest);
    expect(world.sessions.get(one.session.id)).toMatchObject({ phase: 'ready', reachable: true });
  });

  test('openWorld() gives up a host that does not come back', async () => {
    const first = await worldUnderTest();
    const one = await started(first.world);
    await first.world.saver.stop();
    const world = await openWorld({ ...first.world });
    first.clock.advance(120_000);
    tick(world);
    expect(world.sessions.get(one.session.id)?.end?.reason).toBe('host_lost');
  });
});
