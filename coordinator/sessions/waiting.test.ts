import { describe, expect, test } from 'bun:test';
import { bounds } from '../kit/limits.ts';
import { appUnderTest } from '../testing/app.ts';
import { createWaiting } from './waiting.ts';

const idle = new AbortController().signal;

const setUp = async () => {
  const { waiting, clock, world } = await appUnderTest();
  const left = () => [clock.pending(), world.sessions.watched().length];
  return { waiting, clock, left };
};

describe(`${createWaiting.name}()`, () => {
  test('createWaiting() lets a caller go who has gone away, and leaves nothing behind', async () => {
    const { waiting, left } = await setUp();
    const caller = new AbortController();
    const waited = waiting.change('s', caller.signal);
    expect(left()).toEqual([1, 1]);
    caller.abort();
    await waited;
    expect(left()).toEqual([0, 0]);
    await waiting.change('s', caller.signal);
    expect(left()).toEqual([0, 0]);
  });

  test('createWaiting() answers at once when too many wait for one session', async () => {
    const { waiting, clock, left } = await setUp();
    const waits = Array.from({ length: bounds.waiters_per_session }, () => waiting.change('s', idle));
    await waiting.change('s', idle);
    expect(left()).toEqual([bounds.waiters_per_session, 1]);
    clock.advance(bounds.long_poll_ms);
    await Promise.all(waits);
    expect(left()).toEqual([0, 0]);
  });

  test('createWaiting() releases everybody at the stop, and holds nobody afterwards', async () => {
    const { waiting, left } = await setUp();
    const waits = [waiting.change('s', idle), waiting.change('t', idle)];
    waiting.stop();
    await Promise.all(waits);
    await waiting.change('s', idle);
    expect(left()).toEqual([0, 0]);
  });
});
