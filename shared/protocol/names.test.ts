import { describe, expect, test } from 'bun:test';
import type { z } from 'zod';
import { iceServerSchema } from './ice.ts';
import { codeSchema, idSchema, namedSchema, nameSchema, wholeNumberSchema } from './names.ts';
import { endReasonSchema, endReasons } from './session.ts';

const table = (name: string, schema: z.ZodType, good: unknown[], bad: unknown[]) => {
  describe(`${name}()`, () => {
    for (const value of good) {
      test(`${name}() takes ${JSON.stringify(value)}`, () => {
        expect(schema.safeParse(value).error).toBeUndefined();
      });
    }
    for (const value of bad) {
      test(`${name}() refuses ${JSON.stringify(value)?.slice(0, 60)}`, () => {
        expect(schema.safeParse(value).success).toBeFalse();
      });
    }
  });
};

table(
  'idSchema',
  idSchema,
  ['id123', 'a', '-_-', 'x'.repeat(64)],
  ['', ' ', 'a b', '../x', 'x'.repeat(65), 'é', 'a\n', 1, null],
);
table(
  'nameSchema',
  nameSchema,
  ['SomeRC', 'ЖК «Лето»', '中', 'a b', 'x'.repeat(100), '👨‍👩‍👧', 'می\u200cخواهم'],
  ['', '   ', 'a\u0000b', 'a\nb', 'a\u202eb', '\u3164', '..', 'x'.repeat(101), 'x'.repeat(9_999), 7, null],
);
table(
  'namedSchema',
  namedSchema,
  ['SomeRC', '👨‍👩‍👧', '\u3164', '..', 'x'.repeat(100)],
  ['', '   ', 'a\u0000b', 'a\nb', 'x'.repeat(101), 'x'.repeat(9_999), 7, null],
);
table(
  'codeSchema',
  codeSchema,
  ['1234', '0000', '1234567890'],
  ['123', '12345678901', '12a4', ' 1234', '١٢٣٤', 1234],
);
table(
  'wholeNumberSchema',
  wholeNumberSchema(1, 30),
  [1, 30, '30', '030'],
  [0, 31, 1.5, '', '-1', '1e1', '0x1', true, null],
);
table(
  'iceServerSchema',
  iceServerSchema,
  [
    { urls: ['stun:stun.example'] },
    { urls: ['turn:t.example:3478?transport=tcp', 'turns:t.example'], username: 'u', credential: 'c' },
  ],
  [
    {},
    { urls: 'stun:x' },
    { urls: [] },
    { urls: ['http://x'] },
    { url: 'stun:x' },
    { urls: ['stun:x'], password: 'c' },
  ],
);

test('nameSchema() and namedSchema() give one form of each name', () => {
  for (const schema of [nameSchema, namedSchema]) {
    expect(schema.parse(' Cafe\u0301\u00a0 2\n')).toBe('Caf\u00e9  2');
  }
});

test('wholeNumberSchema() gives a number for a string', () => {
  expect(wholeNumberSchema(1, 30).parse('30')).toBe(30);
});

test('endReasonSchema() has a number of its own for every reason', () => {
  const numbers = Object.values(endReasons);
  expect(new Set<number>(numbers).size).toBe(numbers.length);
  expect(Object.keys(endReasons).filter((reason) => !endReasonSchema.safeParse(reason).success)).toEqual([]);
});
