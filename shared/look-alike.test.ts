import { describe, expect, test } from 'bun:test';
import { lookAlike, lookOf } from './look-alike.ts';

const alike: [one: string, other: string][] = [
  ['Anna', 'anna'],
  ['Анна', 'АННА'],
  ['STRASSE', 'straße'],
  ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
  // Cyrillic, Greek, Armenian and Cherokee letters in a Latin word.
  ['Anna', '\u0410nna'],
  ['admin', '\u0430dmin'],
  ['scope', '\u0455\u0441\u043e\u0440\u0435'],
  ['HBC', '\u041d\u0412\u0421'],
  ['Ivan', '\u0406van'],
  ['NATO', '\u039d\u0391\u03a4\u039f'],
  ['oho', '\u0585h\u03bf'],
  ['Ace', '\u13aace'],
  ['ПИ', '\u03a0И'],
  // Other forms of the same letters.
  ['Anna', '\uff21\uff4e\uff4e\uff41'],
  ['Anna', '\u{1d400}\u{1d427}\u{1d427}\u{1d41a}'],
  ['admin', '\u0251dmin'],
  ['\u00e9', 'e\u0301'],
  ['علي', 'علی'],
  ['می\u200cخواهم', 'میخواهم'],
  ['❤️', '❤'],
  ['Anna  B', 'anna b'],
];

const different: [one: string, other: string][] = [
  ['Anna', 'Hanna'],
  ['Block 1', 'Block I'],
  ['Block 0', 'Block O'],
  ['Lan', 'Ian'],
  ['Arnold', 'Amold'],
  ['Корпус 3', 'Корпус З'],
  ['мир', 'мёр'],
  ['и', 'й'],
  ['🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
  ['1️⃣', '2️⃣'],
];

describe('lookOf()', () => {
  for (const [one, other] of alike) {
    test(`lookOf() is the same for ${one} and ${other}`, () => {
      expect(lookOf(other)).toBe(lookOf(one));
    });
  }
  for (const [one, other] of different) {
    test(`lookOf() tells ${one} from ${other}`, () => {
      expect(lookOf(other)).not.toBe(lookOf(one));
    });
  }

  test('lookOf() tells all letters of ASCII from each other', () => {
    const letters = '0123456789abcdefghijklmnopqrstuvwxyz_-.';
    expect(new Set([...letters].map(lookOf)).size).toBe(letters.length);
    expect(lookOf(letters)).toBe(letters);
  });
});

test('lookAlike() finds the name that it is taken for', () => {
  expect(lookAlike('\u0410nna', ['Ben', 'anna', 'Anna'])).toBe('anna');
  expect(lookAlike('Anne', ['Ben', 'anna'])).toBeUndefined();
});
