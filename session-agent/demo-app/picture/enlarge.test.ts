import { expect, test } from 'bun:test';
import { drawnSmaller, enlarge } from './enlarge.ts';
import { createFrame } from './painter.ts';

test('enlarge() keeps every pixel and puts means between them', () => {
  const small = createFrame(8, 8);
  small.y.forEach((_, i) => {
    small.y[i] = 16 + ((i * 37) % 200);
  });
  small.u.fill(90);
  small.v.fill(160);
  const large = createFrame(16, 16);
  enlarge(small, large);
  const at = (x: number, y: number) => large.y[y * 16 + x] ?? -1;
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) expect(at(2 * x, 2 * y)).toBe(small.y[y * 8 + x] ?? -2);
  }
  const [left, right, below] = [small.y[0] ?? 0, small.y[1] ?? 0, small.y[8] ?? 0];
  expect(at(1, 0)).toBe((left + right) >> 1);
  expect(at(0, 1)).toBe((left + below) >> 1);
  expect(large.u.every((value) => value === 90)).toBeTrue();
  expect(large.v.every((value) => value === 160)).toBeTrue();
});

test.each([
  [1280, 720, true],
  [1920, 1080, true],
  [640, 360, false],
  [1282, 722, false],
])('drawnSmaller() of %i x %i is %p', (width, height, smaller) => {
  expect(drawnSmaller(width, height)).toBe(smaller);
});
