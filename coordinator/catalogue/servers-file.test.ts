import { describe, expect, test } from 'bun:test';
import { describeProblem, parseConfig } from '../../shared/config.ts';
import { silentKeys } from '../../shared/testing/wrong-types.ts';
import { hashOf } from '../kit/secrets.ts';
import { entry } from '../testing/store.ts';
import { serversFileSchema } from './servers-file.ts';

const parse = (content: unknown) =>
  parseConfig(
    typeof content === 'string' ? content : JSON.stringify(content, null, 1),
    'servers.json',
    serversFileSchema,
  );

const problems = (content: unknown): string[] => {
  const parsed = parse(content);
  return 'problems' in parsed ? parsed.problems.map(describeProblem) : [];
};

/** The example of the first design, as it stands there. */
const firstDesign = `[{"server_name":"SomeName1","ip":"0.0.0.0","port":"111","key":"1234567890123456","rc_info":{"rc_name":"SomeRC",
  "info":{"deskription":[{"en":"best RC and ..."},{"ru":"\\u0416\\u041a"}]}}}]`;

describe('serversFileSchema()', () => {
  test('serversFileSchema() reads the first design, with its spelling and numbers as strings', () => {
    const parsed = parse(firstDesign);
    if (!('value' in parsed)) throw new Error(problems(firstDesign).join());
    expect(parsed.value.servers).toEqual([
      {
        server_name: 'SomeName1',
        ip: '0.0.0.0',
        port: '111',
        rc_info: {
          rc_name: 'SomeRC',
          info: { description: [{ en: 'best RC and ...' }, { ru: '\u0416\u041a' }] },
        },
      },
    ]);
    expect(parsed.value.apps.get('SomeRC')).toMatchObject({
      description: { en: 'best RC and ...', ru: '\u0416\u041a' },
      hosts: ['SomeName1'],
    });
  });

  test('serversFileSchema() gathers the hosts of an app and the apps of a host, and keeps keys as digests', () => {
    const parsed = parse([
      entry('a', 'Loft', { title: [{ en: 'First' }] }),
      entry('b', 'Loft', { title: [{ en: 'Second', ru: 'R' }], picture: 'loft.png' }),
      { ...entry('a', 'Villa'), key: undefined },
    ]);
    if (!('value' in parsed)) throw new Error('broken');
    const { apps, hosts, servers } = parsed.value;
    expect(apps.get('Loft')).toEqual({
      name: 'Loft',
      title: { en: 'First', ru: 'R' },
      description: { en: 'About Loft' },
      picture: 'loft.png',
      settings: {},
      hosts: ['a', 'b'],
    });
    expect(apps.get('Villa')?.hosts).toEqual(['a']);
    expect(hosts.get('a')?.key_hash).toBe(hashOf('the-secret-key-of-a'));
    expect(JSON.stringify([...servers, ...apps.values()])).not.toContain('key-of');
  });

  const broken: [what: string, content: unknown, problem: RegExp][] = [
    [
      'a host without a key',
      [{ ...entry('a', 'Loft'), key: undefined }],
      /^servers.json:2 \[0\].key: no entry of this server_name has a key/,
    ],
    [
      'two keys of one host',
      [entry('a', 'Loft'), { ...entry('a', 'Villa'), key: 'another-key-of-this-host' }],
      /\[1\].key: differs from the key/,
    ],
    [
      'an app twice on a host',
      [entry('a', 'Loft'), entry('a', 'Loft')],
      /\[1\].rc_info.rc_name: this host has the app already/,
    ],
    ['a short key', [{ ...entry('a', 'Loft'), key: 'short' }], /\[0\].key: 16 to 200 letters/],
    [
      'a key with a space',
      [{ ...entry('a', 'Loft'), key: 'two words of a secret' }],
      /\[0\].key: 16 to 200 letters/,
    ],
    ['no description', [entry('a', 'Loft', { description: undefined })], /description: is missing/],
    ['two descriptions', [entry('a', 'Loft', { deskription: [] })], /deskription: repeats description/],
    [
      'a picture outside pictures/',
      [entry('a', 'Loft', { picture: '../servers.json' })],
      /picture: the name of a picture/,
    ],
    ['a hidden picture', [entry('a', 'Loft', { picture: '.png' })], /picture: the name of a picture/],
    ['an unknown key', [{ ...entry('a', 'Loft'), seats: 2 }], /\[0\].seats/],
    ['a port that is none', [{ ...entry('a', 'Loft'), port: '70000' }], /\[0\].port/],
    ['no array', {}, /^servers.json:1: /],
    ['no JSON', '[\n{"server_name": }\n]', /^servers.json:2: not valid JSON/],
  ];
  for (const [what, content, problem] of broken) {
    test(`serversFileSchema() refuses ${what} with its place`, () => {
      expect(problems(content).join('\n')).toMatch(problem);
    });
  }
});

test('serversFileSchema() says of each key what it wants', () => {
  expect(silentKeys(serversFileSchema)).toEqual([]);
});
