import { dot, subtract } from './geometry.ts';
import { createRasteriser, type Span, type Texels, type View } from './raster.ts';
import type { Face, Scene } from './scene.ts';
import type { Material, Surface } from './style.ts';
import { createTexture, HOLE, type Texture } from './texture.ts';

/** A picture as video encoders take it: a full brightness plane, then two colour planes at half size. Sides are even. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Video range: brightness 16..235, colours around 128. */
  readonly data: Uint8Array;
  readonly y: Uint8ClampedArray;
  readonly u: Uint8ClampedArray;
  readonly v: Uint8ClampedArray;
}

export const createFrame = (width: number, height: number): Frame => {
  const luma = width * height;
  const bytes = new ArrayBuffer(luma * 1.5);
  return {
    width,
    height,
    data: new Uint8Array(bytes),
    y: new Uint8ClampedArray(bytes, 0, luma),
    u: new Uint8ClampedArray(bytes, luma, luma / 4),
    v: new Uint8ClampedArray(bytes, luma * 1.25, luma / 4),
  };
};

const BLURRED_SIZE = 16;
/** The view is too much seen to be a few blocks. */
const BLURRED_HORIZON_SIZE = 64;
const TEXTURE_SIZE = 256;
const HORIZON_SIZE = 512;

/** Colour shifts of the light, towards blue and towards red, at full strength. */
const TINT = 20;

/** The textures of one style. */
export interface Textures {
  /** The finished texture, or until it is painted a blurred one that costs next to nothing. */
  of(material: Material): Texture;
  /** Paints it in full; takes some ten milliseconds, once. */
  finish(material: Material): void;
}

export const createTextures = (surfaces: Scene['style']['surfaces']): Textures => {
  const known = new Map<Material, Texture>();
  const make = (material: Material, size: number): Texture => {
    const texture = createTexture(surfaces[material].paint, size);
    known.set(material, texture);
    return texture;
  };
  return {
    of: (material) =>
      known.get(material) ?? make(material, material === 'outside' ? BLURRED_HORIZON_SIZE : BLURRED_SIZE),
    finish: (material) => void make(material, material === 'outside' ? HORIZON_SIZE : TEXTURE_SIZE),
  };
};

export interface Painter {
  /** Draws what the view sees. `lamp` 0..1 is how far the lamps are on, which tints the light. */
  paint(frame: Frame, scene: Scene, view: View, lamp: number): void;
}

/** Nearest first, so that most of what is hidden is never drawn. */
const frontToBack = (faces: readonly Face[], view: View): Face[] => {
  const seen = faces.filter((face) => dot(face.normal, subtract(view.eye, face.origin)) > 0);
  const distance = ({ origin, across, down, width, height }: Face): number => {
    const [x, y, z] = subtract(view.eye, origin);
    const along = ([a, b, c]: readonly [number, number, number]) => x * a + y * b + z * c;
    const u = along(across) - Math.min(width, Math.max(0, along(across)));
    const v = along(down) - Math.min(height, Math.max(0, along(down)));
    const away = x * x + y * y + z * z - along(across) ** 2 - along(down) ** 2;
    return u * u + v * v + away;
  };
  return seen
    .map((face) => ({ face, away: distance(face) }))
    .sort((a, b) => a.away - b.away)
    .map(({ face }) => face);
};

/** Neighbouring blocks continue each other's pattern because it is laid out in the flat's own axes. */
const texelsOf = (face: Face, surface: Surface, size: number, levels: number): Texels => {
  if (surface.metres === 'fit') {
    return { perMetreU: size / face.width, perMetreV: size / face.height, u0: 0, v0: 0, levels };
  }
  const perMetre = size / surface.metres;
  return {
    perMetreU: perMetre,
    perMetreV: perMetre,
    u0: dot(face.origin, face.across),
    v0: dot(face.origin, face.down),
    levels,
  };
};

/** A painter for frames of one size. */
export const createPainter = (width: number, height: number, textures: Textures): Painter => {
  const depth = new Int32Array(width * height);
  const halfDepth = new Int32Array((width * height) / 4);
  const full = createRasteriser(width, height, depth);
  const half = createRasteriser(width / 2, height / 2, halfDepth);

  return {
    paint(frame, scene, view, lamp) {
      const { warm, cool, surfaces } = scene.style;
      const tint = Math.round((warm * lamp - cool * (1 - lamp)) * TINT);
      full.clear();
      half.clear();
      for (const face of frontToBack(scene.faces, view)) {
        const surface = surfaces[face.material];
        const look = textures.of(face.material);
        const levels = look.u.length;
        full.fill(face, view, texelsOf(face, surface, look.size, levels), lumaSpan(frame.y, depth, look));
        const shift = surface.glow === undefined ? tint : 0;
        half.fill(
          face,
          view,
          texelsOf(face, surface, look.size / 2, levels),
          chromaSpan(frame, halfDepth, look, shift),
        );
      }
    },
  };
};

const lumaSpan = (y: Uint8ClampedArray, depth: Int32Array, { luma, size }: Texture): Span => {
  const bits = Math.log2(size);
  return (at, end, near, nearStep, u, uStep, v, vStep, light, lightStep, level) => {
    const texels = luma[level];
    if (texels === undefined) return;
    const shift = 16 + level;
    const levelBits = bits - level;
    const mask = (1 << levelBits) - 1;
    // 219/255: from a full byte to video range.
    let bright = (light * 0.8588) | 0;
    const brightStep = (lightStep * 0.8588) | 0;
    for (let i = at; i < end; i++) {
      if (near > (depth[i] ?? 0)) {
        const texel = texels[(((v >> shift) & mask) << levelBits) | ((u >> shift) & mask)] ?? 0;
        if (texel !== 0) {
          depth[i] = near;
          y[i] = 16 + ((texel * bright) >> 16);
        }
      }
      near += nearStep;
      u += uStep;
      v += vStep;
      bright += brightStep;
    }
  };
};

const chromaSpan = (frame: Frame, depth: Int32Array, look: Texture, tint: number): Span => {
  const bits = Math.log2(look.size / 2);
  const { u: outU, v: outV } = frame;
  return (at, end, near, nearStep, u, uStep, v, vStep, light, lightStep, level) => {
    const texelsU = look.u[level];
    const texelsV = look.v[level];
    if (texelsU === undefined || texelsV === undefined) return;
    const shift = 16 + level;
    const levelBits = bits - level;
    const mask = (1 << levelBits) - 1;
    let bright = light;
    for (let i = at; i < end; i++) {
      if (near > (depth[i] ?? 0)) {
        const texel = (((v >> shift) & mask) << levelBits) | ((u >> shift) & mask);
        const colour = texelsU[texel] ?? HOLE;
        if (colour !== HOLE) {
          depth[i] = near;
          outU[i] = 128 + (((colour - tint) * bright) >> 16);
          outV[i] = 128 + ((((texelsV[texel] ?? 0) + (tint >> 1)) * bright) >> 16);
        }
      }
      near += nearStep;
      u += uStep;
      v += vStep;
      bright += lightStep;
    }
  };
};
