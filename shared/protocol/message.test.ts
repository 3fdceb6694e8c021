import { describe, expect, test } from 'bun:test';
import { z } from 'zod';
import { encode, loose, strict } from './message.ts';

describe('strict()', () => {
  const say = strict('verb', 'SAY', { text: z.string() });

  test('strict() wants its tag, its fields and nothing else', () => {
    expect(say.safeParse({ verb: 'SAY', text: 'x' }).success).toBeTrue();
    const others = [
      { text: 'x' },
      { verb: 'say', text: 'x' },
      { verb: 'SAY' },
      { verb: 'SAY', text: 'x', more: 1 },
    ];
    expect(others.filter((message) => say.safeParse(message).success)).toEqual([]);
  });
});

describe('loose()', () => {
  const offer = loose('type', 'offer', { sdp: z.string() });

  test('loose() keeps what it does not know', () => {
    const message = { type: 'offer' as const, sdp: 'v=0', newer: { field: [1] } };
    expect(offer.parse(message)).toEqual(message);
  });

  test('loose() still wants its tag and its fields', () => {
    const others = [
      { sdp: 'v=0' },
      { type: 'answer', sdp: 'v=0' },
      { type: 'offer' },
      { type: 'offer', sdp: 1 },
    ];
    expect(others.filter((message) => offer.safeParse(message).success)).toEqual([]);
  });
});

test('encode() writes the JSON of a message of its family', () => {
  const family = { SAY: strict('verb', 'SAY', { text: z.string() }) };
  expect(encode(family, { verb: 'SAY', text: '"é"' })).toBe('{"verb":"SAY","text":"\\"é\\""}');
});
