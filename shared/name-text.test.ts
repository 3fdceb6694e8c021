import { describe, expect, test } from 'bun:test';
import { isWord, nameProblem, normaliseName, withoutForbidden } from './name-text.ts';

/** Joiners and the like are written as escapes: they cannot be seen. */
const names = [
  ...['ЖК «Лето»', 'Nguyễn', 'O’Brien', 'שָׁלוֹם', 'กำแพง', '日本語', 'क्षेत्र', 'مُحَمَّدٌ', '...', '¿Qué?', '℃', 'a'],
  // Persian, Kurdish.
  ...[
    'می\u200cخواهم',
    'خانه\u200cهای ما',
    'کتاب\u200cخانه',
    'ه\u200d',
    'ه\u200d. ق',
    'اتاق\u200c۵',
    '۵\u200cتایی',
    '5\u200cتایی',
  ],
  // Sinhala, Malayalam, Hindi, Bengali, Telugu, Burmese, Tibetan.
  ...['ශ්\u200dරී ලංකා', 'කෝට්\u200dටේ', 'കൃഷ്ണന്\u200d', 'സോഫ്റ്റ്\u200cവെയർ', 'क्\u200dष'],
  ...['র\u200d্যাব', 'ক্\u200cষ', 'సాఫ్ట్\u200cవేర్', 'မြွှေ', 'རྐྱེན'],
  ...[
    '👍',
    '👍🏽',
    '❤️',
    '☎︎',
    '👨‍👩‍👧‍👦',
    '👩🏽‍💻',
    '🏳️‍🌈',
    '👁‍🗨',
    '🇷🇺',
    '1️⃣',
    '#️⃣',
    '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
    'Дом 🏡',
    '🏡'.repeat(64),
  ],
  // Which form of a character is meant.
  ...['葛\u{e0100}城', 'ᠠ\u180b'],
  ...['x'.repeat(100), 'a/b', '%2f', '.a', 'a..'],
];

const noNames: [what: string, name: string][] = [
  ['nothing', ''],
  ['blanks', ' \t\u3000'],
  ['a line separator', 'a\u2028b'],
  ['a paragraph separator at the end', 'a\u2029'],
  ['a line break', 'a\nb'],
  ['controls', 'a\0'],
  ['a control of Latin-1', 'a\u0085b'],
  ['the Hangul filler', '\u3164'],
  ['a Hangul choseong filler', 'a\u115f'],
  ['the half-width filler', '\uffa0'],
  ['an empty Braille pattern', '\u2800'],
  ['a soft hyphen', 'a\u00adb'],
  ['a byte order mark', '\ufeffa'],
  ['a zero width space', 'a\u200bb'],
  ['a word joiner', 'a\u2060b'],
  ['a grapheme joiner', 'a\u034fb'],
  ['tags', 'a\u{e0061}\u{e0062}'],
  ['tags on a flag that there is not', '🏴\u{e0061}\u{e0062}\u{e0063}\u{e007f}'],
  ['an override', 'a\u202eb'],
  ['an isolate', 'a\u2066b\u2069'],
  ['an Arabic letter mark', 'a\u061cb'],
  ['private use', '\ue000'],
  ['what is not assigned', '\u0378'],
  ['a noncharacter', '\uffff'],
  ['half a character', 'a\ud83d'],
  ['a joiner between Latin letters', 'a\u200db'],
  ['a non-joiner between Latin letters', 'a\u200cb'],
  ['a joiner between Cyrillic letters', 'ж\u200dк'],
  ['a joiner between digits', '1\u200d2'],
  ['two joiners', 'ب\u200c\u200cب'],
  ['a joiner alone', '\u200d'],
  ['a joiner at the end of an emoji', '👨\u200d'],
  ['a variation selector on a letter', 'a\ufe0f'],
  ['a variation selector on a digit', '1\ufe0f'],
  ['a pile of signs', `a${'\u0301'.repeat(6)}`],
  ['a pile of other signs', `Z\u0335\u0321\u033f\u0352\u0348`],
  ['a pile of signs of one script', `ก${'\u0e48'.repeat(7)}`],
  ['signs of Thai on a Latin letter', `a${'\u0e48'.repeat(6)}`],
  ['a sign of Hebrew on a Cyrillic letter', 'я\u05b4'],
  ['a sign of Thai on a digit', '1\u0e48'],
  ['a sign of Thai behind one of all scripts', 'a\u0301\u0e48'],
  ['half a flag', '\u{1f1f7}'],
  ['a flag and a half', '🇷🇺\u{1f1f7}'],
  ['two colours of a skin', '👍🏽🏽'],
  ['a colour of a skin alone', '🏽'],
  ['a replacement character', 'a\ufffd'],
  ['an empty note', '\u{1d159}'],
  ['a blank hieroglyph', '\u{13441}'],
  ['half a blank hieroglyph', 'a\u{13442}'],
  ['two joiners at the end', 'ه\u200d\u200d'],
  ['a non-joiner at the end', 'ه\u200c'],
  ['a joiner behind a digit', '5\u200d'],
  ['a sign on nothing', '\u0301a'],
  ['a sign on a blank', 'a \u0301'],
  ['101 characters', 'x'.repeat(101)],
  ['65 emoji', '🏡'.repeat(65)],
  ['a dot', '.'],
  ['two dots', '..'],
  ['an escaped dot', '%2e'],
  ['escaped dots', '.%2E'],
];

describe('nameProblem()', () => {
  for (const name of names) {
    test(`nameProblem() has nothing against ${name.slice(0, 40)}`, () => {
      expect(nameProblem(normaliseName(name))).toBeUndefined();
      expect(withoutForbidden(name)).toBe(name);
    });
  }
  for (const [what, name] of noNames) {
    test(`nameProblem() refuses ${what}`, () => {
      expect(nameProblem(normaliseName(name))).toBeString();
    });
  }
});

test('normaliseName() makes one form of each name', () => {
  for (const name of [...names, ...noNames.map(([, text]) => text)]) {
    const once = normaliseName(name);
    expect([once.normalize('NFC'), normaliseName(once), normaliseName(name.normalize('NFD'))]).toEqual([
      once,
      once,
      once,
    ]);
  }
  expect(normaliseName(' \u00a0Сад\u3000у\u202fреки\r\n')).toBe('Сад у реки');
});

test('withoutForbidden() leaves every other character', () => {
  expect(withoutForbidden('a\u202eb\u3164می\u200cخ\ud800👨‍👩‍👧\u200d')).toBe('a_b_می\u200cخ_👨‍👩‍👧_');
});

test('isWord() takes names that are one word', () => {
  const words = ['Anna', 'می\u200cخواهم', 'ශ්\u200dරී', 'കൃഷ്ണന്\u200d', '👨‍👩‍👧', '1️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'a.b-c_d', '7', '_'];
  expect(words.filter((word) => !isWord(word))).toEqual([]);
  const others = ['', 'a b', '-a', '.a', '#a', 'a#', '{"a":1}', 'a\u200db', '\u3164', '..', 'x'.repeat(65)];
  expect(others.filter(isWord)).toEqual([]);
});
