/** Metres; x east, y north, z up. */
export type Vec = readonly [number, number, number];

export const add = (a: Vec, b: Vec): Vec => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a: Vec, b: Vec): Vec => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vec, by: number): Vec => [a[0] * by, a[1] * by, a[2] * by];
export const dot = (a: Vec, b: Vec): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const length = (a: Vec): number => Math.sqrt(dot(a, a));

/** An axis-aligned block of one material: everything in the flat is made of these. */
export interface Box<Material extends string> {
  readonly material: Material;
  readonly min: Vec;
  readonly max: Vec;
}

export const box = <M extends string>(
  material: M,
  x0: number,
  y0: number,
  z0: number,
  x1: number,
  y1: number,
  z1: number,
): Box<M> => ({ material, min: [x0, y0, z0], max: [x1, y1, z1] });

/** A rectangle in space, seen from the side that `normal` points to: `origin + u * across + v * down`. */
export interface Rect<Material extends string> {
  readonly material: Material;
  readonly origin: Vec;
  /** Unit vectors along the sides. */
  readonly across: Vec;
  readonly down: Vec;
  readonly normal: Vec;
  /** Metres along `across` and `down`. */
  readonly width: number;
  readonly height: number;
}

/** The sides of a block as seen from outside, pictures on them upright. The bottom is left out when it stands on the floor. */
export const sidesOf = <M extends string>({ material, min, max }: Box<M>): Rect<M>[] => {
  const [x0, y0, z0] = min;
  const [x1, y1, z1] = max;
  const [w, d, h] = subtract(max, min);
  const side = (
    origin: Vec,
    across: Vec,
    down: Vec,
    normal: Vec,
    width: number,
    height: number,
  ): Rect<M> => ({
    material,
    origin,
    across,
    down,
    normal,
    width,
    height,
  });
  return [
    side([x0, y0, z1], [1, 0, 0], [0, 0, -1], [0, -1, 0], w, h),
    side([x1, y1, z1], [-1, 0, 0], [0, 0, -1], [0, 1, 0], w, h),
    side([x1, y0, z1], [0, 1, 0], [0, 0, -1], [1, 0, 0], d, h),
    side([x0, y1, z1], [0, -1, 0], [0, 0, -1], [-1, 0, 0], d, h),
    side([x0, y1, z1], [1, 0, 0], [0, -1, 0], [0, 0, 1], w, d),
    ...(z0 > 0.001 ? [side([x0, y0, z0], [1, 0, 0], [0, 1, 0], [0, 0, -1], w, d)] : []),
  ];
};
