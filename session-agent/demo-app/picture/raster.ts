import { dot, subtract, type Vec } from './geometry.ts';
import type { Face } from './scene.ts';

/** Where the eye is and how it looks; the three directions are unit vectors at right angles. */
export interface View {
  readonly eye: Vec;
  readonly forward: Vec;
  readonly right: Vec;
  readonly up: Vec;
  /** Half the picture's width over the distance to the picture plane: the tangent of half the field of view. */
  readonly spread: number;
}

/**
 * Draws up to SPAN pixels of one row. Texture coordinates and light are 16.16 fixed point at the first pixel and per
 * pixel; `near` is the inverse distance, 2^24 at one metre.
 */
export type Span = (
  at: number,
  end: number,
  near: number,
  nearStep: number,
  u: number,
  uStep: number,
  v: number,
  vStep: number,
  light: number,
  lightStep: number,
  level: number,
) => void;

export interface Rasteriser {
  /** Forgets the depths of the last picture. */
  clear(): void;
  /** `texels` per metre; `u0`, `v0` shift the texture in metres so that neighbours continue each other. */
  fill(face: Face, view: View, texels: Texels, span: Span): void;
}

export interface Texels {
  readonly perMetreU: number;
  readonly perMetreV: number;
  readonly u0: number;
  readonly v0: number;
  readonly levels: number;
}

const SPAN = 16;
const NEAR_PLANE = 0.06;
const NEAR_ONE = 1 << 24;
const FIXED = 65536;
/** Texels per pixel at which the next smaller mip level is taken. */
const SHARPNESS = 0.62;

type Corner = [x: number, y: number, z: number];

/** The face's outline in the eye's axes (right, up, forward), cut at the near plane. */
const outline = ({ origin, across, down, width, height }: Face, view: View): Corner[] => {
  const toEye = (p: Vec): Corner => [dot(p, view.right), dot(p, view.up), dot(p, view.forward)];
  const [ox, oy, oz] = toEye(subtract(origin, view.eye));
  const [ax, ay, az] = toEye(across);
  const [dx, dy, dz] = toEye(down);
  const corner = (u: number, v: number): Corner => [
    ox + ax * u + dx * v,
    oy + ay * u + dy * v,
    oz + az * u + dz * v,
  ];
  const corners = [corner(0, 0), corner(width, 0), corner(width, height), corner(0, height)];
  if (corners.every(([, , z]) => z > NEAR_PLANE)) return corners;
  return corners.flatMap((a, i) => {
    const b = corners[(i + 1) % 4] ?? a;
    const kept = a[2] > NEAR_PLANE ? [a] : [];
    if (a[2] > NEAR_PLANE === b[2] > NEAR_PLANE) return kept;
    const t = (NEAR_PLANE - a[2]) / (b[2] - a[2]);
    return [...kept, [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, NEAR_PLANE] as Corner];
  });
};

/**
 * A rasteriser for one plane of the picture. Rows of a convex outline are cut into short spans; perspective is exact at
 * their ends and linear in between. Nearer wins by the depth kept in `depth`, which the spans test and set.
 */
export const createRasteriser = (width: number, height: number, depth: Int32Array): Rasteriser => {
  const left = new Float64Array(height);
  const right = new Float64Array(height);

  /** Marks where each row enters and leaves the outline; returns the rows touched. */
  const scan = (corners: readonly Corner[], focal: number): [from: number, to: number] => {
    let from = height;
    let to = 0;
    const points = corners.map(
      ([x, y, z]) => [width / 2 + (focal * x) / z, height / 2 - (focal * y) / z] as const,
    );
    for (const [, y] of points) {
      from = Math.min(from, Math.max(0, Math.ceil(y - 0.5)));
      to = Math.max(to, Math.min(height, Math.ceil(y - 0.5)));
    }
    left.fill(width, from, to);
    right.fill(0, from, to);
    for (let i = 0; i < points.length; i++) {
      const [a, b] = [points[i], points[(i + 1) % points.length]];
      if (a === undefined || b === undefined) continue;
      const [top, bottom] = a[1] < b[1] ? [a, b] : [b, a];
      const slope = (bottom[0] - top[0]) / (bottom[1] - top[1]);
      const last = Math.min(height, Math.ceil(bottom[1] - 0.5));
      for (let row = Math.max(0, Math.ceil(top[1] - 0.5)); row < last; row++) {
        const x = top[0] + (row + 0.5 - top[1]) * slope;
        if (x < (left[row] ?? 0)) left[row] = x;
        if (x > (right[row] ?? 0)) right[row] = x;
      }
    }
    return [from, to];
  };

  const fill = (face: Face, view: View, texels: Texels, span: Span): void => {
    const offset = subtract(view.eye, face.origin);
    const distance = dot(face.normal, offset);
    if (distance <= 0.001) return;
    const corners = outline(face, view);
    if (corners.length < 3) return;
    const focal = width / 2 / view.spread;
    const [from, to] = scan(corners, focal);
    if (from >= to) return;

    // Along a pixel's ray, 1/distance, u/distance and v/distance are linear in the pixel's place on the screen.
    const linear = (direction: Vec, over: number): [number, number, number] => {
      const perColumn = dot(direction, view.right) / focal / over;
      const perRow = -dot(direction, view.up) / focal / over;
      const middle = dot(direction, view.forward) / over;
      return [middle - (perColumn * (width - 1)) / 2 - (perRow * (height - 1)) / 2, perColumn, perRow];
    };
    const [n0, nx, ny] = linear(face.normal, -distance);
    const [uBase, vBase] = [dot(offset, face.across), dot(offset, face.down)];
    const [du0, dux, duy] = linear(face.across, 1);
    const [dv0, dvx, dvy] = linear(face.down, 1);
    const [u0, ux, uy] = [du0 + uBase * n0, dux + uBase * nx, duy + uBase * ny];
    const [v0, vx, vy] = [dv0 + vBase * n0, dvx + vBase * nx, dvy + vBase * ny];

    const { columns, rows, now: grid } = face.light;
    const lightPerU = (columns - 1) / face.width;
    const lightPerV = (rows - 1) / face.height;
    const lightAt = (u: number, v: number): number => {
      const gx = u * lightPerU;
      const gy = v * lightPerV;
      const ix = Math.min(columns - 2, gx | 0);
      const iy = Math.min(rows - 2, gy | 0);
      const at = iy * columns + ix;
      const a = grid[at] ?? 0;
      const b = grid[at + 1] ?? 0;
      const c = grid[at + columns] ?? 0;
      const d = grid[at + columns + 1] ?? 0;
      const top = a + (b - a) * (gx - ix);
      return (top + (c + (d - c) * (gx - ix) - top) * (gy - iy)) * FIXED;
    };
    const clampU = (u: number) => (u < 0 ? 0 : u > face.width ? face.width : u);
    const clampV = (v: number) => (v < 0 ? 0 : v > face.height ? face.height : v);
    const { perMetreU, perMetreV, levels } = texels;
    const [fixedU, fixedV] = [perMetreU * FIXED, perMetreV * FIXED];

    for (let row = from; row < to; row++) {
      let x = Math.max(0, Math.ceil((left[row] ?? 0) - 0.5));
      const stop = Math.min(width, Math.ceil((right[row] ?? 0) - 0.5));
      if (x >= stop) continue;
      const nRow = n0 + ny * row;
      const uRow = u0 + uy * row;
      const vRow = v0 + vy * row;
      let n = nRow + nx * x;
      let u = clampU((uRow + ux * x) / n);
      let v = clampV((vRow + vx * x) / n);
      let light = lightAt(u, v);
      while (x < stop) {
        const next = Math.min(stop, x + SPAN);
        const count = next - x;
        const nNext = nRow + nx * next;
        const uNext = clampU((uRow + ux * next) / nNext);
        const vNext = clampV((vRow + vx * next) / nNext);
        const lightNext = lightAt(uNext, vNext);
        const uStep = (uNext - u) / count;
        const vStep = (vNext - v) / count;
        const down = Math.max(Math.abs(uy - u * ny) * perMetreU, Math.abs(vy - v * ny) * perMetreV) / n;
        const texelStep =
          Math.max(Math.abs(uStep) * perMetreU, Math.abs(vStep) * perMetreV, down) * SHARPNESS;
        const level = Math.min(levels - 1, 31 - Math.clz32(texelStep | 1));
        const base = row * width;
        span(
          base + x,
          base + next,
          (n * NEAR_ONE) | 0,
          (nx * NEAR_ONE) | 0,
          ((u + texels.u0) * fixedU) | 0,
          (uStep * fixedU) | 0,
          ((v + texels.v0) * fixedV) | 0,
          (vStep * fixedV) | 0,
          light | 0,
          ((lightNext - light) / count) | 0,
          level,
        );
        x = next;
        n = nNext;
        u = uNext;
        v = vNext;
        light = lightNext;
      }
    }
  };

  return { clear: () => void depth.fill(0), fill };
};
