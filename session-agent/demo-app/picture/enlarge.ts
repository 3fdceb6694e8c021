import type { Frame } from './painter.ts';

/** The mean of each of four bytes at once. */
const mean4 = (a: number, b: number): number => (a & b) + (((a ^ b) & 0xfefefefe) >>> 1);

const words = (plane: Uint8ClampedArray): Uint32Array =>
  new Uint32Array(plane.buffer, plane.byteOffset, plane.length >> 2);

/** Doubles a plane of `width` columns: every second pixel, and every second row, is the mean of its neighbours. */
const doublePlane = (from: Uint8ClampedArray, width: number, to: Uint8ClampedArray): void => {
  const height = from.length / width;
  const pairs = new Uint16Array(to.buffer, to.byteOffset, to.length >> 1);
  for (let row = 0; row < height; row++) {
    let source = row * width;
    let target = row * 2 * width;
    let here = from[source] ?? 0;
    for (const end = source + width - 1; source < end; source++, target++) {
      const next = from[source + 1] ?? 0;
      pairs[target] = here | (((here + next) >> 1) << 8);
      here = next;
    }
    pairs[target] = here | (here << 8);
  }
  const all = words(to);
  const rowWords = width >> 1;
  for (let row = 1; row < height * 2; row += 2) {
    const above = (row - 1) * rowWords;
    const below = row + 1 < height * 2 ? (row + 1) * rowWords : above;
    for (let i = 0; i < rowWords; i++) {
      all[row * rowWords + i] = mean4(all[above + i] ?? 0, all[below + i] ?? 0);
    }
  }
};

/** Draws a frame at twice its size; `to` must have exactly that, and sides that are multiples of 8. */
export const enlarge = (from: Frame, to: Frame): void => {
  doublePlane(from.y, from.width, to.y);
  doublePlane(from.u, from.width / 2, to.u);
  doublePlane(from.v, from.width / 2, to.v);
};

/** Whether a picture of this size is drawn at half of it: large enough to be worth it, and evenly divisible. */
export const drawnSmaller = (width: number, height: number): boolean =>
  width > 640 && width % 8 === 0 && height % 8 === 0;
