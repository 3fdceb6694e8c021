import { describe, expect, test } from 'bun:test';
import { z } from 'zod';
import { instantOf, instantSchema, instantText } from './instant.ts';

const ten = Date.UTC(2026, 11, 1, 10);

describe('instantOf()', () => {
  const good: [text: string, ms: number][] = [
    ['2026-12-01T10:00:00Z', ten],
    ['2026-12-01T10:00:00.000Z', ten],
    ['2026-12-01t10:00:00z', ten],
    ['2026-12-01T10:00:00z', ten],
    ['2026-12-01t13:00:00+03:00', ten],
    ['2026-12-01T04:30:00-05:30', ten],
    ['2026-12-01T10:00:00-00:00', ten],
    ['2026-12-01T10:00:00.5Z', ten + 500],
    ['2026-12-01T10:00:00.123456789Z', ten + 123],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
    ['2016-12-31T23:59:60.7Z', Date.UTC(2017, 0, 1)],
    ['2017-01-01T05:29:60+05:30', Date.UTC(2017, 0, 1)],
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
  ];
  test.each(good)('instantOf() reads %s', (text, ms) => expect(instantOf(text)).toBe(ms));

  const bad = [
    ...['', '2026', '20261201', '2026-12-01', '2026-12-01T10:00Z', '2026-12-01T10:00:00', '01/12/2026'],
    ...['2026-02-30T00:00:00Z', '2027-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-12-01T24:00:00Z'],
    ...['2026-12-01T10:60:00Z', '2026-12-01T10:60Z', '2026-12-01T10:00:61Z', '2026-12-01T10:00:00+24:00'],
    ...[
      '2026-12-01T10:00:00+0300',
      '2026-12-01 10:00:00Z',
      ' 2026-12-01T10:00:00Z',
      '2026-12-01T10:00:00Z\n',
    ],
    ...['+002026-12-01T10:00:00Z', '2026-12-01T10:00:00ZZ', '２026-12-01T10:00:00Z', String(ten)],
  ];
  test.each(bad)('instantOf() does not read %j', (text) => expect(instantOf(text)).toBeUndefined());
});

describe('instantText()', () => {
  test('instantText() is RFC 3339 in UTC with milliseconds, and read as what it was', () => {
    expect(instantText(ten)).toBe('2026-12-01T10:00:00.000Z');
    for (const ms of [0, 1, ten + 7, Date.UTC(9999, 11, 31)]) expect(instantOf(instantText(ms))).toBe(ms);
  });

  test('instantText() of what has no year of four digits is the nearest that has', () => {
    expect(instantText(Number.MAX_SAFE_INTEGER)).toBe('9999-12-31T23:59:59.999Z');
    expect(instantText(-1)).toBe('1970-01-01T00:00:00.000Z');
  });
});

describe('instantSchema.parse()', () => {
  test('instantSchema.parse() reads what is written now, and the numbers of releases before', () => {
    expect(instantSchema.parse('2026-12-01T10:00:00.000Z')).toBe(ten);
    expect(instantSchema.parse(ten)).toBe(ten);
    expect(z.strictObject({ at: instantSchema.nullable() }).parse({ at: null })).toEqual({ at: null });
    for (const odd of [undefined, null, '', true, {}, [], String(ten), Number.NaN]) {
      expect([odd, instantSchema.safeParse(odd).success]).toEqual([odd, false]);
    }
    expect(z.object({ at: instantSchema }).safeParse({}).success).toBe(false);
  });

  test('instantSchema.parse() is a date-time in a JSON Schema', () => {
    const { properties } = z.toJSONSchema(z.object({ at: instantSchema }), { io: 'input' });
    expect(properties).toEqual({ at: { type: 'string', format: 'date-time' } });
  });
});
