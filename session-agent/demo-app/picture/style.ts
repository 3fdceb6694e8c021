import {
  bricks,
  carpet,
  cloth,
  concrete,
  foliage,
  garden,
  type Paint,
  picture,
  planks,
  plaster,
  spines,
  tiles,
  town,
} from './paint.ts';

const materials = [
  'wall',
  'innerWall',
  'floor',
  'tiles',
  'ceiling',
  'frame',
  'wood',
  'metal',
  'fabric',
  'cushion',
  'linen',
  'rug',
  'books',
  'accent',
  'unit',
  'worktop',
  'art',
  'poster',
  'screen',
  'pot',
  'leaves',
  'shade',
  'outside',
  'ground',
  'sky',
] as const;
export type Material = (typeof materials)[number];

/** How a material looks: its paint, and the metres that the unit square covers (`fit`: the whole rectangle). */
export interface Surface {
  readonly paint: Paint;
  readonly metres: number | 'fit';
  /** Shines by itself with this strength, whatever the light; lamp shades only when the lamp is on. */
  readonly glow?: number;
}

export interface Style {
  readonly surfaces: Readonly<Record<Material, Surface>>;
  /** Height at which the large windows begin, metres. */
  readonly sill: number;
  /** Light from outside: strength through the windows, of the sun, and towards the sun. */
  readonly daylight: number;
  readonly sun: number;
  readonly toSun: readonly [number, number, number];
  readonly lamp: number;
  readonly ambient: number;
  /** How blue the daylight and how warm the lamps are, 0..1. */
  readonly cool: number;
  readonly warm: number;
}

export const styleNames = ['loft', 'garden'] as const;
export type StyleName = (typeof styleNames)[number];

const loft: Style = {
  sill: 0.55,
  daylight: 1.05,
  sun: 0,
  toSun: [-0.5, -0.6, 0.6],
  lamp: 1.3,
  ambient: 0.045,
  cool: 0.35,
  warm: 0.55,
  surfaces: {
    wall: { paint: bricks([0xa2573c, 0x8f4630, 0xb0654a, 0x7d3f2e, 0x99523a], 0xb9aa9a), metres: 2 },
    innerWall: { paint: plaster(0xcfc4b4, 0.1), metres: 2 },
    floor: { paint: planks(0x9c6b40, 0x55331d, 8), metres: 2 },
    tiles: { paint: tiles(0x6d6a68, 0x3c3a39, 4), metres: 2 },
    ceiling: { paint: concrete(0xb4aea6), metres: 4 },
    frame: { paint: plaster(0x2b2a2c, 0.2), metres: 1 },
    wood: { paint: planks(0x7d5030, 0x4c2d1a, 4), metres: 1 },
    metal: { paint: plaster(0x26262a, 0.2), metres: 1 },
    fabric: { paint: cloth(0x8a5530), metres: 0.6 },
    cushion: { paint: cloth(0x39515c), metres: 0.5 },
    linen: { paint: cloth(0xd8d0c2), metres: 0.6 },
    rug: { paint: carpet(0x7c2f2a, 0xd9b27c, 0x2c3444), metres: 'fit' },
    books: { paint: spines([0x7e2d26, 0x2d4a5a, 0xc09a4a, 0x3d4a34, 0xd8cdb8, 0x4a2d3c]), metres: 'fit' },
    accent: { paint: plaster(0xc98a2c, 0.2), metres: 0.5 },
    unit: { paint: plaster(0x3a4147, 0.12), metres: 1 },
    worktop: { paint: planks(0xa8763f, 0x7a4f28, 6), metres: 1 },
    art: { paint: picture(0x1c1a18, 0xe7b58a, 0xc8452c, [0x8d5a66, 0x5a4460, 0x2f2b45]), metres: 'fit' },
    poster: { paint: picture(0x1c1a18, 0xd8cfba, 0xd08a2e, [0xb8683a, 0x7a3a2c, 0x33302e]), metres: 'fit' },
    screen: {
      paint: picture(0x0a0a0c, 0x20364f, 0xf0a860, [0x27405c, 0x1a2c44, 0x10182a]),
      metres: 'fit',
      glow: 0.85,
    },
    pot: { paint: concrete(0x8d8a86), metres: 1 },
    leaves: { paint: foliage(0x5d8a48, 0x23482c), metres: 'fit' },
    shade: { paint: plaster(0xffe3b0, 0.05), metres: 1, glow: 1.3 },
    outside: { paint: town, metres: 'fit', glow: 0.8 },
    ground: { paint: concrete(0x343444), metres: 40, glow: 0.5 },
    sky: { paint: plaster(0x5f7fb4, 0.02), metres: 40, glow: 0.8 },
  },
};

const gardenFlat: Style = {
  sill: 0.08,
  daylight: 1.4,
  sun: 1.6,
  toSun: [-0.42, -0.62, 0.66],
  lamp: 1.3,
  ambient: 0.06,
  cool: 0.12,
  warm: 0.3,
  surfaces: {
    wall: { paint: plaster(0xf1eee6, 0.05), metres: 2 },
    innerWall: { paint: plaster(0xdfe6d8, 0.05), metres: 2 },
    floor: { paint: planks(0xe0c196, 0xb88f5e, 10), metres: 2 },
    tiles: { paint: tiles(0xe2e0d8, 0xb4b2aa, 6), metres: 2 },
    ceiling: { paint: plaster(0xfaf9f5, 0.02), metres: 4 },
    frame: { paint: plaster(0xf6f5f1, 0.04), metres: 1 },
    wood: { paint: planks(0xdcb888, 0xb98f5c, 4), metres: 1 },
    metal: { paint: plaster(0xc9c6bd, 0.06), metres: 1 },
    fabric: { paint: cloth(0x6f8f6a), metres: 0.6 },
    cushion: { paint: cloth(0xe0b24c), metres: 0.5 },
    linen: { paint: cloth(0xf4f1ea), metres: 0.6 },
    rug: { paint: carpet(0xe8e0d0, 0x8fae9c, 0x5c8a86), metres: 'fit' },
    books: { paint: spines([0x8fb0a8, 0xe3b87a, 0xd9705c, 0xf0ead8, 0x5c7f96, 0xb6c48c]), metres: 'fit' },
    accent: { paint: plaster(0x4d93a8, 0.1), metres: 0.5 },
    unit: { paint: plaster(0xeceae2, 0.04), metres: 1 },
    worktop: { paint: planks(0xe6c79a, 0xc8a06c, 6), metres: 1 },
    art: { paint: picture(0xd8b98a, 0x9fd0e8, 0xf7d774, [0x8fc0b0, 0x5fa08a, 0x3d7c62]), metres: 'fit' },
    poster: { paint: picture(0xf4f1ea, 0xf6dccb, 0xe88a6c, [0xe8b4a0, 0x8fb0a8, 0x4f7f86]), metres: 'fit' },
    screen: {
      paint: picture(0x101214, 0x8fc8e8, 0xfff0b0, [0x6fae7c, 0x4f8f62, 0x356a4c]),
      metres: 'fit',
      glow: 0.85,
    },
    pot: { paint: plaster(0xc8795a, 0.12), metres: 1 },
    leaves: { paint: foliage(0x7fc05a, 0x2f7038), metres: 'fit' },
    shade: { paint: plaster(0xfff3d8, 0.03), metres: 1, glow: 1.25 },
    outside: { paint: garden, metres: 'fit', glow: 1 },
    ground: { paint: plaster(0x76a848, 0.3), metres: 6, glow: 0.95 },
    sky: { paint: plaster(0x5fa8e8, 0.02), metres: 40, glow: 1 },
  },
};

export const styles: Readonly<Record<StyleName, Style>> = { loft, garden: gardenFlat };
