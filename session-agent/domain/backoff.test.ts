import { expect, test } from 'bun:test';
import { backoff } from './backoff.ts';

const longest = (bound: number) => bound - 1;

test('backoff() doubles its bound from 0.5 s to 30 s', () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 7, 1_000].map((attempt) => backoff(attempt, longest) + 1);
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test('backoff() waits 2 s at the most while players wait', () => {
  expect([0, 1, 2, 3, 10].map((attempt) => backoff(attempt, longest, true) + 1)).toEqual([
    500, 1_000, 2_000, 2_000, 2_000,
  ]);
});

test('backoff() has full jitter: it may be nothing at all', () => {
  expect(backoff(6, () => 0)).toBe(0);
});
