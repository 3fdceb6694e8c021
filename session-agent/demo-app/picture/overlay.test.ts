import { expect, test } from 'bun:test';
import { GLYPH_HEIGHT, glyphOf } from './font.ts';
import { clockText, drawOverlay, strip } from './overlay.ts';
import { createFrame } from './painter.ts';

/** The strip as programs read it: 24 bits from the middles of its squares. */
const readStrip = ({ y, width, height }: ReturnType<typeof createFrame>): number => {
  const { cell_pixels, frame_bits, input_bits } = strip;
  let value = 0;
  for (let bit = 0; bit < frame_bits + input_bits; bit++) {
    const at = (height - cell_pixels / 2) * width + bit * cell_pixels + cell_pixels / 2;
    value = value * 2 + ((y[at] ?? 0) > 128 ? 1 : 0);
  }
  return value;
};

test('drawOverlay() shows frame and input counters in its strip', () => {
  const frame = createFrame(640, 360);
  const counters = { time: 0, frame: 65_536 + 4660, inputs: 256 + 86 };
  drawOverlay(frame, { name: 'A', counters, fps: undefined });
  expect(readStrip(frame)).toBe(0x123456);
});

test('drawOverlay() shows name, time and line, and other pixels for other texts', () => {
  const draw = (name: string, time: number, fps: string | undefined) => {
    const frame = createFrame(640, 360);
    drawOverlay(frame, { name, counters: { time, frame: 1, inputs: 0 }, fps });
    return Bun.hash.xxHash64(frame.data);
  };
  const hashes = [
    draw('Loft', 0, undefined),
    draw('Left', 0, undefined),
    draw('Loft', 100, undefined),
    draw('Loft', 0, '30'),
  ];
  expect(new Set(hashes).size).toBe(4);
});

test('drawOverlay() stays inside the smallest picture and a name of any length', () => {
  const frame = createFrame(64, 64);
  const counters = { time: 0, frame: 0, inputs: 0 };
  drawOverlay(frame, { name: '🌳'.repeat(99), counters, fps: 'x'.repeat(99) });
  expect(frame.y.includes(235)).toBeTrue();
});

test('drawOverlay() writes the name alone unless more is asked for, below all that a page shows at its upper edge', () => {
  const frame = createFrame(1280, 720);
  drawOverlay(frame, { name: 'Loft', counters: undefined, fps: undefined });
  const written = [...frame.y.keys()].filter((at) => frame.y[at] === 235).map((at) => Math.floor(at / 1280));
  expect(Math.min(...written)).toBeGreaterThan(680);
  const empty = createFrame(1280, 720);
  drawOverlay(empty, { name: '', counters: undefined, fps: undefined });
  expect(empty.y.some((value) => value !== 0)).toBeFalse();
});

test('clockText() has tenths of a second', () => {
  expect(clockText(Date.UTC(2026, 0, 1, 3, 4, 5, 678))).toBe('03:04:05.6');
});

test('glyphOf() knows Latin and Russian letters and digits, in either case', () => {
  const unknown = glyphOf('?');
  for (const character of 'ABCXYZabcxyz0123456789АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯя.:#-') {
    expect(glyphOf(character)).toHaveLength(GLYPH_HEIGHT);
    expect(glyphOf(character)).not.toEqual(unknown);
  }
  expect(glyphOf('漢')).toEqual(unknown);
});
