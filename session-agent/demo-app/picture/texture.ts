import type { Paint } from './paint.ts';

/**
 * A painted square, ready for the rasteriser: brightness at full size and the two colour planes at half of it (as the
 * picture has them), each with its mip levels. A brightness of 0 is a hole.
 */
export interface Texture {
  /** Side of level 0 in texels, a power of two. */
  readonly size: number;
  readonly luma: readonly Uint8Array[];
  readonly u: readonly Int8Array[];
  readonly v: readonly Int8Array[];
}

/** Marks a hole in a colour plane. */
export const HOLE = -128;

const halve = <A extends Uint8Array | Int8Array>(from: A, to: A, hole: number): A => {
  const side = Math.sqrt(to.length);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      let sum = 0;
      let count = 0;
      for (let i = 0; i < 4; i++) {
        const value = from[(2 * y + (i >> 1)) * 2 * side + 2 * x + (i & 1)] ?? hole;
        if (value === hole) continue;
        sum += value;
        count++;
      }
      to[y * side + x] = count < 2 ? hole : Math.round(sum / count);
    }
  }
  return to;
};

const mipmaps = <A extends Uint8Array | Int8Array>(
  base: A,
  create: (length: number) => A,
  hole: number,
): A[] => {
  const levels = [base];
  for (let last = base; last.length > 16; ) {
    last = halve(last, create(last.length / 4), hole);
    levels.push(last);
  }
  return levels;
};

const clampTo = (value: number, least: number, most: number) =>
  Math.min(most, Math.max(least, Math.round(value)));

/** Paints a square of `size` texels a side. Takes some ten milliseconds for 256. */
export const createTexture = (paint: Paint, size: number): Texture => {
  const half = size / 2;
  const luma = new Uint8Array(size * size);
  const u = new Int8Array(half * half);
  const v = new Int8Array(half * half);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [r, g, b] = paint((x + 0.5) / size, (y + 0.5) / size);
      const hole = r + g + b === 0;
      const bright = 0.299 * r + 0.587 * g + 0.114 * b;
      luma[y * size + x] = hole ? 0 : clampTo(bright, 1, 255);
      if ((x | y) & 1) continue;
      const at = (y >> 1) * half + (x >> 1);
      u[at] = hole ? HOLE : clampTo((b - bright) * 0.496, -127, 127);
      v[at] = hole ? HOLE : clampTo((r - bright) * 0.627, -127, 127);
    }
  }
  return {
    size,
    luma: mipmaps(luma, (length) => new Uint8Array(length), 0),
    u: mipmaps(u, (length) => new Int8Array(length), HOLE),
    v: mipmaps(v, (length) => new Int8Array(length), HOLE),
  };
};
