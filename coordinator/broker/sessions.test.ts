import { describe, expect, test } from 'bun:test';
import { connect, member, minute_ms, ready, started, worldUnderTest } from '../testing/world.ts';
import { tick } from './fleet.ts';
import { noteActivity } from './sessions.ts';

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
