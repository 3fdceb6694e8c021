import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphOf } from './font.ts';
import type { Frame } from './painter.ts';

/** Shown to whoever measures the app, on demand: `-DemoCounters`. */
export interface Counters {
  /** Epoch ms, shown as the time of day in UTC. */
  readonly time: number;
  /** Counts the frames drawn. */
  readonly frame: number;
  /** Counts the inputs taken. */
  readonly inputs: number;
}

/** What is written over the picture. */
export interface Overlay {
  readonly name: string;
  readonly counters: Counters | undefined;
  /** A line below, or nothing. */
  readonly fps: string | undefined;
}

const INK = 235;
const PANEL_DARKNESS = 0.32;
const BLACK = 16;
const GREY = 128;

/** The strip of squares in the lower left corner, for programs: white is 1, most significant first. */
export const strip = { frame_bits: 16, input_bits: 8, cell_pixels: 8 } as const;

const darken = (
  { y, u, v, width, height }: Frame,
  left: number,
  top: number,
  right: number,
  bottom: number,
): void => {
  const [lastX, lastY] = [Math.min(width, right), Math.min(height, bottom)];
  for (let row = top; row < lastY; row++) {
    for (let at = row * width + left; at < row * width + lastX; at++) {
      y[at] = BLACK + ((y[at] ?? BLACK) - BLACK) * PANEL_DARKNESS;
    }
    if (row & 1) continue;
    for (let at = ((row * width) / 4) | 0, x = left >> 1; x < lastX >> 1; x++) {
      const colour = at + x;
      u[colour] = GREY + ((u[colour] ?? GREY) - GREY) * PANEL_DARKNESS;
      v[colour] = GREY + ((v[colour] ?? GREY) - GREY) * PANEL_DARKNESS;
    }
  }
};

const fillSquare = (
  { y, width, height }: Frame,
  left: number,
  top: number,
  size: number,
  tone: number,
): void => {
  for (let row = Math.max(0, top); row < Math.min(height, top + size); row++) {
    y.fill(tone, row * width + Math.min(width, left), row * width + Math.min(width, left + size));
  }
};

const write = (frame: Frame, text: string, left: number, top: number, dot: number): void => {
  [...text].forEach((character, place) => {
    const x = left + place * (GLYPH_WIDTH + 1) * dot;
    glyphOf(character).forEach((bits, row) => {
      for (let column = 0; column < GLYPH_WIDTH; column++) {
        if (bits & (1 << (GLYPH_WIDTH - 1 - column)))
          fillSquare(frame, x + column * dot, top + row * dot, dot, INK);
      }
    });
  });
};

/** "12:34:56.7", in UTC. */
export const clockText = (epoch_ms: number): string => new Date(epoch_ms).toISOString().slice(11, 21);

const drawStrip = (frame: Frame, { frame: count, inputs }: Counters): void => {
  const { frame_bits, input_bits, cell_pixels } = strip;
  const bits = frame_bits + input_bits;
  const value = (count % 2 ** frame_bits) * 2 ** input_bits + (inputs % 2 ** input_bits);
  for (let bit = 0; bit < bits; bit++) {
    const set = Math.floor(value / 2 ** (bits - 1 - bit)) % 2 === 1;
    fillSquare(frame, bit * cell_pixels, frame.height - cell_pixels, cell_pixels, set ? INK : BLACK);
  }
};

/** The app's name, and under it what is asked for, in the lower left corner: a page's bar is at the upper edge. */
export const drawOverlay = (frame: Frame, { name, counters, fps }: Overlay): void => {
  const rows = [
    [...name].slice(0, 28).join(''),
    ...(counters === undefined ? [] : [`${clockText(counters.time)} UTC  #${counters.frame}`]),
    ...(fps === undefined ? [] : [fps]),
  ].filter((row) => row !== '');
  if (rows.length > 0) {
    const dot = Math.max(1, Math.round(frame.width / 640));
    const line = (GLYPH_HEIGHT + 4) * dot;
    const margin = 4 * dot;
    const widest = Math.max(...rows.map((row) => [...row].length)) * (GLYPH_WIDTH + 1) * dot;
    const bottom = frame.height - (counters === undefined ? 6 * dot : 2 * strip.cell_pixels);
    const [left, top] = [6 * dot, Math.max(0, bottom - rows.length * line - margin)];
    darken(frame, left & ~1, top & ~1, (left + widest + 2 * margin) & ~1, bottom & ~1);
    for (const [i, row] of rows.entries()) write(frame, row, left + margin, top + margin + i * line, dot);
  }
  if (counters !== undefined) drawStrip(frame, counters);
};
