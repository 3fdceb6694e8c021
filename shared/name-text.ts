/** What may stand in a name that people give: of an account, an app, a host, a peer or a channel, in any language. */

/** Code points of a name, and its UTF-16 units, of which an emoji has two or more: the columns of the database hold those. */
const most_characters = 100;
const most_units = 128;
/** Signs on one letter: three of those that go with every script, six with those of its own (Tibetan and Burmese stack). */
const marks_most = 6;
const common_marks_most = 3;

/** Scripts in which U+200C and U+200D change how letters join (The Unicode Standard, 9 and 12 to 16; UTS #46, CONTEXTJ). */
const joinedScripts = [
  ...['Arabic', 'Syriac', 'Mandaic', 'Nko', 'Mongolian', 'Phags_Pa', 'Adlam', 'Hanifi_Rohingya', 'Sogdian'],
  ...['Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu', 'Kannada', 'Malayalam'],
  ...['Sinhala', 'Myanmar', 'Khmer', 'Tibetan', 'Balinese', 'Javanese', 'Sundanese', 'Chakma', 'Newa'],
  ...['Meetei_Mayek', 'Grantha', 'Tirhuta', 'Sharada', 'Saurashtra', 'Limbu', 'Tai_Tham', 'Kaithi', 'Modi'],
];
const joined = `[${joinedScripts.map((name) => String.raw`\p{scx=${name}}`).join('')}]`;
/** Scripts in which letters bear signs of their own script or of all scripts; what has none, as digits, only the latter. */
const signedScripts = [
  ...joinedScripts,
  ...[
    'Latin',
    'Greek',
    'Cyrillic',
    'Armenian',
    'Georgian',
    'Hebrew',
    'Thai',
    'Lao',
    'Han',
    'Hiragana',
    'Katakana',
  ],
  ...['Hangul', 'Ethiopic', 'Cherokee', 'Thaana', 'Common'],
];
const foreignSigns = new RegExp(
  signedScripts
    .map((name) => String.raw`(?!\p{M})\p{scx=${name}}\p{M}*(?!\p{scx=${name}}|\p{Script=Inherited})\p{M}`)
    .join('|'),
  'u',
);
/** Signs of the combining class "virama": after them a joiner says how the conjunct is drawn, also at the end. */
const virama =
  '[\\u094d\\u09cd\\u0a4d\\u0acd\\u0b4d\\u0bcd\\u0c4d\\u0ccd\\u0d3b\\u0d3c\\u0d4d\\u0dca\\u0f84\\u1039\\u103a\\u17d2\\u1a60\\u1b44\\u1baa\\u1bab\\ua8c4\\ua9c0\\uaaf6\\uabed\\u{11046}\\u{110b9}\\u{11133}\\u{11134}\\u{111c0}\\u{1134d}\\u{11442}\\u{114c2}\\u{1163f}]';
const joiner = '[\\u200c\\u200d]';

const flag = '\\p{RI}\\p{RI}';
const keycap = '[0-9#*]\\ufe0f?\\u20e3';
/** The three flags that Unicode recommends: England, Scotland, Wales. Other tags are invisible text. */
const tags = ['gbeng', 'gbsct', 'gbwls'].map((letters) =>
  [...letters].map((letter) => String.fromCodePoint(0xe0000 + (letter.codePointAt(0) ?? 0))).join(''),
);
const tagFlag = `\\u{1f3f4}(?:${tags.join('|')})\\u{e007f}`;
const picture = '\\p{Extended_Pictographic}(?:\\p{EMod}|[\\ufe0e\\ufe0f])?';
/** An emoji as UTS #51 writes them: a flag, a keycap, a picture, or pictures that are joined. */
const emoji = `(?:${flag}|${keycap}|${tagFlag}|${picture}(?:\\u200d${picture})*)`;

/** Characters that are invisible where they stand alone, each in the surroundings in which they mean something. */
const sense = [
  emoji,
  `(?=[\\p{L}\\p{M}\\p{Nd}])${joined}${joiner}(?=[\\p{L}\\p{Nd}])(?=${joined})`,
  // Persian: a word and a number that belong together; a letter that keeps its joining form, as in abbreviations.
  `(?=[\\p{L}\\p{M}])\\p{scx=Arabic}(?:\\u200c(?=[0-9])|\\u200d(?![\\p{L}\\p{M}\\u200c\\u200d]))`,
  `[0-9]\\u200c(?=\\p{L})(?=\\p{scx=Arabic})`,
  `${virama}${joiner}`,
  // Bengali, Kannada: a joiner before the virama.
  `(?=\\p{L})${joined}${joiner}(?=${virama})`,
  // How a Chinese character, a letter of Mongolian or of Burmese is drawn.
  '\\p{Script=Han}[\\ufe00-\\ufe02\\u{e0100}-\\u{e01ef}]',
  '\\p{Script=Mongolian}[\\u180b-\\u180d\\u180f]',
  '\\p{Script=Mongolian}\\u180e(?=\\p{Script=Mongolian})',
  '\\p{Script=Myanmar}\\ufe00',
].join('|');

/**
 * Controls, half characters, what is private or not assigned, ends of lines, and whatever shows nothing: blank patterns and
 * signs of Braille, Khitan, music and hieroglyphs. Halves of flags, colours of a skin, and what stands for an unreadable
 * character mean nothing alone.
 */
const forbidden =
  '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\p{RI}\\p{EMod}\\u2800\\ufffc\\ufffd\\u{13440}-\\u{13442}\\u{16fe4}\\u{1d159}\\u{1d15a}]';

const pieces = new RegExp(`(${sense})|${forbidden}`, 'gu');
const sequence = new RegExp(emoji, 'gu');
const stacked = new RegExp(
  `\\p{M}{${marks_most + 1}}|(?:(?=\\p{M})\\p{Script=Inherited}){${common_marks_most + 1}}`,
  'u',
);

/** The text with `_` for everything that no name may hold. */
export const withoutForbidden = (text: string): string =>
  text.replace(pieces, (_, meant: string | undefined) => meant ?? '_');

/** The form in which names are kept and compared: NFC, one kind of blank, none around it. */
export const normaliseName = (text: string): string =>
  text
    .normalize('NFC')
    .replace(/\p{Zs}/gu, ' ')
    .replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');

/** What is wrong with the length of a normalised name, for its writer; undefined when nothing is. */
export const lengthProblem = (name: string): string | undefined => {
  if (name === '') return 'must not be empty';
  return [...name].length > most_characters || name.length > most_units
    ? `at most ${most_characters} characters; an emoji counts as two or more`
    : undefined;
};

/** What is wrong with a normalised name, for its writer; undefined when nothing is. */
export const nameProblem = (name: string): string | undefined => {
  const length = lengthProblem(name);
  if (length !== undefined) return length;
  if (withoutForbidden(name) !== name) return 'must not hold control characters, or others that show nothing';
  // A path would lose them, in each way to write them.
  if (/^(?:\.|%2e){1,2}$/i.test(name)) return 'must not be "." or "..": no address can hold it';
  const letters = name.replace(sequence, 'x');
  if (/(?:^|\s)\p{M}/u.test(letters)) return 'must not begin with a sign that belongs onto a letter';
  if (foreignSigns.test(letters)) return 'must not put signs of one script onto letters of another';
  return stacked.test(letters) ? 'must not pile signs onto a letter' : undefined;
};

/** Code points of a peer's or a channel's name. */
export const word_characters = 64;

/** Whether a normalised name is one word of letters, digits, emoji, "_", "-" and ".", as commands take it. */
export const isWord = (name: string): boolean =>
  [...name].length <= word_characters &&
  nameProblem(name) === undefined &&
  /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.-]*$/u.test(name.replace(sequence, '7').replace(/[\u200c\u200d]/g, ''));
