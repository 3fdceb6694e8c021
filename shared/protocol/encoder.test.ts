import { describe, expect, test } from 'bun:test';
import { z } from 'zod';
import { encoderOf } from './encoder.ts';
import { instantSchema } from './instant.ts';

const at = Date.UTC(2026, 11, 1, 10);
const text = '2026-12-01T10:00:00.000Z';
const strict = z.strictObject({ at: instantSchema, seats: z.number() });

describe('encoderOf()', () => {
  const cases: [name: string, schema: z.ZodType, value: unknown, encoded: unknown][] = [
    ['an instant', instantSchema, at, text],
    ['a described instant', instantSchema.meta({ description: 'x' }), at, text],
    ['a field', strict, { at, seats: 2 }, { at: text, seats: 2 }],
    ['a field that the schema does not name', strict, { at, more: at }, { at: text, more: at }],
    ['null', z.object({ at: instantSchema.nullable() }), { at: null }, { at: null }],
    ['a nullable one', z.object({ at: instantSchema.nullable() }), { at }, { at: text }],
    ['what is left out', z.object({ at: instantSchema.optional() }), {}, {}],
    ['an optional one', z.object({ at: instantSchema.optional() }), { at }, { at: text }],
    ['a list', z.array(strict), [{ at, seats: 1 }], [{ at: text, seats: 1 }]],
    ['a record', z.record(z.string(), instantSchema), { ready: at }, { ready: text }],
    ['a list in a list', z.array(z.array(instantSchema)), [[at], []], [[text], []]],
    ['a loose object', z.looseObject({ at: instantSchema.optional() }), { at, x: 1 }, { at: text, x: 1 }],
    ['a wrapped object', strict.nullable().optional(), { at, seats: 1 }, { at: text, seats: 1 }],
    [
      'a transformed text beside it',
      z.object({ at: instantSchema, n: z.string().trim() }),
      { at, n: 'x' },
      { at: text, n: 'x' },
    ],
    [
      'one variant',
      z.union([z.strictObject({ n: z.number() }), strict]),
      { at, seats: 1 },
      { at: text, seats: 1 },
    ],
    ['the other variant', z.union([z.strictObject({ n: z.number() }), strict]), { n: at }, { n: at }],
    ['what fits no variant', z.union([z.strictObject({ n: z.number() }), strict]), { m: at }, { m: at }],
    ['what does not fit', strict, 'words', 'words'],
    ['an instant that is written already', strict, { at: text }, { at: text }],
    ['what knows no instants', z.object({ n: z.number() }), { n: at }, { n: at }],
  ];
  test.each(cases)('encoderOf() encodes %s', (_, schema, value, encoded) => {
    const before = structuredClone(value);
    expect(encoderOf(schema)(value)).toEqual(encoded);
    expect(value).toEqual(before);
  });

  test('encoderOf() refuses a kind of schema in which it would overlook an instant', () => {
    expect(() => encoderOf(z.lazy(() => strict))).toThrow('lazy');
    expect(() => encoderOf(z.object({ pair: z.tuple([instantSchema]) }))).toThrow('tuple');
  });
});
