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
  /** Draws a face where it is nearer than what is there. */
  fill(face: Face, view: View, texels: Texels, span: Span): void;
}

/** How a texture lies on a face: `u0`, `v0` shift it by metres, so that neighbours continue each other. */
export interface Texels {
  readonly perMetreU: number;
  readonly perMetreV: number;
  readonly u0: number;
  readonly v0: number;
  readonly levels: number;
}

const SPAN = 16;
const NEAR_PLANE = 0.06;
/** An eye nearer than this to a face's plane does not see the face, metres. */
const BESIDE = 0.001;
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

/** A function of the screen: its value at column 0 of row 0, and what a column and a row add. */
type Linear = readonly [base: number, perColumn: number, perRow: number];

/** Along a pixel's ray, 1/distance, u/distance and v/distance are linear in the pixel's place on the screen. */
interface Projection {
  readonly near: Linear;
  readonly u: Linear;
  readonly v: Linear;
}

const project = (face: Face, view: View, width: number, height: number): Projection => {
  const focal = width / 2 / view.spread;
  const offset = subtract(view.eye, face.origin);
  const linear = (direction: Vec, over: number): Linear => {
    const perColumn = dot(direction, view.right) / focal / over;
    const perRow = -dot(direction, view.up) / focal / over;
    const middle = dot(direction, view.forward) / over;
    return [middle - (perColumn * (width - 1)) / 2 - (perRow * (height - 1)) / 2, perColumn, perRow];
  };
  const near = linear(face.normal, -dot(face.normal, offset));
  const along = (axis: Vec): Linear => {
    const base = dot(offset, axis);
    const [a, b, c] = linear(axis, 1);
    return [a + base * near[0], b + base * near[1], c + base * near[2]];
  };
  return { near, u: along(face.across), v: along(face.down) };
};

/** The light of a face at a point of it (metres), 16.16 fixed point. */
const lightOf = ({ light, width, height }: Face): ((u: number, v: number) => number) => {
  const { columns, rows, now: grid } = light;
  const perU = (columns - 1) / width;
  const perV = (rows - 1) / height;
  return (u, v) => {
    const gx = u * perU;
    const gy = v * perV;
    const ix = Math.min(columns - 2, gx | 0);
    const iy = Math.min(rows - 2, gy | 0);
    const at = iy * columns + ix;
    const a = grid[at] ?? 0;
    const c = grid[at + columns] ?? 0;
    const top = a + ((grid[at + 1] ?? 0) - a) * (gx - ix);
    const bottom = c + ((grid[at + columns + 1] ?? 0) - c) * (gx - ix);
    return (top + (bottom - top) * (gy - iy)) * FIXED;
  };
};

/** Draws one row of a face, from column `x` to before `stop`, in spans. */
type DrawRow = (row: number, x: number, stop: number) => void;

const rowsOf = (face: Face, projection: Projection, width: number, texels: Texels, span: Span): DrawRow => {
  const [n0, nx, ny] = projection.near;
  const [u0, ux, uy] = projection.u;
  const [v0, vx, vy] = projection.v;
  const { perMetreU, perMetreV, levels } = texels;
  const lightAt = lightOf(face);
  const within = (value: number, most: number) => Math.min(most, Math.max(0, value));

  return (row, from, stop) => {
    const nRow = n0 + ny * row;
    const uRow = u0 + uy * row;
    const vRow = v0 + vy * row;
    let x = from;
    let n = nRow + nx * x;
    let u = within((uRow + ux * x) / n, face.width);
    let v = within((vRow + vx * x) / n, face.height);
    let light = lightAt(u, v);
    while (x < stop) {
      const next = Math.min(stop, x + SPAN);
      const nNext = nRow + nx * next;
      const uNext = within((uRow + ux * next) / nNext, face.width);
      const vNext = within((vRow + vx * next) / nNext, face.height);
      const lightNext = lightAt(uNext, vNext);
      const uStep = ((uNext - u) / (next - x)) * perMetreU;
      const vStep = ((vNext - v) / (next - x)) * perMetreV;
      const down = Math.max(Math.abs(uy - u * ny) * perMetreU, Math.abs(vy - v * ny) * perMetreV) / n;
      const step = Math.max(Math.abs(uStep), Math.abs(vStep), down) * SHARPNESS;
      span(
        row * width + x,
        row * width + next,
        (n * NEAR_ONE) | 0,
        (nx * NEAR_ONE) | 0,
        ((u + texels.u0) * perMetreU * FIXED) | 0,
        (uStep * FIXED) | 0,
        ((v + texels.v0) * perMetreV * FIXED) | 0,
        (vStep * FIXED) | 0,
        light | 0,
        ((lightNext - light) / (next - x)) | 0,
        Math.min(levels - 1, 31 - Math.clz32(step | 1)),
      );
      x = next;
      n = nNext;
      u = uNext;
      v = vNext;
      light = lightNext;
    }
  };
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

  const fill: Rasteriser['fill'] = (face, view, texels, span) => {
    if (dot(face.normal, subtract(view.eye, face.origin)) <= BESIDE) return;
    const corners = outline(face, view);
    if (corners.length < 3) return;
    const [from, to] = scan(corners, width / 2 / view.spread);
    if (from >= to) return;
    const drawRow = rowsOf(face, project(face, view, width, height), width, texels, span);
    for (let row = from; row < to; row++) {
      const x = Math.max(0, Math.ceil((left[row] ?? 0) - 0.5));
      const stop = Math.min(width, Math.ceil((right[row] ?? 0) - 0.5));
      if (x < stop) drawRow(row, x, stop);
    }
  };

  return { clear: () => void depth.fill(0), fill };
};
