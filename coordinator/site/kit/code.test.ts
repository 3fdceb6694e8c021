import { expect, test } from 'bun:test';
import { boxesOf, codeFrom, isWholeCode, nextBox } from './code.ts';

test.each([
  ['1234', '1234'],
  [' 12 34 ', '1234'],
  ['12-34', '1234'],
  ['a1b2', '12'],
  ['Join me in “Loft 5”: https://vitrina.example/?code=4821', '4821'],
  ['https://vitrina.example/?utm=7&code=482199', '482199'],
  ['12345678901234', '1234567890'],
  ['', ''],
])('codeFrom() reads what is typed or pasted: %p', (text, code) => expect(codeFrom(text)).toBe(code));

test('isWholeCode() wants 4 to 10 digits', () => {
  expect(['123', '1234', '1234567890'].map(isWholeCode)).toEqual([false, true, true]);
});

test('boxesOf() draws four boxes, and one more for every further digit', () => {
  expect(boxesOf('')).toEqual(['', '', '', '']);
  expect(boxesOf('12')).toEqual(['1', '2', '', '']);
  expect(boxesOf('123456')).toHaveLength(6);
});

test('nextBox() moves on with each digit and stays in the last box', () => {
  expect(['', '1', '123', '1234', '12345'].map(nextBox)).toEqual([0, 1, 3, 3, 4]);
});
