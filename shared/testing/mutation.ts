import type { Random } from './random.ts';

type Message = Readonly<Record<string, unknown>>;

const deep = (open: string, inside: string, close: string, levels: number): string =>
  open.repeat(levels) + inside + close.repeat(levels);

/** JSON text that may stand where a field's value stood. Not all of it is JSON. */
export const oddValues: readonly [string, ...string[]] = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '1',
  '1.5',
  '-1',
  '9007199254740993',
  '1e308',
  '1e400',
  '-1e400',
  'NaN',
  'Infinity',
  'undefined',
  '""',
  '" "',
  '"0"',
  '"1"',
  '"-1"',
  '"1e3"',
  '"Foo"',
  '"Foo1"',
  '"Foo99999999999999999999999999"',
  '"007"',
  '"__proto__"',
  '"constructor"',
  '"hasOwnProperty"',
  '"<img src=x onerror=alert(1)>"',
  '"\\ud800"',
  '"\\udfff\\ud800"',
  '"\\u0000"',
  '"\\u202e\\u2066abc"',
  '"\u2028\u2029"',
  '"\\r\\nm=application 9 x y\\r\\n"',
  `"${'x'.repeat(5_000)}"`,
  `"${'\u{1f600}'.repeat(2_000)}"`,
  `"${'9'.repeat(5_000)}"`,
  '[]',
  '[null]',
  '["Foo"]',
  '{}',
  '{"toString":1}',
  '{"__proto__":{"polluted":true}}',
  '{"length":-1}',
  '{"type":"config"}',
  deep('[', '', ']', 500),
  deep('{"a":', '1', '}', 500),
];

const text = (fields: readonly (readonly [string, string])[]): string =>
  `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;

const fieldsOf = (message: Message): [string, string][] =>
  Object.entries(message).map(([name, value]) => [name, JSON.stringify(value)]);

const isObject = (value: unknown): value is Message => typeof value === 'object' && value !== null;

/** Every field gone once, and every odd value in its place; fields of objects inside likewise. */
const fieldMutations = (message: Message): string[] => {
  const fields = fieldsOf(message);
  return fields.flatMap(([name], at) => {
    const replace = (value: string) => text(fields.with(at, [name, value]));
    const value = message[name];
    return [
      text(fields.toSpliced(at, 1)),
      ...oddValues.map(replace),
      ...(isObject(value) ? fieldMutations(value).map(replace) : []),
    ];
  });
};

/** The whole message made odd. */
const wholeMutations = (message: Message): string[] => {
  const fields = fieldsOf(message);
  const whole = text(fields);
  const extra = (name: string, value: string) => text([...fields, [name, value]]);
  return [
    '',
    ' ',
    'null',
    '[]',
    '{}',
    `[${whole}]`,
    `"${JSON.stringify(whole).slice(1, -1)}"`,
    JSON.stringify(fields.flat()),
    `${whole}${whole}`,
    `${whole},`,
    `\ufeff${whole}`,
    ` \n\t${whole}\r\n`,
    whole.slice(0, -1),
    whole.slice(1),
    whole.slice(0, whole.length / 2),
    whole.replaceAll('"', "'"),
    whole.replaceAll(':', ' = '),
    `/* */${whole}`,
    `${whole}\u0000`,
    text([...fields, ...fields]),
    text(fields.toReversed()),
    text(fields.map(([name, value]) => [name.toUpperCase(), value])),
    text(fields.map(([name, value]) => [`${name} `, value])),
    text([['verb', '"ping"'], ...fields]),
    text([...fields, ['type', '"ping"']]),
    text([...fields, ['type', 'null']]),
    extra('__proto__', '{"polluted":true}'),
    extra('constructor', '{"prototype":{"polluted":true}}'),
    extra('toJSON', '1'),
    extra('', '""'),
    extra('\u0000', '"\\u0000"'),
    extra('\ud800', '"\\ud800"'),
    extra('x'.repeat(5_000), '1'),
    extra('playerId', '1'),
    extra('playerId', '-0'),
    extra('playerId', '1.5'),
    extra('playerId', '9007199254740993'),
    extra('playerId', '"Foo1"'),
    extra('sfu', '"yes"'),
    extra('code', '4001'),
    extra('deep', deep('[', '', ']', 5_000)),
    extra('deep', deep('{"a":', '1', '}', 5_000)),
    text([...fields, ...Array.from({ length: 1_000 }, (_, at): [string, string] => [`k${at}`, '1'])]),
  ];
};

/** What a message can be bent into by rule: at least forty texts for the smallest. */
export const structuralMutations = (message: Message): string[] => [
  ...wholeMutations(message),
  ...fieldMutations(message),
];

const randomText = (random: Random): string =>
  String.fromCharCode(...Array.from({ length: random.below(8) }, () => random.below(0x1_0000)));

const characters = ['"', '{', '}', '[', ']', ',', ':', '\\', '\u0000', '1', 'e', '-', '.', ' '] as const;

const edits: readonly [
  (input: string, at: number, random: Random) => string,
  ...((input: string, at: number, random: Random) => string)[],
] = [
  (input, at) => input.slice(0, at),
  (input, at) => input.slice(at),
  (input, at) => input.slice(0, at) + input.slice(at + 1),
  (input, at, random) => input.slice(0, at) + random.pick(characters) + input.slice(at),
  (input, at, random) => input.slice(0, at) + random.pick(characters) + input.slice(at + 1),
  (input, at, random) => input.slice(0, at) + randomText(random) + input.slice(at),
  (input, at) => input.slice(0, at) + input.slice(0, at) + input.slice(at),
  (input, at) => input.slice(at) + input.slice(0, at),
];

const bend = (fields: [string, string][], random: Random): [string, string][] => {
  const at = random.below(fields.length);
  const [name, value] = fields[at] ?? ['type', '"ping"'];
  const ways: readonly [() => [string, string][], ...(() => [string, string][])[]] = [
    () => fields.toSpliced(at, 1),
    () => fields.with(at, [name, random.pick(oddValues)]),
    () => fields.toSpliced(at, 0, [name, random.pick(oddValues)]),
    () => [...fields, [randomText(random), random.pick(oddValues)]],
    () => [...fields, ['playerId', random.pick([`${random.below(100)}`, `"${random.below(100)}"`])]],
    () => fields.with(at, [name, `[${value}]`]),
    () => fields.toReversed(),
  ];
  return random.pick(ways)();
};

/**
 * A message bent at random: up to three changes to its fields, in one of four then a change to its text, and in one of
 * sixteen raw bytes that need not be UTF-8.
 */
export const randomMutation = (message: Message, random: Random): string | Uint8Array<ArrayBuffer> => {
  let fields = fieldsOf(message);
  for (let left = random.below(4); left > 0 && fields.length > 0; left--) fields = bend(fields, random);
  const whole = text(fields);
  const bent =
    random.below(4) === 0 ? random.pick(edits)(whole, random.below(whole.length + 1), random) : whole;
  if (random.below(16) > 0) return bent;
  const bytes = new TextEncoder().encode(bent);
  if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
};
