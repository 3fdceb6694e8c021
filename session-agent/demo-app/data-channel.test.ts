import { describe, expect, test } from 'bun:test';
import {
  decodeInput,
  encodeFlag,
  encodeProtocol,
  encodeText,
  fromStreamer,
  type Input,
  toStreamer,
} from './data-channel.ts';
import { encodeInput } from './testing/encode-input.ts';

const touch = { touches: 1, x: 65535, y: 0, finger: 9, force: 255, valid: 1 };
const button = { button: 4, x: 0, y: 65535 };

/** At least one of each, with the values at the edges of their types. */
const inputs: Input[] = [
  { name: 'IFrameRequest' },
  { name: 'RequestQualityControl' },
  { name: 'FpsRequest' },
  { name: 'AverageBitrateRequest' },
  { name: 'StartStreaming' },
  { name: 'StopStreaming' },
  { name: 'LatencyTest', descriptor: '{"StartTime":1790000000000}' },
  { name: 'RequestInitialSettings' },
  { name: 'TestEcho' },
  { name: 'DataChannelLatencyTest', descriptor: '' },
  { name: 'UIInteraction', descriptor: '"\\u0000 Привет 🌳"' },
  { name: 'Command', descriptor: '{"stat.fps":""}' },
  { name: 'TextboxEntry', text: '\uFEFFx'.repeat(3000) },
  { name: 'KeyDown', key: 255, repeat: 1 },
  { name: 'KeyUp', key: 0 },
  { name: 'KeyPress', character: 65535 },
  { name: 'MouseEnter' },
  { name: 'MouseLeave' },
  { name: 'MouseDown', ...button },
  { name: 'MouseUp', ...button },
  { name: 'MouseMove', x: 1, y: 256, dx: -32768, dy: 32767 },
  { name: 'MouseWheel', delta: -120, x: 3, y: 4 },
  { name: 'MouseDouble', ...button },
  { name: 'TouchStart', ...touch },
  { name: 'TouchEnd', ...touch },
  { name: 'TouchMove', ...touch },
  { name: 'GamepadButtonPressed', controller: 1, button: 2, repeat: 0 },
  { name: 'GamepadButtonReleased', controller: 1, button: 2, repeat: 0 },
  { name: 'GamepadAnalog', controller: 0, axis: 4, value: -0.123456789 },
  { name: 'GamepadConnected' },
  { name: 'GamepadDisconnected', controller: 3 },
];

const text = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(1)).toString('utf16le');

describe('decodeInput()', () => {
  test('decodeInput() reads back every message of the table', () => {
    expect(new Set(inputs.map(({ name }) => name))).toEqual(new Set(Object.keys(toStreamer)) as never);
    for (const input of inputs) expect(decodeInput(encodeInput(input))).toEqual(input);
  });

  test('decodeInput() knows the very bytes of the page', () => {
    expect(decodeInput(Uint8Array.of(60, 87, 1))).toEqual({ name: 'KeyDown', key: 87, repeat: 1 });
    expect(decodeInput(Uint8Array.of(74, 1, 0, 0, 1, 255, 255, 2, 0))).toEqual({
      name: 'MouseMove',
      x: 1,
      y: 256,
      dx: -1,
      dy: 2,
    });
    expect(decodeInput(Uint8Array.of(52, 2, 0, 0x41, 0, 0x16, 4))).toEqual({
      name: 'TextboxEntry',
      text: 'AЖ'.replace('Ж', '\u0416'),
    });
  });

  test('decodeInput() reads from the middle of a larger buffer', () => {
    const bytes = Uint8Array.of(9, 9, 60, 87, 0, 9).subarray(2, 5);
    expect(decodeInput(bytes)).toEqual({ name: 'KeyDown', key: 87, repeat: 0 });
  });

  test('decodeInput() refuses every message that is cut short anywhere', () => {
    for (const input of inputs) {
      const bytes = encodeInput(input);
      for (let length = 0; length < Math.min(bytes.length, 64); length++) {
        expect(decodeInput(bytes.subarray(0, length))).toMatchObject({ wrong: 'too_short' });
      }
    }
  });

  test('decodeInput() refuses bytes after the end', () => {
    for (const input of inputs) {
      const bytes = Uint8Array.of(...encodeInput(input), 0);
      expect(decodeInput(bytes)).toEqual({ wrong: 'trailing_bytes', id: toStreamer[input.name].id });
    }
  });

  test('decodeInput() refuses ids that are not in the table, and nothing else by its id', () => {
    const known = new Set<number>(Object.values(toStreamer).map(({ id }) => id));
    for (let id = 0; id < 256; id++) {
      const wrong = decodeInput(Uint8Array.of(id));
      if (!known.has(id)) expect(wrong).toEqual({ wrong: 'unknown_id', id });
      else expect(wrong).not.toMatchObject({ wrong: 'unknown_id' });
    }
  });
});

test('encodeText() writes no length, encodeFlag() one byte', () => {
  expect(encodeText('Response', 'AЖ'.replace('Ж', '\u0416'))).toEqual(Uint8Array.of(1, 0x41, 0, 0x16, 4));
  expect(encodeFlag('QualityControlOwnership', true)).toEqual(Uint8Array.of(0, 1));
});

test('encodeProtocol() declares both tables under the page’s names', () => {
  const to = encodeProtocol(0);
  expect(to[0]).toBe(fromStreamer.Protocol.id);
  expect(JSON.parse(text(to))).toMatchObject({
    Direction: 0,
    KeyDown: { id: 60, structure: ['uint8', 'uint8'] },
    MouseMove: { id: 74, structure: ['uint16', 'uint16', 'int16', 'int16'] },
    DataChannelLatencyTest: { id: 9, structure: ['string'] },
  });
  expect(JSON.parse(text(encodeProtocol(1)))).toMatchObject({
    Direction: 1,
    QualityControlOwnership: { id: 0, structure: ['uint8'] },
    Protocol: { id: 255, structure: ['string'] },
  });
});
