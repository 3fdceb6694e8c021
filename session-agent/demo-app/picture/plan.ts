import { type Box, box, type Vec } from './geometry.ts';
import type { Material } from './style.ts';

/** The flat's inside: 10 x 8 m, four rooms that one can walk through in a ring. */
export const flat = { width: 10, depth: 8, height: 2.7 } as const;

const OUTER = 0.3;
const INNER = 0.14;

/** A hole in a wall, in metres along it and above the floor. */
interface Opening {
  from: number;
  to: number;
  sill: number;
  head: number;
}

interface Wall {
  /** The axis that the wall runs along, and where its two faces are on the other axis. */
  along: 'x' | 'y';
  near: number;
  far: number;
  from: number;
  to: number;
  material: Material;
  openings: readonly Opening[];
}

const door = (from: number, width = 0.95): Opening => ({ from, to: from + width, sill: 0, head: 2.1 });

const outerWall = (along: 'x' | 'y', near: number, ...openings: Opening[]): Wall => {
  const corner = along === 'x' ? OUTER : 0;
  const to = (along === 'x' ? flat.width : flat.depth) + corner;
  return { along, near, far: near + OUTER, from: -corner, to, material: 'wall', openings };
};

const innerWall = (
  along: 'x' | 'y',
  near: number,
  from: number,
  to: number,
  ...openings: Opening[]
): Wall => {
  return { along, near, far: near + INNER, from, to, material: 'innerWall', openings };
};

/** `sill` differs by style: the loft has parapets, the garden flat has windows down to the floor. */
const walls = (sill: number): Wall[] => {
  const window = (from: number, to: number): Opening => ({ from, to, sill, head: 2.35 });
  const high = (from: number, to: number): Opening => ({ from, to, sill: 1.05, head: 2.25 });
  const passage: Opening = { from: 1.9, to: 4.7, sill: 0, head: 2.3 };
  return [
    outerWall('x', -OUTER, window(0.7, 2.8), window(3.3, 5.4), window(7, 9.2)),
    outerWall('x', flat.depth, high(1.2, 4.2), high(7.2, 9)),
    outerWall('y', -OUTER, window(1.1, 3.4), high(5.6, 7.2)),
    outerWall('y', flat.width, window(1.2, 3.2), high(5.6, 7)),
    innerWall('x', 4.6, 0, 6.2, passage),
    innerWall('x', 4.6, 6.2 + INNER, flat.width, door(7.4)),
    innerWall('y', 6.2, 0, flat.depth, door(3.2), door(5.1)),
  ];
};

/** A block of a wall, given along the wall, across it and upwards. */
const piece = (
  wall: Wall,
  material: Material,
  from: number,
  to: number,
  z0: number,
  z1: number,
  proud = 0,
): Box<Material> => {
  const near = wall.near - proud;
  const far = wall.far + proud;
  return wall.along === 'x'
    ? box(material, from, near, z0, to, far, z1)
    : box(material, near, from, z0, far, to, z1);
};

const solidParts = (wall: Wall): Box<Material>[] => {
  const ends = [wall.from, ...wall.openings.flatMap(({ from, to }) => [from, to]), wall.to];
  const full = ends.flatMap((from, i) => {
    const to = ends[i + 1];
    return i % 2 === 0 && to !== undefined ? [piece(wall, wall.material, from, to, 0, flat.height)] : [];
  });
  const aroundHoles = wall.openings.flatMap(({ from, to, sill, head }) => [
    ...(sill > 0 ? [piece(wall, wall.material, from, to, 0, sill)] : []),
    piece(wall, wall.material, from, to, head, flat.height),
  ]);
  return [...full, ...aroundHoles];
};

const FRAME = 0.06;
/** How far a door's casing stands out of its wall. */
const CASING = 0.02;

/** Casings of doors, frames and bars of windows. */
const joinery = (wall: Wall): Box<Material>[] =>
  wall.openings.flatMap(({ from, to, sill, head }) => {
    if (sill === 0 && wall.material === 'innerWall') {
      return [
        piece(wall, 'frame', from - FRAME, from + CASING, 0, head + FRAME, CASING),
        piece(wall, 'frame', to - CASING, to + FRAME, 0, head + FRAME, CASING),
        piece(wall, 'frame', from, to, head - CASING, head + FRAME, CASING),
      ];
    }
    const middle = (wall.near + wall.far) / 2;
    const pane = { ...wall, near: middle - 0.03, far: middle + 0.03 };
    const bars = Math.max(2, Math.round((to - from) / 0.8));
    const uprights = Array.from({ length: bars + 1 }, (_, i) => {
      const at = from + ((to - from - FRAME) * i) / bars;
      return piece(pane, 'frame', at, at + FRAME, sill, head);
    });
    return [
      ...uprights,
      piece(pane, 'frame', from, to, sill, sill + FRAME),
      piece(pane, 'frame', from, to, head - FRAME, head),
      piece(pane, 'frame', from, to, sill + (head - sill) * 0.68, sill + (head - sill) * 0.68 + FRAME * 0.7),
      piece(wall, 'frame', from, to, sill - 0.03, sill + 0.005, 0.04),
    ];
  });

/** Daylight comes in here: the middle of a window's inner face. */
export interface Window {
  readonly centre: Vec;
  /** Points into the flat. */
  readonly normal: Vec;
  readonly along: Vec;
  readonly width: number;
  readonly height: number;
}

const windowsOf = (wall: Wall): Window[] => {
  if (wall.material !== 'wall') return [];
  const inner = wall.near < 0 ? wall.far : wall.near;
  const into = wall.near < 0 ? 1 : -1;
  return wall.openings.map(({ from, to, sill, head }): Window => {
    const [middle, z] = [(from + to) / 2, (sill + head) / 2];
    return {
      centre: wall.along === 'x' ? [middle, inner, z] : [inner, middle, z],
      normal: wall.along === 'x' ? [0, into, 0] : [into, 0, 0],
      along: wall.along === 'x' ? [1, 0, 0] : [0, 1, 0],
      width: to - from,
      height: head - sill,
    };
  });
};

export interface Shell {
  /** Walls, floor and ceiling. */
  readonly solid: Box<Material>[];
  readonly joinery: Box<Material>[];
  readonly windows: Window[];
}

/** The empty flat. `sill` is the height in metres at which the large windows begin. */
export const shellOf = (sill: number): Shell => {
  const all = walls(sill);
  const { width, depth, height } = flat;
  return {
    solid: [
      box('floor', -OUTER, -OUTER, -0.2, 6.27, 4.67, 0),
      box('tiles', -OUTER, 4.67, -0.2, 6.27, depth + OUTER, 0),
      box('floor', 6.27, -OUTER, -0.2, width + OUTER, depth + OUTER, 0),
      box('ceiling', -OUTER, -OUTER, height, width + OUTER, depth + OUTER, height + 0.2),
      ...all.flatMap(solidParts),
    ],
    joinery: all.flatMap(joinery),
    windows: all.flatMap(windowsOf),
  };
};
