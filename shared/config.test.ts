import { describe, expect, test } from 'bun:test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { describeProblem, editConfig, parseConfig, readConfig } from './config.ts';
import { nameSchema, wholeNumberSchema } from './protocol/names.ts';

const schema = z.strictObject({
  server_name: nameSchema,
  seats: wholeNumberSchema(1, 16),
  apps: z.array(z.strictObject({ rc_name: nameSchema, arguments: z.array(z.string()).optional() })),
});

const good = { server_name: 'Host', seats: 2, apps: [{ rc_name: 'Loft' }] };

/** "line key" of every problem. */
const places = (text: string): string[] => {
  const parsed = parseConfig(text, 'config.json', schema);
  return 'problems' in parsed ? parsed.problems.map(({ line, key }) => `${line} ${key}`.trim()) : [];
};
const texts = (text: string): string[] => {
  const parsed = parseConfig(text, 'config.json', schema);
  return 'problems' in parsed ? parsed.problems.map((problem) => problem.text) : [];
};

describe('parseConfig()', () => {
  test('parseConfig() reads JSON against its schema', () => {
    expect(parseConfig(JSON.stringify(good), 'config.json', schema)).toEqual({ value: good });
  });

  test('parseConfig() takes a BOM, CRLF, comments, trailing commas and numbers as strings', () => {
    const text = [
      '\uFEFF{',
      '  // the host',
      '  "server_name": "Host", /* as in servers.json */',
      '  "seats": "2",',
      '  "apps": [{ "rc_name": " Loft " },],',
      '}',
    ].join('\r\n');
    expect(parseConfig(text, 'config.json', schema)).toEqual({ value: good });
  });

  const broken: [kind: string, text: string, places: string[]][] = [
    ['an empty file', '', ['1']],
    ['a file of blanks', '\n\n  ', ['1']],
    ['a file of comments', '// nothing', ['1']],
    ['a missing brace', '{\n"server_name": "Host"', ['2']],
    ['a missing comma', '{\n"server_name": "Host"\n"seats": 2,\n"apps": []}', ['3']],
    ['an unquoted key', '{\nserver_name: "Host"}', ['2', '2', '2']],
    ['text after the end', '{}\n{}', ['2']],
    ['a string that is not closed', '{"server_name": "Host\n}', ['1']],
    ['the wrong root', '[]', ['1']],
    ['null', 'null', ['1']],
    ['a missing key', '{\n"server_name": "Host",\n"seats": 2\n}', ['1 apps']],
    [
      'a missing key in an array',
      '{"server_name": "H", "seats": 2, "apps": [\n{},\n{}]}',
      ['2 apps[0].rc_name', '3 apps[1].rc_name'],
    ],
    ['a wrong type', '{"server_name": 1,\n"seats": 2,\n"apps": {}\n}', ['1 server_name', '3 apps']],
    ['an empty name', '{\n"server_name": "  ",\n"seats": 2, "apps": []}', ['2 server_name']],
    ['digits that are none', '{"server_name": "H",\n"seats": "two", "apps": []}', ['2 seats']],
    ['a number out of range', '{"server_name": "H",\n\n"seats": 17, "apps": []}', ['3 seats']],
    ['a fraction', '{"server_name": "H",\n"seats": 1.5, "apps": []}', ['2 seats']],
    ['an unknown key', '{"server_name": "H", "seats": 2,\n"apps": [],\n"seat": 3}', ['3 seat']],
    [
      'two unknown keys in one object',
      '{"server_name": "H", "seats": 2, "apps": [],\n"a": 1,\n"b": {"c": 2}}',
      ['2 a', '3 b'],
    ],
    ['a repeated key', '{"server_name": "H", "seats": 2, "apps": [],\n"seats": 3}', ['2 seats']],
    [
      'a repeated key deep inside',
      '{"server_name": "H", "seats": 2, "apps": [{"rc_name": "A"}, {"rc_name": "B",\n"rc_name": "C"}]}',
      ['2 apps[1].rc_name'],
    ],
    ['an own "__proto__"', '{"server_name": "H", "seats": 2, "apps": [],\n"__proto__": {}}', ['2 __proto__']],
    [
      'several at once',
      '{\n"server_name": "",\n"seats": 0,\n"apps": [{"rc_name": "A",\n"args": []}],\n"seats": 0\n}',
      ['6 seats', '2 server_name', '3 seats', '5 apps[0].args'],
    ],
    [
      'CRLF lines',
      '{\r\n"server_name": "",\r\n"seats": 2,\r\n"apps": [1]\r\n}',
      ['2 server_name', '4 apps[0]'],
    ],
    ['a BOM', '\uFEFF{\n"server_name": "",\n"seats": 2, "apps": []}', ['2 server_name']],
  ];
  for (const [kind, text, expected] of broken) {
    test(`parseConfig() names line and key: ${kind}`, () => {
      expect(places(text)).toEqual(expected);
    });
  }

  test('parseConfig() says what is wrong in words a person can act on', () => {
    expect(texts('{\n"server_name": "",\n"seats": "x",\n"apps": [],\n"seat": 1,\n"seat": 1}')).toEqual([
      'this key stands twice in the same object',
      'must not be empty',
      'digits only',
      'is not a key that belongs here',
    ]);
    expect(texts('{"server_name" "H"}')).toContain('not valid JSON (ColonExpected)');
    expect(texts('')).toEqual(['the file is empty']);
  });

  test('parseConfig() says of a key that is not there that it is missing, and of a wrong type which one is wanted', () => {
    expect(texts('{ "apps": [{}] }')).toEqual([
      'is missing: a text in quotes',
      'is missing: a whole number',
      'is missing: a text in quotes',
    ]);
    expect(texts('{ "server_name": 7, "seats": [], "apps": {} }')).toEqual([
      'must be a text in quotes',
      'must be a whole number',
      'must be a list, [ ]',
    ]);
  });

  test('parseConfig() never puts a key on a prototype', () => {
    const loose = z.looseObject({});
    expect(parseConfig('{"__proto__": {"polluted": 1}}', 'config.json', loose)).toHaveProperty('value');
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});

describe('describeProblem()', () => {
  const file = 'servers.json';
  const rows: [key: string, sentence: string][] = [
    ['', 'servers.json:12: must not be empty'],
    ['[0].rc_info', 'servers.json:12 [0].rc_info: must not be empty'],
  ];
  for (const [key, sentence] of rows) {
    test(`describeProblem() writes one line: "${sentence}"`, () => {
      expect(describeProblem({ file, line: 12, key, text: 'must not be empty' })).toBe(sentence);
    });
  }
});

describe('readConfig()', () => {
  test('readConfig() reads a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vitrina-config-'));
    const file = join(folder, 'config.json');
    await writeFile(file, JSON.stringify(good));
    const read = await readConfig(file, schema);
    await rm(folder, { recursive: true });
    expect(read).toEqual({ value: good });
  });

  for (const [what, path] of [
    ['does not exist', join(tmpdir(), 'vitrina-no-such-file.json')],
    ['is a folder', tmpdir()],
  ] as const) {
    test(`readConfig() reports a file that ${what} as a problem`, async () => {
      const read = await readConfig(path, schema);
      expect(read).toMatchObject({ problems: [{ file: path, line: 1, key: '' }] });
      expect(JSON.stringify(read)).toContain('cannot be read');
    });
  }
});

describe('editConfig()', () => {
  test('editConfig() changes one value and leaves comments, order and the rest as they are', () => {
    const text = '{\n  // first\n  "a": 1, // one\n  "list": [\n    "x", // ex\n  ],\n}\n';
    expect(editConfig(text, ['a'], 2)).toBe(text.replace('1,', '2,'));
    const grown = editConfig(text, ['list', 1], { b: true });
    expect(grown).toContain('// ex');
    expect(parseConfig(grown, 'f', z.looseObject({}))).toEqual({ value: { a: 1, list: ['x', { b: true }] } });
    const shrunk = editConfig(grown, ['list', 0], undefined);
    expect(parseConfig(shrunk, 'f', z.looseObject({}))).toEqual({ value: { a: 1, list: [{ b: true }] } });
    expect(parseConfig(editConfig('{}', ['new'], [1]), 'f', z.looseObject({}))).toEqual({
      value: { new: [1] },
    });
  });
});
