import { lightScene, setLamp } from './light.ts';
import { drawOverlay, type Overlay } from './overlay.ts';
import { createFrame, createPainter, createTextures, type Frame } from './painter.ts';
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

const sameView = (a: View, b: View): boolean =>
  a.spread === b.spread &&
  a.eye.every((value, i) => value === b.eye[i]) &&
  a.forward.every((value, i) => value === b.forward[i]);

export const createStudio = (styleName: StyleName, width: number, height: number): Studio => {
  const style = styles[styleName];
  const scene = createScene(style);
  const textures = createTextures(style.surfaces);
  let painter = createPainter(width, height, textures);
  let scenery = createFrame(width, height);
  let finished = createFrame(width, height);
  let drawn: { view: View; lamp: number } | undefined;

  return {
    scene,
    draw(view, lamp, overlay) {
      if (drawn === undefined || drawn.lamp !== lamp || !sameView(drawn.view, view)) {
        setLamp(scene, lamp);
        painter.paint(scenery, scene, view, lamp);
        drawn = { view, lamp };
      }
      finished.data.set(scenery.data);
      drawOverlay(finished, overlay);
      return finished;
    },
    resize(newWidth, newHeight) {
      if (newWidth === finished.width && newHeight === finished.height) return;
      painter = createPainter(newWidth, newHeight, textures);
      scenery = createFrame(newWidth, newHeight);
      finished = createFrame(newWidth, newHeight);
      drawn = undefined;
    },
    *prepare() {
      for (const material of Object.keys(style.surfaces) as Material[]) {
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
