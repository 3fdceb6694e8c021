import { expect, test } from 'bun:test';
import { fitsOn } from './capacity.ts';

const card = { index: 1, seats: 3, vram_mb: 8_000, encoders: 4 };
const small = { vram_mb: 2_000, encoders: 1 };
const on = (index: number, vram_mb = 2_000, encoders = 1) => ({ card: index, vram_mb, encoders });

test.each([
  ['an empty card', [], small, true],
  ['a card with a seat left', [on(1), on(1)], small, true],
  ['a card whose seats are taken', [on(1), on(1), on(1)], small, false],
  ['loads of other cards', [on(0), on(2), on(0)], small, true],
  ['just the memory that is left', [on(1, 6_000)], small, true],
  ['more memory than is left', [on(1, 6_001)], small, false],
  ['more encoder sessions than are left', [on(1, 0, 4)], { vram_mb: 0, encoders: 1 }, false],
  ['no encoder session where none is left', [on(1, 0, 4)], { vram_mb: 0, encoders: 0 }, true],
])('fitsOn() with %s', (_, loads, needs, fits) => {
  expect(fitsOn(card, loads, needs)).toBe(fits);
});

test('fitsOn() counts only seats on a card without limits', () => {
  const free = { index: 0, seats: 1, vram_mb: null, encoders: null };
  expect(fitsOn(free, [], { vram_mb: 1e6, encoders: 100 })).toBe(true);
  expect(fitsOn(free, [on(0)], { vram_mb: 0, encoders: 0 })).toBe(false);
});
