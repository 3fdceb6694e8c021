/** The picture of an app that has none: a small town at dusk, always the same for the same name. */
export interface Tower {
  x: number;
  width: number;
  height: number;
  /** 0 is the farthest row of houses. */
  row: 0 | 1 | 2;
  /** Lit windows: column and floor, counted from the top left. */
  lit: { column: number; floor: number }[];
}

export interface Skyline {
  /** Degrees on the colour wheel. */
  hue: number;
  sun: { x: number; y: number };
  towers: Tower[];
}

export const skyline_width = 320;
export const skyline_height = 200;

/** Repeatable numbers in [0, 1) from a name: FNV-1a for the seed, mulberry32 for the sequence. */
const numbersFrom = (name: string): (() => number) => {
  let seed = 0x811c9dc5;
  for (const char of name) seed = Math.imul(seed ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const rows = [
  { row: 0, width: 34, least: 60, more: 70, lit: 0 },
  { row: 1, width: 46, least: 50, more: 70, lit: 0.16 },
  { row: 2, width: 62, least: 30, more: 60, lit: 0.3 },
] as const;

export const skylineOf = (name: string): Skyline => {
  const next = numbersFrom(name);
  const hue = Math.round(next() * 360);
  const sun = { x: 40 + next() * (skyline_width - 80), y: 50 + next() * 50 };
  const towers = rows.flatMap(({ row, width, least, more, lit }) => {
    const made: Tower[] = [];
    for (let x = -next() * width; x < skyline_width; ) {
      const tower = { x, width: width * (0.7 + next() * 0.6), height: least + next() * more };
      const windows = [0, 1, 2].flatMap((column) =>
        Array.from({ length: Math.floor(tower.height / 14) - 1 }, (_, floor) => ({ column, floor })),
      );
      made.push({ ...tower, row, lit: windows.filter(() => next() < lit) });
      x += tower.width + next() * width * 0.35;
    }
    return made;
  });
  return { hue, sun, towers };
};
