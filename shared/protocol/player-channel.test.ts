import { describe, expect, test } from 'bun:test';
import { seeded } from '../testing/random.ts';
import {
  type ChannelFrame,
  channel_header_bytes,
  decodeChannelFrame,
  encodeChannelFrame,
} from './player-channel.ts';

const bytesOf = (...numbers: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(numbers);

describe('encodeChannelFrame()', () => {
  const layouts: [frame: ChannelFrame, bytes: Uint8Array<ArrayBuffer>][] = [
    [{ kind: 'open' }, bytesOf(1)],
    [{ kind: 'resume', received: 0x01020304 }, bytesOf(2, 1, 2, 3, 4)],
    [{ kind: 'resumed', received: 0 }, bytesOf(3, 0, 0, 0, 0)],
    [
      { kind: 'data', seq: 1, ack: 0xffff_ffff, text: 'é' },
      bytesOf(4, 0, 0, 0, 1, 255, 255, 255, 255, 0xc3, 0xa9),
    ],
    [{ kind: 'ack', ack: 5 }, bytesOf(5, 0, 0, 0, 5)],
    [{ kind: 'ping', ack: 6 }, bytesOf(6, 0, 0, 0, 6)],
    [{ kind: 'end', code: 4404, reason: 'x' }, bytesOf(7, 0x11, 0x34, 0x78)],
  ];
  for (const [frame, bytes] of layouts) {
    test(`encodeChannelFrame() lays out ${frame.kind} as documented, and it is read back`, () => {
      expect(encodeChannelFrame(frame)).toEqual(bytes);
      expect(decodeChannelFrame(bytes)).toEqual(frame);
    });
  }

  test('encodeChannelFrame() takes no more than its header beside the text', () => {
    const text = '\u{feff}{"é":"\u{1f47e}"}';
    const bytes = encodeChannelFrame({ kind: 'data', seq: 9, ack: 9, text });
    expect(bytes.length).toBe(channel_header_bytes + Buffer.byteLength(text));
    expect(decodeChannelFrame(bytes)).toEqual({ kind: 'data', seq: 9, ack: 9, text });
  });
});

describe('decodeChannelFrame()', () => {
  const wrong: [why: string, bytes: Uint8Array<ArrayBuffer>][] = [
    ['nothing at all', bytesOf()],
    ['an unknown kind', bytesOf(8, 0, 0, 0, 1)],
    ['an open with something behind it', bytesOf(1, 0)],
    ['a number that is cut short', bytesOf(2, 0, 0, 1)],
    ['a number that is too long', bytesOf(5, 0, 0, 0, 0, 1)],
    ['data without its numbers', bytesOf(4, 0, 0, 0, 1, 0, 0, 0)],
    ['text that is not UTF-8', bytesOf(4, 0, 0, 0, 1, 0, 0, 0, 0, 0xff)],
    ['an end without a code', bytesOf(7, 1)],
    ['a reason that is not UTF-8', bytesOf(7, 3, 232, 0xc3)],
  ];
  for (const [why, bytes] of wrong) {
    test(`decodeChannelFrame() refuses ${why}`, () => expect(decodeChannelFrame(bytes)).toBeUndefined());
  }

  test('decodeChannelFrame() never throws, whatever the bytes', () => {
    const { below } = seeded(7);
    for (let round = 0; round < 20_000; round++) {
      const bytes = Uint8Array.from({ length: below(24) }, (_, at) => (at === 0 ? below(9) : below(256)));
      const frame = decodeChannelFrame(bytes);
      if (frame !== undefined) expect(encodeChannelFrame(frame)).toEqual(bytes);
    }
  });
});
