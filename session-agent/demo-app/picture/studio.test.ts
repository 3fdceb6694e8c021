import { describe, expect, test } from 'bun:test';
import { look, startingWalker, viewOf } from '../walker.ts';
import { createTextures } from './painter.ts';
import { createStudio } from './studio.ts';
import { type StyleName, styles } from './style.ts';

const overlay = { name: '', counters: undefined, fps: undefined };
const start = viewOf(startingWalker);

const hashOf = (style: StyleName, view = start, lamp = 1): bigint =>
  Bun.hash.xxHash64(createStudio(style, 320, 180).draw(view, lamp, overlay).data);

const mean = (plane: ArrayLike<number>): number =>
  Array.from(plane).reduce((sum, value) => sum + value, 0) / plane.length;

describe('createStudio()', () => {
  test('createStudio() draws the same picture for the same view, and another for another', () => {
    const first = hashOf('loft');
    expect(hashOf('loft')).toBe(first);
    expect(hashOf('loft', viewOf(look(startingWalker, 0.02, 0)))).not.toBe(first);
    expect(hashOf('loft', viewOf({ ...startingWalker, x: startingWalker.x - 0.05 }))).not.toBe(first);
  });

  test('createStudio() draws two styles that nobody mixes up', () => {
    const planes = (['loft', 'garden'] as const).map((style) => {
      const { y, u, v } = createStudio(style, 320, 180).draw(start, 1, overlay);
      return [mean(y), mean(u), mean(v)];
    });
    const [loft = [], garden = []] = planes;
    expect((garden[0] ?? 0) - (loft[0] ?? 0)).toBeGreaterThan(20);
    expect((loft[2] ?? 0) - (garden[2] ?? 0)).toBeGreaterThan(5);
  });

  test.each(['loft', 'garden'] as const)(
    'createStudio() is clearly darker with the lamps out, and burns nothing out: %s',
    (style) => {
      const studio = createStudio(style, 160, 90);
      const burnt = () =>
        Array.from({ length: 8 }, (_, turn) => viewOf(look(startingWalker, (turn * Math.PI) / 4, 0))).flatMap(
          (view) =>
            [0, 1].map((lamp) => {
              const { y } = studio.draw(view, lamp, overlay);
              return y.filter((value) => value >= 230).length / y.length;
            }),
        );
      expect(Math.max(...burnt())).toBeLessThan(0.06);
      for (const _ of studio.prepare());
      expect(Math.max(...burnt())).toBeLessThan(0.06);
      const on = mean(studio.draw(start, 1, overlay).y);
      const off = mean(studio.draw(start, 0, overlay).y);
      expect(on - off).toBeGreaterThan(15);
    },
    60_000,
  );

  test('createStudio() leaves no pixel undrawn, wherever one looks', () => {
    const studio = createStudio('garden', 160, 90);
    for (let turn = 0; turn < 12; turn++) {
      const view = viewOf(look(startingWalker, (turn * Math.PI) / 6, turn % 2 ? 1 : -1));
      const frame = studio.draw(view, 1, overlay);
      const below = frame.y.subarray(160 * 40, 160 * 80);
      expect(below.includes(0)).toBeFalse();
    }
  });

  test('createStudio() changes its size', () => {
    const studio = createStudio('loft', 320, 180);
    studio.resize(200, 100);
    const { width, height, data } = studio.draw(start, 1, overlay);
    expect([width, height, data.length]).toEqual([200, 100, 30_000]);
  });
});

test('createTextures() has a blurred texture at once and the finished one after finish()', () => {
  const textures = createTextures(styles.loft.surfaces);
  const blurred = textures.of('wall');
  textures.finish('wall');
  expect(textures.of('wall').size).toBeGreaterThan(blurred.size);
  expect(mean(textures.of('wall').luma[0] ?? new Uint8Array(1))).toBeCloseTo(
    mean(blurred.luma[0] ?? new Uint8Array(1)),
    -2,
  );
});
