import { drawnSmaller, enlarge } from './enlarge.ts';
import { lightScene, setLamp } from './light.ts';
import { drawOverlay, type Overlay } from './overlay.ts';
import { createFrame, createPainter, createTextures, type Frame, type Textures } from './painter.ts';
import type { View } from './raster.ts';
import { createScene, type Scene } from './scene.ts';
import { type Material, type StyleName, styles } from './style.ts';

/** Draws the flat in one style and size. */
export interface Studio {
  readonly scene: Scene;
  /**
   * The finished frame. It is the studio's own and is overwritten by the next call. What did not change since the last
   * call is not drawn again, so a quiet scene costs next to nothing.
   */
  draw(view: View, lamp: number, overlay: Overlay): Frame;
  resize(width: number, height: number): void;
  /** The slow work that is done once, in steps of some milliseconds each: paints textures, computes the light. */
  prepare(): Generator<void, void>;
}

/** What fills most of the first picture. */
const seen_first: readonly Material[] = ['outside', 'wall', 'floor', 'rug', 'leaves', 'fabric'];

const sameView = (a: View, b: View): boolean =>
  a.spread === b.spread &&
  a.eye.every((value, i) => value === b.eye[i]) &&
  a.forward.every((value, i) => value === b.forward[i]);

/** The scenery as painted, at the picture's size, and with the overlay on it. A large picture is painted at half its size. */
const createCanvas = (width: number, height: number, textures: Textures) => {
  const scenery = createFrame(width, height);
  const small = drawnSmaller(width, height) ? createFrame(width / 2, height / 2) : scenery;
  return {
    painter: createPainter(small.width, small.height, textures),
    small,
    scenery,
    finished: createFrame(width, height),
  };
};

export const createStudio = (styleName: StyleName, width: number, height: number): Studio => {
  const style = styles[styleName];
  const scene = createScene(style);
  const textures = createTextures(style.surfaces);
  let canvas = createCanvas(width, height, textures);
  let drawn: { view: View; lamp: number } | undefined;

  return {
    scene,
    draw(view, lamp, overlay) {
      if (drawn === undefined || drawn.lamp !== lamp || !sameView(drawn.view, view)) {
        setLamp(scene, lamp);
        canvas.painter.paint(canvas.small, scene, view, lamp);
        if (canvas.small !== canvas.scenery) enlarge(canvas.small, canvas.scenery);
        drawn = { view, lamp };
      }
      const { finished, scenery } = canvas;
      finished.data.set(scenery.data);
      drawOverlay(finished, overlay);
      return finished;
    },
    resize(newWidth, newHeight) {
      if (newWidth === canvas.finished.width && newHeight === canvas.finished.height) return;
      canvas = createCanvas(newWidth, newHeight, textures);
      drawn = undefined;
    },
    *prepare() {
      for (const material of new Set([...seen_first, ...(Object.keys(style.surfaces) as Material[])])) {
        textures.finish(material);
        drawn = undefined;
        yield;
      }
      for (const _ of lightScene(scene)) {
        drawn = undefined;
        yield;
      }
    },
  };
};
