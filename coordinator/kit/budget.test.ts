import { expect, test } from 'bun:test';
import { fakeClock } from '../../shared/testing/clock.ts';
import { budget } from './budget.ts';

test('budget() lets a burst pass, then what has been earned since', () => {
  const clock = fakeClock();
  const pass = budget(clock, 10, 30);
  expect([pass(20), pass(10), pass(1)]).toEqual([true, true, false]);
  clock.advance(500);
  expect([pass(6), pass(5), pass(1)]).toEqual([false, true, false]);
  clock.advance(60_000);
  expect([pass(31), pass(30)]).toEqual([false, true]);
});
