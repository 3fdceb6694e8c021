import { lamps } from './furniture.ts';
import { add, type Box, dot, length, scale, subtract, type Vec } from './geometry.ts';
import type { Face, Scene } from './scene.ts';

/** Sets how far the lamps are on, 0..1: mixes each face's two computed lights. */
export const setLamp = (scene: Scene, lamp: number): void => {
  for (const { light } of scene.faces) {
    const { off, on, now } = light;
    for (let i = 0; i < now.length; i++) {
      const dark = off[i] ?? 0;
      now[i] = dark + ((on[i] ?? 0) - dark) * lamp;
    }
  }
};

/** Points of light: `facing` is set for a window, which shines into the flat only. */
interface Source {
  readonly at: Vec;
  readonly strength: number;
  readonly facing: Vec | undefined;
}

/** What stands in the way, six numbers a block. */
type Blockers = Float64Array;

const SUN_DISTANCE = 12;
const CORNER_DISTANCE = 0.5;
/** How dark a fully enclosed corner becomes, share of the ambient light. */
const CORNER_DEPTH = 0.75;
/** Luxels of a face that share one list of blockers, a side. */
const TILE = 8;
/** The light of a point is computed this far above its surface, and the surface's rim this far inside. */
const LIFT = 0.012;
/** Softens the nearness of a source, m2. */
const SOURCE_SIZE = 0.35;
const FAINT = 0.004;

const blockersWithin = (blocks: readonly Box<string>[], a: Vec, b: Vec): Blockers => {
  const inside = blocks.filter(({ min, max }) =>
    [0, 1, 2].every((i) => (min[i] ?? 0) < (b[i] ?? 0) && (max[i] ?? 0) > (a[i] ?? 0)),
  );
  return new Float64Array(inside.flatMap(({ min, max }) => [...min, ...max]));
};

const lowest = (a: Vec, b: Vec): Vec => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.min(a[2], b[2])];
const highest = (a: Vec, b: Vec): Vec => [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.max(a[2], b[2])];

/** Whether a block crosses the way from `p` along `d`, before its end. */
const shadowed = (p: Vec, d: Vec, blockers: Blockers): boolean => {
  const [ix, iy, iz] = [1 / d[0], 1 / d[1], 1 / d[2]];
  for (let i = 0; i < blockers.length; i += 6) {
    const x0 = ((blockers[i] ?? 0) - p[0]) * ix;
    const x1 = ((blockers[i + 3] ?? 0) - p[0]) * ix;
    const y0 = ((blockers[i + 1] ?? 0) - p[1]) * iy;
    const y1 = ((blockers[i + 4] ?? 0) - p[1]) * iy;
    const z0 = ((blockers[i + 2] ?? 0) - p[2]) * iz;
    const z1 = ((blockers[i + 5] ?? 0) - p[2]) * iz;
    const enter = Math.max(Math.min(x0, x1), Math.min(y0, y1), Math.min(z0, z1), 0);
    const leave = Math.min(Math.max(x0, x1), Math.max(y0, y1), Math.max(z0, z1), 1);
    if (enter < leave) return true;
  }
  return false;
};

const sourcesOf = ({ style, shell }: Scene): { day: Source[]; lamp: Source[] } => ({
  day: shell.windows.flatMap(({ centre, normal, along, width, height }) =>
    [-0.25, 0.25].map((share) => ({
      at: add(add(centre, scale(along, share * width)), scale(normal, 0.05)),
      strength: (style.daylight * width * height) / 2,
      facing: normal,
    })),
  ),
  lamp: lamps.map(({ x, y, z, height, size, hangs }) => ({
    at: [x, y, hangs ? z - 0.03 : z + height + 0.03],
    strength: style.lamp * (size > 0.4 ? 1 : 0.55),
    facing: undefined,
  })),
});

/** Light of one source at a point, without shadow. */
const unshadowed = (point: Vec, normal: Vec, { at, strength, facing }: Source): number => {
  const way = subtract(at, point);
  const square = dot(way, way);
  const toward = dot(normal, way);
  if (toward <= 0) return 0;
  const away = facing === undefined ? Math.sqrt(square) : -dot(facing, way);
  return away <= 0 ? 0 : (strength * toward * away) / (square * (square + SOURCE_SIZE));
};

/** Directions that feel for corners: straight up from the surface and aslant to four sides. */
const feelers = ({ normal, across, down }: Face): Vec[] =>
  [
    [0, 0],
    [1.3, 0],
    [-1.3, 0],
    [0, 1.3],
    [0, -1.3],
  ].map(([u = 0, v = 0]) => {
    const way = add(add(normal, scale(across, u)), scale(down, v));
    return scale(way, CORNER_DISTANCE / length(way));
  });

/** Brightness up to here is as computed; above it comes ever nearer to the brightest, so that white walls keep their shading. */
const SHOULDER = 0.55;
const BRIGHTEST = 1.02;

/** The brightness that eyes and screens make of an amount of light. */
const perceived = (light: number): number => {
  const plain = Math.sqrt(light) * 1.05;
  const room = BRIGHTEST - SHOULDER;
  return plain < SHOULDER ? plain : BRIGHTEST - room * Math.exp((SHOULDER - plain) / room);
};

interface Sky {
  readonly day: readonly Source[];
  readonly lamp: readonly Source[];
  readonly blocks: readonly Box<string>[];
  /** The way to the sun's side, and what shades from the sun: the bars of the windows too. */
  readonly toSun: Vec;
  readonly sunBlocks: readonly Box<string>[];
}

/** Lights a tile of a face's grid: all its points share the lists of what may stand in their way. */
const lightTile = (
  face: Face,
  scene: Scene,
  sky: Sky,
  points: readonly { at: number; point: Vec }[],
): void => {
  const { style } = scene;
  const { normal, light } = face;
  let [low, high]: [Vec, Vec] = [points[0]?.point ?? [0, 0, 0], points[0]?.point ?? [0, 0, 0]];
  for (const { point } of points) [low, high] = [lowest(low, point), highest(high, point)];
  const reaching = (sources: readonly Source[]) =>
    sources
      .filter((source) => points.some(({ point }) => unshadowed(point, normal, source) > FAINT))
      .map((source) => ({
        source,
        blockers: blockersWithin(sky.blocks, lowest(low, source.at), highest(high, source.at)),
      }));
  const [day, lamp] = [reaching(sky.day), reaching(sky.lamp)];
  const sum = (point: Vec, reach: typeof day): number =>
    reach.reduce((total, { source, blockers }) => {
      const gain = unshadowed(point, normal, source);
      return gain > FAINT && !shadowed(point, subtract(source.at, point), blockers) ? total + gain : total;
    }, 0);

  const room: Vec = [CORNER_DISTANCE, CORNER_DISTANCE, CORNER_DISTANCE];
  const near = blockersWithin(sky.blocks, subtract(low, room), add(high, room));
  const ways = feelers(face);
  const facesSun = style.sun * Math.max(0, dot(normal, style.toSun));
  const beyond = blockersWithin(
    facesSun > 0 ? sky.sunBlocks : [],
    lowest(low, add(low, sky.toSun)),
    highest(high, add(high, sky.toSun)),
  );
  for (const { at, point } of points) {
    const closed = ways.filter((way) => shadowed(point, way, near)).length / ways.length;
    const open = 1 - CORNER_DEPTH * closed;
    const sunny = facesSun > 0 && !shadowed(point, sky.toSun, beyond) ? facesSun : 0;
    const dayLight = sum(point, day) + sunny + style.ambient * open;
    light.off[at] = perceived(dayLight);
    light.on[at] = perceived(dayLight + sum(point, lamp) + style.lamp * 0.09 * open);
  }
};

const lightFace = (face: Face, scene: Scene, sky: Sky): void => {
  const { origin, across, down, normal, width, height } = face;
  const { columns, rows } = face.light;
  const place = (index: number, count: number, metres: number) =>
    Math.min(metres - LIFT, Math.max(LIFT, (metres * index) / (count - 1)));
  const pointAt = (column: number, row: number): Vec =>
    add(
      add(add(origin, scale(across, place(column, columns, width))), scale(down, place(row, rows, height))),
      scale(normal, LIFT),
    );
  for (let top = 0; top < rows; top += TILE) {
    for (let left = 0; left < columns; left += TILE) {
      const points: { at: number; point: Vec }[] = [];
      for (let row = top; row < Math.min(rows, top + TILE); row++) {
        for (let column = left; column < Math.min(columns, left + TILE); column++) {
          points.push({ at: row * columns + column, point: pointAt(column, row) });
        }
      }
      lightTile(face, scene, sky, points);
    }
  }
};

/**
 * Computes the light on every face, windows and lamps with their shadows, in steps of about a millisecond. Until then
 * faces have a plain light by the side to which they look.
 */
export function* lightScene(scene: Scene): Generator<void, void> {
  const { style, blocks, shell } = scene;
  const sky: Sky = {
    ...sourcesOf(scene),
    blocks,
    toSun: scale(style.toSun, SUN_DISTANCE / length(style.toSun)),
    sunBlocks: [...blocks, ...shell.joinery],
  };
  for (const face of scene.faces) {
    if (style.surfaces[face.material].glow !== undefined) continue;
    lightFace(face, scene, sky);
    yield;
  }
}
