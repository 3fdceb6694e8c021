import { describe, expect, test } from 'bun:test';
import { limits } from '../limits.ts';
import { decodeRelayFrame, encodeRelayFrame, type RelayFrame } from './relay-frame.ts';

const bytesOf = (...numbers: number[]) => Uint8Array.from(numbers);

/** A small generator of repeatable numbers, so that a failure can be run again. */
const seeded = (seed: number) => (most: number) => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return (seed >>> 8) % most;
};

const randomFrame = (below: (most: number) => number): RelayFrame => {
  const channel = 1 + below(2) * (0xffff_fffe - below(1_000));
  if (below(2) === 0) {
    return { kind: 'data', channel, payload: Uint8Array.from({ length: below(300) }, () => below(256)) };
  }
  const points = [0x20, 0x7f, 0xe9, 0x44f, 0x4e2d, 0xfeff, 0xfffd, 0x1f47e];
  const reason = Array.from({ length: below(60) }, () => String.fromCodePoint(points[below(8)] ?? 0)).join(
    '',
  );
  return { kind: 'close', channel, code: below(65_536), reason };
};

describe('encodeRelayFrame()', () => {
  const layouts: [frame: RelayFrame, bytes: Uint8Array][] = [
    [{ kind: 'data', channel: 1, payload: bytesOf() }, bytesOf(1, 0, 0, 0, 1)],
    [{ kind: 'data', channel: 0x01020304, payload: bytesOf(9, 8) }, bytesOf(1, 1, 2, 3, 4, 9, 8)],
    [{ kind: 'close', channel: 2, code: 4404, reason: '' }, bytesOf(2, 0, 0, 0, 2, 0x11, 0x34)],
    [
      { kind: 'close', channel: 0xffff_ffff, code: 1000, reason: 'é' },
      bytesOf(2, 255, 255, 255, 255, 3, 232, 0xc3, 0xa9),
    ],
  ];
  for (const [frame, bytes] of layouts) {
    test(`encodeRelayFrame() lays out ${frame.kind} on channel ${frame.channel} as documented`, () => {
      expect(encodeRelayFrame(frame)).toEqual(bytes);
    });
  }
});

describe('decodeRelayFrame()', () => {
  test('decodeRelayFrame() undoes encodeRelayFrame (2,000 seeded frames, at any offset of a buffer)', () => {
    const below = seeded(20_261_120);
    for (let i = 0; i < 2_000; i++) {
      const frame = randomFrame(below);
      const bytes = encodeRelayFrame(frame);
      const lead = below(9);
      const buffer = new Uint8Array(lead + bytes.length + below(9));
      buffer.set(bytes, lead);
      expect(decodeRelayFrame(buffer.subarray(lead, lead + bytes.length))).toEqual(frame);
    }
  });

  test('decodeRelayFrame() copies a full frame of a player without a change', () => {
    const payload = new Uint8Array(limits.frame_bytes).fill(0x7b);
    const decoded = decodeRelayFrame(encodeRelayFrame({ kind: 'data', channel: 7, payload }));
    expect(decoded).toEqual({ kind: 'data', channel: 7, payload });
  });

  test('decodeRelayFrame() refuses every truncation that cuts the header', () => {
    const data = encodeRelayFrame({ kind: 'data', channel: 1, payload: bytesOf(1) });
    const close = encodeRelayFrame({ kind: 'close', channel: 1, code: 1000, reason: '' });
    const cut = (bytes: Uint8Array) =>
      Array.from(bytes, (_, length) => decodeRelayFrame(bytes.subarray(0, length)) === undefined);
    expect(cut(data)).toEqual([true, true, true, true, true, false]);
    expect(cut(close)).toEqual([true, true, true, true, true, true, true]);
  });

  const refused: [name: string, bytes: Uint8Array][] = [
    ['no bytes', bytesOf()],
    ['kind 0', bytesOf(0, 0, 0, 0, 1)],
    ['kind 3', bytesOf(3, 0, 0, 0, 1, 3, 232)],
    ['kind 255', bytesOf(255, 0, 0, 0, 1, 3, 232)],
    ['channel 0', bytesOf(1, 0, 0, 0, 0, 1)],
    ['close of channel 0', bytesOf(2, 0, 0, 0, 0, 3, 232)],
    ['a reason that is not UTF-8', bytesOf(2, 0, 0, 0, 1, 3, 232, 0xc3, 0x28)],
    ['a reason that ends inside a character', bytesOf(2, 0, 0, 0, 1, 3, 232, 0xe2, 0x82)],
  ];
  for (const [name, bytes] of refused) {
    test(`decodeRelayFrame() refuses ${name}`, () => {
      expect(decodeRelayFrame(bytes)).toBeUndefined();
    });
  }

  test('decodeRelayFrame() never throws on 5,000 seeded byte strings', () => {
    const below = seeded(7);
    let frames = 0;
    for (let i = 0; i < 5_000; i++) {
      const bytes = Uint8Array.from({ length: below(12) }, () => below(below(2) === 0 ? 4 : 256));
      if (decodeRelayFrame(bytes) !== undefined) frames += 1;
    }
    expect(frames).toBeWithin(1, 5_000);
  });
});
