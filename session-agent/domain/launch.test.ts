import { expect, test } from 'bun:test';
import {
  appArguments,
  baseEnvironment,
  type LaunchValues,
  type Placeholder,
  sessionPlaceholder,
  signallingCommand,
  takesStreamerUrl,
  unknownPlaceholders,
} from './launch.ts';

const values = {
  streamer_url: 'ws://127.0.0.1:18001',
  streamer_id: 'vitrina-abc',
  streamer_port: '18001',
  session_id: 'abc',
  width: '1280',
  height: '720',
  gpu: '1',
  language: 'en',
} satisfies LaunchValues;

const fill = (templates: string[], given: LaunchValues = values) =>
  appArguments({ arguments: templates }, given);

test("appArguments() appends Unreal's own two when no argument names the streamer's address", () => {
  expect(fill(['-RenderOffscreen', '-ResX={width}', '-ResY={height}'])).toEqual([
    '-RenderOffscreen',
    '-ResX=1280',
    '-ResY=720',
    '-PixelStreamingURL=ws://127.0.0.1:18001',
    '-PixelStreamingID=vitrina-abc',
  ]);
});

test('appArguments() leaves the vector alone when an argument names the address', () => {
  for (const [template, filled] of [
    ['-PixelStreamingConnectionURL={streamer_url}', '-PixelStreamingConnectionURL=ws://127.0.0.1:18001'],
    ['-p={streamer_port}', '-p=18001'],
  ]) {
    expect(fill([template ?? ''])).toEqual([filled ?? '']);
  }
});

test('appArguments() fills in the preset of the engine, with the card where cards are listed', () => {
  const app = { engine: '5.7', arguments: ['-culture={language}', '-run={session_id}'] };
  const { gpu, ...no_card } = values;
  const expected = (card: string) =>
    `-RenderOffscreen -ForceRes -ResX=1280 -ResY=720 -AudioMixer -Unattended ${card}` +
    '-PixelStreamingConnectionURL=ws://127.0.0.1:18001 -PixelStreamingID=vitrina-abc -culture=en -run=abc';
  for (const [given, card] of [[values, `-graphicsadapter=${gpu} `] as const, [no_card, ''] as const]) {
    const filled = appArguments(app, given);
    expect(Array.isArray(filled) && filled.join(' ')).toBe(expected(card));
  }
});

test('appArguments() keeps what looks like a shell as it is: one argument stays one', () => {
  const raw = ['$(reboot) ; "x" && y', '{streamer_url}'];
  expect(fill(raw)).toEqual(['$(reboot) ; "x" && y', 'ws://127.0.0.1:18001']);
});

const wrong: Record<Placeholder, string[]> = {
  streamer_url: [
    '',
    'ws://127.0.0.1',
    'ws://10.0.0.1:80',
    'wss://127.0.0.1:1',
    'ws://127.0.0.1:0',
    'ws://127.0.0.1:70000',
    'ws://127.0.0.1:1/x',
    'ws://127.0.0.1:1 -x',
    'ws://127.0.0.1:1\n',
  ],
  streamer_id: ['', 'a b', 'a=b', 'a"b', 'ö', 'a'.repeat(81), '..'],
  streamer_port: ['', '0', '65536', '-1', '80 ', '0x50', '1e3'],
  session_id: [
    'a b',
    '',
    'a"b',
    '$(x)',
    'a\nb',
    'ö',
    'a;b',
    'a'.repeat(65),
    '`x`',
    "a'b",
    'a=b',
    'a/b',
    'a\\b',
    '.',
    '..',
    '...',
    'x-ExecCmds',
    'x-allowpixelstreamingCOMMANDS',
    'a\u0000',
    '%PATH%',
    '{width}',
  ],
  width: ['', '0', '01', '-1', '1280.5', '999999', ' 1', '12a'],
  height: ['', '7', '720\n', '٧٢٠'],
  gpu: ['', '-1', '64', '0x1', '1 '],
  language: ['', 'EN', 'english', 'en_US', 'en-us', '-en', 'e n'],
};
for (const [name, texts] of Object.entries(wrong)) {
  for (const text of texts) {
    test(`appArguments() refuses ${JSON.stringify(text.slice(0, 30))} as ${name}`, () => {
      expect(fill([`-Value={${name}}`, '{streamer_url}'], { ...values, [name]: text })).toEqual({
        refused: 'malformed',
        detail: `${name} is not what it should be`,
      });
    });
  }
}

test('appArguments() looks only at the values that are asked for', () => {
  expect(fill(['{streamer_url}'], { ...values, session_id: ' ', language: '' })).toEqual([
    'ws://127.0.0.1:18001',
  ]);
  const { gpu: _, ...no_card } = values;
  expect(fill(['-card={gpu}'], no_card)).toEqual({ refused: 'malformed', detail: 'gpu has no value' });
  expect(fill(['-x={constructor}'])).toEqual({ refused: 'malformed', detail: 'constructor has no value' });
});

test('appArguments() refuses a value that would become an option', () => {
  const session_id = '-run';
  expect(fill(['{session_id}', '{streamer_url}'], { ...values, session_id })).toEqual({
    refused: 'malformed',
    detail: 'session_id would begin an argument with "-" or "/"',
  });
  expect(fill(['-Session={session_id}', '{streamer_url}'], { ...values, session_id })).toEqual([
    '-Session=-run',
    'ws://127.0.0.1:18001',
  ]);
});

test('appArguments() fills in once: what a value says is not looked at again', () => {
  expect(fill(['{streamer_id}{session_id}', '{streamer_url}'], { ...values, streamer_id: 'a.b' })).toEqual([
    'a.babc',
    'ws://127.0.0.1:18001',
  ]);
});

test('signallingCommand() is a vector with the ports filled in, and all else as it is written', () => {
  const server = {
    path: '/opt/Pixel Streaming/wilbur',
    arguments: [
      '--player_port={player_port}',
      '--streamer_port',
      '{streamer_port}',
      '{sfu_port}',
      '{width} "a b"',
    ],
  };
  expect(signallingCommand(server, { player_port: 1, streamer_port: 2, sfu_port: 3 })).toEqual([
    '/opt/Pixel Streaming/wilbur',
    '--player_port=1',
    '--streamer_port',
    '2',
    '3',
    '{width} "a b"',
  ]);
});

test('unknownPlaceholders() names what is no placeholder', () => {
  expect(unknownPlaceholders('-A={streamer_url} -B={card} {}{Width}')).toEqual(['card']);
  expect(unknownPlaceholders('{sfu_port}{streamer_url}', ['sfu_port'])).toEqual(['streamer_url']);
});

test('sessionPlaceholder() finds what only a session can tell', () => {
  expect(sessionPlaceholder(['-a={streamer_id}', '-b={width}'])).toBeUndefined();
  expect(sessionPlaceholder(['-a', '-b={language}'])).toBe('language');
});
test("baseEnvironment() passes on the machine's variables and none of the agent's", () => {
  const env = {
    PATH: '/bin',
    DISPLAY: ':0',
    VITRINA_KEY: 'secret',
    AWS_SECRET_ACCESS_KEY: 'x',
    HOME: undefined,
  };
  expect(baseEnvironment(env)).toEqual({ PATH: '/bin', DISPLAY: ':0' });
});
test('baseEnvironment() passes on what programs of Windows are used to, however it is spelled', () => {
  const env = {
    Path: 'C:\\Windows',
    SYSTEMROOT: 'C:\\Windows',
    'CommonProgramFiles(x86)': 'C:\\Common',
    ProgramW6432: 'C:\\Program Files',
    PUBLIC: 'C:\\Public',
    PROCESSOR_IDENTIFIER: 'Intel64',
    HOMEPATH: '\\',
  };
  const { Path, SYSTEMROOT, ...rest } = env;
  expect(baseEnvironment({ ...env, Vitrina_Key: 'secret' })).toEqual({
    PATH: Path,
    SystemRoot: SYSTEMROOT,
    ...rest,
  });
});

for (const [templates, takes] of [
  [[], true],
  [['-PixelStreamingURL={streamer_url}'], true],
  [['-PixelStreamingConnectionURL={streamer_url}', '-p={streamer_port}'], true],
  [['-PixelStreamingURL={streamer_url}/room'], false],
  [['-PixelStreamingURL={streamer_url}', '-also={streamer_url}/room'], false],
  [['-PixelStreamingIP=127.0.0.1', '-PixelStreamingPort={streamer_port}'], false],
  [['-PixelStreamingURL=ws://127.0.0.1:{streamer_port}'], false],
] as const) {
  test(`takesStreamerUrl() is ${takes} for ${JSON.stringify(templates)}`, () => {
    expect(takesStreamerUrl({ arguments: templates })).toBe(takes);
    expect(takesStreamerUrl({ engine: '4.27', arguments: templates })).toBe(takes);
  });
}

test('appArguments() takes a streamer address with a token of ours, and no other query', () => {
  const url = `ws://127.0.0.1:18001/?token=${'0f'.repeat(32)}`;
  expect(fill(['{streamer_url}'], { ...values, streamer_url: url })).toEqual([url]);
  for (const bad of [`${url}0`, `${url}&x=1`, 'ws://127.0.0.1:18001/?token=', `${url} -ExecCmds=quit`]) {
    expect(fill(['{streamer_url}'], { ...values, streamer_url: bad })).toMatchObject({
      refused: 'malformed',
    });
  }
});
