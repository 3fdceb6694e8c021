import { expect, test } from 'bun:test';
import { fakeClock } from '../../../shared/testing/clock.ts';
import { tell_every_ms, watchActivity } from './activity.ts';

test('watchActivity() tells at once and then of input, at most every 15 s, until it is ended', () => {
  const clock = fakeClock();
  const target = new EventTarget();
  let told = 0;
  const end = watchActivity(target, () => told++, clock);
  expect(told).toBe(1);
  target.dispatchEvent(new Event('keydown'));
  clock.advance(tell_every_ms - 1);
  target.dispatchEvent(new Event('pointermove'));
  expect(told).toBe(1);
  clock.advance(1);
  expect(told).toBe(1);
  target.dispatchEvent(new Event('wheel'));
  target.dispatchEvent(new Event('wheel'));
  expect(told).toBe(2);
  end();
  clock.advance(tell_every_ms);
  target.dispatchEvent(new Event('keydown'));
  expect(told).toBe(2);
});
