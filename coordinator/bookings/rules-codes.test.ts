import { expect, test } from 'bun:test';
import { codeSpace, freeCode } from './rules-codes.ts';

test('freeCode() takes the drawn code when it is free, with leading zeros', () => {
  expect(freeCode(4, 7, new Set())).toBe('0007');
});

test('freeCode() goes on to the next free code and wraps round', () => {
  expect(freeCode(4, 9_998, new Set(['9998', '9999', '0000']))).toBe('0001');
});

test('freeCode() finds the last free code and refuses when there is none', () => {
  const all = Array.from({ length: codeSpace(4) }, (_, code) => String(code).padStart(4, '0'));
  expect(freeCode(4, 17, new Set(all.filter((code) => code !== '0016')))).toBe('0016');
  expect(freeCode(4, 17, new Set(all))).toEqual({ refused: 'codes_used_up' });
});
