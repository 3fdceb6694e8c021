import { expect, test } from 'bun:test';
import { skyline_height, skyline_width, skylineOf } from './skyline.ts';

test('skylineOf() draws the same town for the same name, and another one for another', () => {
  expect(skylineOf('Лесной берег')).toEqual(skylineOf('Лесной берег'));
  expect(skylineOf('Loft')).not.toEqual(skylineOf('Garden'));
});

test('skylineOf() fills the picture’s width and stays below its top', () => {
  for (const name of ['a', 'Loft', 'Лесной берег']) {
    const { towers } = skylineOf(name);
    const front = towers.filter(({ row }) => row === 2);
    expect(Math.min(...front.map(({ x }) => x))).toBeLessThanOrEqual(0);
    expect(Math.max(...towers.map(({ x, width }) => x + width))).toBeGreaterThan(skyline_width * 0.95);
    expect(Math.max(...towers.map(({ height }) => height))).toBeLessThan(skyline_height);
  }
});
