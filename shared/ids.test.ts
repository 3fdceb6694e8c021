import { describe, expect, test } from 'bun:test';
import { systemIds } from './ids.ts';
import { idSchema } from './protocol/names.ts';
import { fakeIds } from './testing/ids.ts';

describe('systemIds()', () => {
  test('systemIds() makes ids of 22 and secrets of 43 URL-safe characters, never twice', () => {
    const ids = Array.from({ length: 2_000 }, () => systemIds.id());
    const secrets = Array.from({ length: 2_000 }, () => systemIds.secret());
    expect(ids.filter((id) => !/^[\w-]{22}$/.test(id) || !idSchema.safeParse(id).success)).toEqual([]);
    expect(secrets.filter((secret) => !/^[\w-]{43}$/.test(secret))).toEqual([]);
    expect(new Set([...ids, ...secrets]).size).toBe(4_000);
  });

  test('systemIds() draws every number below the bound and none at it', () => {
    const drawn = new Set(Array.from({ length: 2_000 }, () => systemIds.below(10)));
    expect([...drawn].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

test('fakeIds() is predictable', () => {
  const ids = fakeIds();
  expect([ids.id(), ids.id(), ids.secret(), ids.below(2), ids.below(2), ids.below(2)]).toEqual([
    'id-1',
    'id-2',
    'secret-1',
    0,
    1,
    0,
  ]);
});
