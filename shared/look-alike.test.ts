import { describe, expect, test } from 'bun:test';
import { lookAlike, looksOf } from './look-alike.ts';

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
  // By small letters whose capitals differ.
  ['ivan', 'i\u03bdan'],
  ['ruby', 'r\u03c5by'],
  ['ruby', 'rub\u03b3'],
  ['paul', '\u03c1aul'],
  ['lena', '\u04cfena'],
  ['Ivan', '\u04c0van'],
  ['Ivan', '\u04cfvan'],
  ['van', '\u0475an'],
  ['win', '\u0561i\u0578'],
  // As written: one letter by its capital form, another by its small one.
  ['Hv', '\u041d\u03bd'],
  // Digits of other scripts, a stroke that is a digit or a letter.
  ['Block 1', 'Block \u0661'],
  ['Block l', 'Block \u0661'],
  ['Block 3', 'Block \u0969'],
  ['Block 4', 'Block \u06f4'],
  // An "i" with and without its dot.
  ['\u0130stanbul', 'istanbul'],
  ['\u0130stanbul', '\u0131stanbul'],
  ['ISTANBUL', '\u0131stanbul'],
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

describe('lookAlike()', () => {
  for (const [one, other] of alike) {
    test(`lookAlike() takes ${one} for ${other}`, () => {
      expect(lookAlike(one, [other])).toBe(other);
      expect(lookAlike(other, [one])).toBe(one);
    });
  }
  for (const [one, other] of different) {
    test(`lookAlike() tells ${one} from ${other}`, () => {
      expect(lookAlike(one, [other])).toBeUndefined();
    });
  }

  for (const alphabet of ['0123456789abcdefghijklmnopqrstuvwxyz_-.', 'абвгдеёжзийклмнопрстуфхцчшщъыьэюя']) {
    test(`lookAlike() tells the letters ${alphabet.slice(0, 12)} from each other`, () => {
      const letters = [...alphabet];
      expect(letters.map((letter) => lookAlike(letter, letters))).toEqual(letters);
    });
  }
});

test('looksOf() is one look of a name in ASCII', () => {
  expect(looksOf('Anna_1')).toEqual(['anna_1']);
});

test('lookAlike() finds the name that it is taken for', () => {
  expect(lookAlike('\u0410nna', ['Ben', 'anna', 'Anna'])).toBe('anna');
  expect(lookAlike('Anne', ['Ben', 'anna'])).toBeUndefined();
});
