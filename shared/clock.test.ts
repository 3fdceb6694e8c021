import { describe, expect, test } from 'bun:test';
import { systemClock } from './clock.ts';
import { fakeClock } from './testing/clock.ts';

describe('systemClock()', () => {
  test('systemClock() fires after its delay, and not when cancelled', async () => {
    const fired: string[] = [];
    const done = Promise.withResolvers<void>();
    const start = systemClock.monotonic();
    const cancel = systemClock.after(1, () => fired.push('cancelled'));
    cancel();
    cancel();
    systemClock.after(20, () => {
      fired.push('after');
      done.resolve();
    });
    await done.promise;
    expect(fired).toEqual(['after']);
    expect(systemClock.monotonic() - start).toBeGreaterThanOrEqual(19);
  });

  test('systemClock() repeats until cancelled', async () => {
    const done = Promise.withResolvers<void>();
    let ticks = 0;
    const cancel = systemClock.every(1, () => {
      if (++ticks < 3) return;
      cancel();
      done.resolve();
    });
    await done.promise;
    expect(ticks).toBe(3);
  });

  test('systemClock() tells the wall time', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  });
});

describe('fakeClock()', () => {
  test('fakeClock() stands still until it is advanced', () => {
    const clock = fakeClock(1_000);
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0]);
    clock.advance(250);
    expect([clock.now(), clock.monotonic()]).toEqual([1_250, 250]);
  });

  test('fakeClock() runs timers in order of their due time, then of their start, each at its own time', () => {
    const clock = fakeClock(0);
    const runs: [string, number][] = [];
    const note = (name: string) => () => void runs.push([name, clock.now()]);
    clock.after(30, note('late'));
    clock.after(10, note('first'));
    clock.after(10, note('second'));
    clock.every(20, note('tick'));
    clock.advance(45);
    expect(runs).toEqual([
      ['first', 10],
      ['second', 10],
      ['tick', 20],
      ['late', 30],
      ['tick', 40],
    ]);
    expect(clock.now()).toBe(45);
  });

  test('fakeClock() runs a timer that another timer started, if it falls due', () => {
    const clock = fakeClock(0);
    const times: number[] = [];
    clock.after(10, () => clock.after(5, () => times.push(clock.now())));
    clock.advance(15);
    expect(times).toEqual([15]);
  });

  test('fakeClock() counts what is pending and forgets what is cancelled', () => {
    const clock = fakeClock();
    const cancel = clock.every(10, () => {});
    clock.after(10, () => {});
    expect(clock.pending()).toBe(2);
    cancel();
    cancel();
    clock.advance(10);
    expect(clock.pending()).toBe(0);
  });

  test('fakeClock() lets a repeating timer cancel itself', () => {
    const clock = fakeClock();
    let ticks = 0;
    const cancel = clock.every(10, () => {
      ticks += 1;
      cancel();
    });
    clock.advance(100);
    expect(ticks).toBe(1);
  });

  test('fakeClock() does not hang on a period of zero', () => {
    const clock = fakeClock();
    let ticks = 0;
    clock.every(0, () => {
      ticks += 1;
    });
    clock.advance(10);
    expect(ticks).toBe(11);
  });
});
