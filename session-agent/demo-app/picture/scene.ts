import { furniture, lamps, plants } from './furniture.ts';
import { add, type Box, box, type Rect, scale, sidesOf, type Vec } from './geometry.ts';
import { flat, type Shell, shellOf } from './plan.ts';
import type { Material, Style } from './style.ts';

/** The light that falls on a rectangle, on a grid from corner to corner; bilinear in between. */
export interface LightGrid {
  readonly columns: number;
  readonly rows: number;
  /** Factors on the surface's brightness, lamp off and lamp on. */
  readonly off: Float32Array;
  readonly on: Float32Array;
  /** What is in force now, between the two. */
  readonly now: Float32Array;
}

export interface Face extends Rect<Material> {
  readonly light: LightGrid;
}

export interface Scene {
  readonly style: Style;
  readonly shell: Shell;
  /** What casts shadows. */
  readonly blocks: readonly Box<Material>[];
  /** What one cannot walk through: wall parts and furniture of a body's height. */
  readonly obstacles: readonly Box<Material>[];
  readonly faces: readonly Face[];
}

const LUXELS_PER_METRE = 5;
const FLOOR_LUXELS_PER_METRE = 8;

const unlit = (rect: Rect<Material>, style: Style): LightGrid => {
  const surface = style.surfaces[rect.material];
  const density = rect.normal[2] > 0.5 && rect.width > 3 ? FLOOR_LUXELS_PER_METRE : LUXELS_PER_METRE;
  const columns = surface.glow === undefined ? Math.max(2, Math.ceil(rect.width * density) + 1) : 2;
  const rows = surface.glow === undefined ? Math.max(2, Math.ceil(rect.height * density) + 1) : 2;
  // Until the light is computed, sides are told apart by where they look.
  const flatLight = 0.62 + 0.12 * rect.normal[0] + 0.06 * rect.normal[1] + 0.16 * rect.normal[2];
  const strength = surface.glow ?? flatLight;
  const off = rect.material === 'shade' ? 0.55 : strength * (surface.glow === undefined ? 0.6 : 1);
  const grid = (value: number) => new Float32Array(columns * rows).fill(value);
  return { columns, rows, off: grid(off), on: grid(strength), now: grid(strength) };
};

const leavesOf = ({ x, y, pot, leaves }: (typeof plants)[number]): Rect<Material>[] =>
  [0, 1, 2].flatMap((i) => {
    const angle = (i * Math.PI) / 3 + x;
    const across: Vec = [Math.cos(angle), Math.sin(angle), 0];
    const normal: Vec = [across[1], -across[0], 0];
    const wide = leaves * 1.05;
    const origin = add([x, y, pot + leaves], scale(across, -wide / 2));
    const front = { material: 'leaves', down: [0, 0, -1], width: wide, height: leaves } as const;
    return [
      { ...front, origin, across, normal },
      {
        ...front,
        origin: add(origin, scale(across, wide)),
        across: scale(across, -1),
        normal: scale(normal, -1),
      },
    ];
  });

const lampBodies = (): { shades: Box<Material>[]; cords: Box<Material>[] } => ({
  shades: lamps.map(({ x, y, z, size, height }) =>
    box('shade', x - size / 2, y - size / 2, z, x + size / 2, y + size / 2, z + height),
  ),
  cords: lamps.flatMap(({ x, y, z, height, hangs }) =>
    hangs ? [box('metal', x - 0.012, y - 0.012, z + height, x + 0.012, y + 0.012, flat.height)] : [],
  ),
});

/** The world outside: a painted horizon on four sides, ground and sky, seen from within. */
const outside = (): Rect<Material>[] => {
  const [x0, x1, y0, y1] = [-20, 30, -21, 29];
  const [low, high] = [-11, 13];
  const wall = (origin: Vec, across: Vec, normal: Vec): Rect<Material> => ({
    material: 'outside',
    origin,
    across,
    down: [0, 0, -1],
    normal,
    width: x1 - x0,
    height: high - low,
  });
  return [
    wall([x1, y0, high], [-1, 0, 0], [0, 1, 0]),
    wall([x0, y1, high], [1, 0, 0], [0, -1, 0]),
    wall([x0, y0, high], [0, 1, 0], [1, 0, 0]),
    wall([x1, y1, high], [0, -1, 0], [-1, 0, 0]),
    {
      material: 'ground',
      origin: [x0, y1, -1.1],
      across: [1, 0, 0],
      down: [0, -1, 0],
      normal: [0, 0, 1],
      width: 50,
      height: 50,
    },
    {
      material: 'sky',
      origin: [x0, y0, high],
      across: [1, 0, 0],
      down: [0, 1, 0],
      normal: [0, 0, -1],
      width: 50,
      height: 50,
    },
  ];
};

/** Whether a rectangle can be seen from inside the flat: outer sides of walls, tops under the ceiling cannot. */
const indoors = ({ origin, normal, down, height }: Rect<Material>): boolean => {
  const [x, y, z] = origin;
  if (normal[2] > 0) return z < flat.height - 0.01;
  if (normal[2] < 0) return z > 0.02;
  if (z + down[2] * height > flat.height - 0.01) return false;
  const edge = 0.25;
  return !(
    (normal[0] < 0 && x < -edge) ||
    (normal[0] > 0 && x > flat.width + edge) ||
    (normal[1] < 0 && y < -edge) ||
    (normal[1] > 0 && y > flat.depth + edge)
  );
};

const BODY_LOW = 0.25;
const BODY_HIGH = 1.7;

/** Everything there is to draw and to bump into. */
export const createScene = (style: Style): Scene => {
  const shell = shellOf(style.sill);
  const { shades, cords } = lampBodies();
  const blocks = [...shell.solid, ...furniture];
  const rects = [
    ...[...blocks, ...shell.joinery, ...shades, ...cords].flatMap(sidesOf).filter(indoors),
    ...plants.flatMap(leavesOf),
    ...outside(),
  ];
  return {
    style,
    shell,
    blocks,
    obstacles: blocks.filter(({ min, max }) => min[2] < BODY_HIGH && max[2] > BODY_LOW),
    faces: rects.map((rect) => ({ ...rect, light: unlit(rect, style) })),
  };
};
