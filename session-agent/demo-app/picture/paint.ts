/** Red, green, blue in 0..255. */
export type Rgb = readonly [number, number, number];

/** The colour at a point of the unit square; at its edges it continues on the other side. */
export type Paint = (x: number, y: number) => Rgb;

const rgb = (hex: number): Rgb => [(hex >> 16) & 255, (hex >> 8) & 255, hex & 255];

const mix = (a: Rgb, b: Rgb, share: number): Rgb => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];
const shade = (a: Rgb, by: number): Rgb => [a[0] * by, a[1] * by, a[2] * by];

/** A repeatable number in 0..1 for a cell. */
const hash = (x: number, y: number, seed: number): number => {
  let h = Math.imul(x, 374761393) ^ Math.imul(y, 668265263) ^ Math.imul(seed, 1274126177);
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
};

const smooth = (t: number): number => t * t * (3 - 2 * t);
const clamp01 = (t: number): number => Math.min(1, Math.max(0, t));

/** Smooth noise in 0..1 with `nx` by `ny` cells on the unit square. */
const noise = (x: number, y: number, nx: number, ny: number, seed: number): number => {
  const fx = x * nx;
  const fy = y * ny;
  const ix = Math.floor(fx);
  const iy = Math.floor(fy);
  const sx = smooth(fx - ix);
  const sy = smooth(fy - iy);
  const at = (cx: number, cy: number) => hash(((cx % nx) + nx) % nx, ((cy % ny) + ny) % ny, seed);
  const top = at(ix, iy) + (at(ix + 1, iy) - at(ix, iy)) * sx;
  const bottom = at(ix, iy + 1) + (at(ix + 1, iy + 1) - at(ix, iy + 1)) * sx;
  return top + (bottom - top) * sy;
};

export const plaster =
  (base: number, grain = 0.05): Paint =>
  (x, y) =>
    shade(rgb(base), 1 - grain * (0.5 * noise(x, y, 12, 12, 1) + 0.5 * noise(x, y, 128, 128, 2)));

export const concrete =
  (base: number): Paint =>
  (x, y) => {
    const seam = Math.min(x % 0.5, y % 0.5) < 0.006 ? 0.75 : 1;
    const cloud = 0.5 * noise(x, y, 5, 5, 3) + 0.3 * noise(x, y, 22, 22, 4) + 0.2 * noise(x, y, 120, 120, 5);
    return shade(rgb(base), seam * (0.82 + 0.3 * cloud));
  };

/** Courses of bricks in a running bond: 8 bricks across, 24 courses high. */
export const bricks =
  (tones: readonly number[], mortar: number): Paint =>
  (x, y) => {
    const row = Math.floor(y * 24);
    const shifted = x * 8 + (row % 2) / 2;
    const column = Math.floor(shifted) % 8;
    const wobble = 0.035 * (noise(x, y, 64, 64, 7) - 0.5);
    const [px, py] = [shifted - Math.floor(shifted) + wobble, y * 24 - row + wobble * 3];
    const rough = 0.86 + 0.28 * noise(x, y, 100, 100, 6);
    if (px < 0.045 || py < 0.13 || py > 0.99) return shade(rgb(mortar), rough);
    const tone = rgb(tones[Math.floor(hash(column, row, 8) * tones.length)] ?? mortar);
    const edge = Math.min(1, Math.min(px - 0.045, 1 - px, (py - 0.13) * 0.4) * 14 + 0.75);
    return shade(tone, rough * edge * (0.88 + 0.24 * hash(column, row, 9)));
  };

/** Boards along x: `rows` of them on the square, each with its own tone and grain. */
export const planks =
  (light: number, dark: number, rows: number): Paint =>
  (x, y) => {
    const row = Math.floor(y * rows);
    const along = x + hash(row, 0, 10);
    const board = Math.floor(along * 1.0001) + row * 3;
    const within = y * rows - row;
    const butt = along - Math.floor(along);
    const grain = 0.55 * noise(x, y, 6, rows * 14, 11 + (row % 5)) + 0.45 * noise(x, y, 24, rows * 40, 12);
    const gap = within < 0.025 || butt < 0.003 ? 0.5 : 1;
    const tone = mix(rgb(dark), rgb(light), clamp01(0.25 + 0.5 * hash(board, row, 13) + 0.5 * (grain - 0.5)));
    return shade(tone, gap);
  };

export const tiles =
  (base: number, joint: number, count: number): Paint =>
  (x, y) => {
    const [cx, cy] = [Math.floor(x * count), Math.floor(y * count)];
    const [px, py] = [x * count - cx, y * count - cy];
    if (px < 0.02 || py < 0.02) return rgb(joint);
    const tone = 0.94 + 0.1 * hash(cx, cy, 14) + 0.06 * (noise(x, y, 40, 40, 15) - 0.5);
    return shade(rgb(base), tone);
  };

export const cloth =
  (base: number): Paint =>
  (x, y) => {
    const weave = 0.5 + 0.25 * Math.sin(x * Math.PI * 240) + 0.25 * Math.sin(y * Math.PI * 240);
    return shade(rgb(base), 0.9 + 0.1 * weave + 0.08 * (noise(x, y, 20, 20, 16) - 0.5));
  };

/** A bordered carpet with a lozenge pattern, made to fit its rectangle. */
export const carpet =
  (ground: number, figure: number, border: number): Paint =>
  (x, y) => {
    const rim = Math.min(x, 1 - x, y, 1 - y);
    const pile = 0.9 + 0.2 * noise(x, y, 128, 128, 17);
    if (rim < 0.02 || (rim > 0.06 && rim < 0.075)) return shade(rgb(ground), pile);
    if (rim < 0.06) return shade(rgb(border), pile);
    const lozenge = Math.abs(((x * 6) % 1) - 0.5) + Math.abs(((y * 6) % 1) - 0.5);
    return shade(lozenge < 0.22 || (lozenge > 0.42 && lozenge < 0.5) ? rgb(figure) : rgb(ground), pile);
  };

/** A row of spines. */
export const spines =
  (tones: readonly number[]): Paint =>
  (x, y) => {
    const at = x * 26;
    const book = Math.floor(at);
    const tall = 0.04 + 0.2 * hash(book, 1, 18);
    if (y < tall) return [22, 18, 16];
    const tone = rgb(tones[Math.floor(hash(book, 0, 19) * tones.length)] ?? 0);
    const round = 0.7 + 0.3 * Math.sin((at - book) * Math.PI);
    const band = Math.abs(y - tall - 0.15) < 0.02 || Math.abs(y - 0.85) < 0.015 ? 1.5 : 1;
    return shade(tone, round * band);
  };

/** An abstract landscape in a frame. */
export const picture =
  (frame: number, sky: number, sun: number, hills: readonly number[]): Paint =>
  (x, y) => {
    const rim = Math.min(x, 1 - x, y, 1 - y);
    if (rim < 0.03) return rgb(frame);
    if (rim < 0.1) return [238, 234, 226];
    const round = Math.hypot((x - 0.62) * 1.5, y - 0.36) < 0.13;
    const layer = hills.findLastIndex(
      (_, i) => y > 0.42 + i * 0.13 + 0.14 * (noise(x, 0, 4 + i, 1, 20 + i) - 0.5),
    );
    if (layer >= 0) return shade(rgb(hills[layer] ?? frame), 0.95 + 0.1 * noise(x, y, 60, 60, 23));
    return round ? rgb(sun) : mix(rgb(sky), [255, 250, 240], y * 0.8);
  };

/** Leaves on a transparent ground; black means nothing there. */
export const foliage =
  (light: number, dark: number): Paint =>
  (x, y) => {
    for (let i = 13; i >= 0; i--) {
      const angle = (hash(i, 0, 24) - 0.5) * 2.5;
      const reach = 0.45 + 0.5 * hash(i, 1, 24);
      const [dx, dy] = [x - 0.5, 1 - y];
      const along = (dx * Math.sin(angle) + dy * Math.cos(angle)) / reach;
      const aside =
        (dx * Math.cos(angle) - dy * Math.sin(angle)) / reach - 0.12 * along * along * Math.sign(angle);
      const half = along > 0.25 ? 0.16 * Math.sin(Math.PI * clamp01((along - 0.25) / 0.75)) : 0.012;
      if (along < 0 || along > 1 || Math.abs(aside) > half) continue;
      const vein = Math.abs(aside) < 0.008 ? 0.75 : 1;
      return shade(
        mix(rgb(dark), rgb(light), clamp01(0.3 + along * 0.7 - Math.abs(aside) * 2)),
        vein * (0.8 + 0.3 * hash(i, 2, 24)),
      );
    }
    return [0, 0, 0];
  };

/** A town at dusk seen from a high floor: lit windows under a glowing sky. */
export const town: Paint = (x, y) => {
  for (let depth = 2; depth >= 0; depth--) {
    const count = 13 + depth * 5;
    const block = Math.floor(x * count);
    const roof = 0.66 - (0.26 - depth * 0.05) * hash(block, depth, 25) - (2 - depth) * 0.02 + depth * 0.05;
    if (y < roof) continue;
    const wall = mix(rgb(0x7a6a80), rgb(0x2a2a3c), depth / 2);
    const [wx, wy] = [x * count * 7, y * 90];
    const lit = hash(Math.floor(wx), Math.floor(wy), 26 + depth) > 0.66;
    const pane = wx % 1 > 0.3 && wy % 1 > 0.4;
    return lit && pane ? mix(rgb(0xffc870), rgb(0xffe9b0), hash(Math.floor(wx), Math.floor(wy), 27)) : wall;
  }
  const glow = mix(rgb(0x5f7fb4), rgb(0xf3b184), smooth(clamp01(y / 0.6)));
  return mix(glow, rgb(0xffe2c4), 0.4 * clamp01(noise(x, y, 8, 26, 28) - 0.4));
};

/** A garden: lawn, hedge, trees, a summer sky. */
export const garden: Paint = (x, y) => {
  const crown = 0.5 - 0.13 * noise(x, 0, 18, 1, 29) - 0.05 * noise(x, 0, 70, 1, 30);
  const leaf =
    0.65 + 0.5 * noise(x, y, 110, 70, 31) * noise(x, y, 300, 190, 32) + 0.25 * noise(x, y, 24, 20, 33);
  if (y > 0.62)
    return shade(
      mix(rgb(0x86b84f), rgb(0x5d9440), noise(x, y, 30, 90, 34)),
      0.85 + 0.3 * noise(x, y, 256, 256, 35),
    );
  if (y > 0.565) return shade(rgb(0x2f6b33), leaf * (y > 0.61 ? 0.7 : 1));
  if (y > crown) return shade(mix(rgb(0x5e9a45), rgb(0x2e6a35), clamp01((y - crown) * 7)), leaf);
  const cloud = smooth(clamp01((0.6 * noise(x, y, 7, 12, 36) + 0.4 * noise(x, y, 20, 34, 37) - 0.5) * 4));
  return mix(mix(rgb(0x5fa8e8), rgb(0xcfe8f8), clamp01(y * 2.2)), [255, 255, 255], cloud);
};
