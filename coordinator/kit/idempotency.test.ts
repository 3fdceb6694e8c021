import { describe, expect, test } from 'bun:test';
import { repeatableOf } from './idempotency.ts';

const secrets: [what: string, key: string][] = [
  ['a UUID of version 4', 'f47ac10b-58cc-4372-a567-0e02b2c3d479'],
  ['the same in capitals', 'F47AC10B-58CC-4372-A567-0E02B2C3D479'],
  ['the same without dashes', 'f47ac10b58cc4372a5670e02b2c3d479'],
  ['a UUID of version 7', '01935b1e-7a3c-7d42-9b6e-4f1d8c2a7e90'],
  ['20 random bytes', '8f14e45fceea167a5a36dedd4bea2543dcb03b1f'],
];

const guessed: [what: string, key: string][] = [
  ['a word', 'order-17'],
  ['zeros', '00000000-0000-0000-0000-000000000000'],
  ['zeros with the marks of version 4', '00000000-0000-4000-8000-000000000000'],
  ['a counter with the marks of version 4', '00000000-0000-4000-8000-000000000017'],
  ['a row of digits with the marks of version 4', '12345678-1234-4234-8234-123456789abc'],
  ['a row of digits', '0123456789abcdef0123456789abcdef'],
  ['a longer row of digits', '0123456789abcdef0123456789abcdef0123456789abcdef'],
  ['a UUID of version 1', 'c232ab00-9414-11ec-b3c8-9f6bdeced846'],
  ['the same without dashes', 'c232ab00941411ecb3c89f6bdeced846'],
  ['some of its dashes', 'f47ac10b-58cc4372-a567-0e02b2c3d479'],
];

describe('repeatableOf()', () => {
  const of = (key: string) => repeatableOf('bookings', { network: '192.0.2.1' }, key, {});

  for (const [what, key] of secrets) {
    test(`repeatableOf() takes ${what} for a secret, wherever its stranger calls from`, () => {
      expect(of(key)).toMatchObject({ answered: true, scope: 'bookings strangers' });
    });
  }
  for (const [what, key] of guessed) {
    test(`repeatableOf() takes ${what} for no secret, and gives nobody the answer again`, () => {
      expect(of(key)).toMatchObject({ answered: false, scope: 'bookings 192.0.2.1' });
    });
  }

  test('repeatableOf() takes every random UUID for a secret', () => {
    const keys = Array.from({ length: 20_000 }, () => [crypto.randomUUID(), Bun.randomUUIDv7()]).flat();
    expect(keys.filter((key) => !of(key).answered)).toEqual([]);
  });

  test('repeatableOf() gives an account its answer by any key', () => {
    const visitor = { account: { id: 'anna' }, network: '192.0.2.1' };
    expect(repeatableOf('bookings', visitor, 'order-17', {})).toMatchObject({
      answered: true,
      scope: 'bookings anna',
    });
  });
});
