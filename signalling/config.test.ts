import { expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodings } from '../shared/testing/encodings.ts';
import { silentKeys } from '../shared/testing/wrong-types.ts';
import { loadConfig } from './config.ts';
import { helpText, optionNames, optionsSchema, secretFiles } from './options.ts';

/** The path of a file with that content, in a folder of its own that goes away afterwards. */
const withFile = async <T>(
  content: string | Uint8Array<ArrayBuffer>,
  run: (file: string) => Promise<T>,
): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'vitrina-'));
  try {
    await Bun.write(join(folder, 'file'), content);
    return await run(join(folder, 'file'));
  } finally {
    await rm(folder, { recursive: true });
  }
};

const optionsOf = async (...args: string[]) => {
  const loaded = await loadConfig(args, {});
  if (!('config' in loaded)) throw new Error(JSON.stringify(loaded));
  return loaded.config;
};

const problemsOf = async (...args: string[]) => {
  const loaded = await loadConfig(args, {});
  return 'problems' in loaded ? loaded.problems : [];
};

test('secretFiles() names each file that holds a secret, and the configuration file when there are secrets', async () => {
  await withFile('{"player_token": "one"}', async (file) => {
    const { options } = await optionsOf('--config_file', file, '--streamer_token_file', file);
    expect(secretFiles({ ...options, ssl_key_path: '/key' })).toEqual([file, '/key']);
    expect(secretFiles({ ...options, ssl_key_path: '', player_token: '', streamer_token_file: '' })).toEqual(
      [],
    );
  });
});

test('loadConfig() has the ports of Epic when nothing is said', async () => {
  expect((await optionsOf()).options).toMatchObject({ streamer_port: 8888, player_port: 80, sfu_port: 8889 });
});

test('loadConfig() lets the command line win over the file', () =>
  withFile('{ "player_port": 1000, "sfu_port": "2000", /* a comment */ "max_players": 3, }', async (file) => {
    const { options } = await optionsOf('--config_file', file, '--player_port=1001');
    expect(options).toMatchObject({ player_port: 1001, sfu_port: 2000, max_players: 3 });
    const ignored = await optionsOf('--config_file', file, '--no_config');
    expect(ignored.options.player_port).toBe(80);
  }));

test('loadConfig() reports unknown options and wrong values', async () => {
  expect((await problemsOf('--bogus'))[0]).toContain("'--bogus'");
  expect((await problemsOf('stray'))[0]).toContain('stray');
  expect((await problemsOf('--player_port', '70000'))[0]).toStartWith('--player_port: ');
  expect((await problemsOf('--max_players=-1'))[0]).toStartWith('--max_players: ');
  expect((await problemsOf('--peer_options', '{'))[0]).toStartWith('--peer_options:1');
  expect((await problemsOf('--player_token_file', '/nonexistent'))[0]).toContain('/nonexistent');
  expect((await problemsOf('--turn_urls', 'turn:x'))[0]).toContain('--turn_secret');
});

test('loadConfig() reports every problem of the file with its line', () =>
  withFile('{\n  "player_port": "x",\n  "bogus": 1\n}', async (file) => {
    expect(await problemsOf('--config_file', file)).toEqual([
      expect.stringContaining(':2 player_port: '),
      expect.stringContaining(':3 bogus: '),
    ]);
  }));

test('loadConfig() reads tokens from a file, one on each line', () =>
  withFile('one\r\ntwo\n\n', async (file) => {
    const { tokens } = await optionsOf('--streamer_token_file', file, '--streamer_token', 'zero');
    expect(tokens).toEqual({ player: [], streamer: ['zero', 'one', 'two'], sfu: [] });
  }));

test('loadConfig() reads files of any encoding that Windows writes, or names them', async () => {
  for (const encode of Object.values(encodings)) {
    const bytes = (text: string) => new Uint8Array(encode(text));
    await withFile(bytes('one\r\ntwo\r\n'), async (file) => {
      const args = ['player', 'streamer', 'sfu', 'peer_broadcast'].flatMap((role) => [
        `--${role}_token_file`,
        file,
      ]);
      const { tokens, broadcast_tokens } = await optionsOf(...args);
      expect([...Object.values(tokens), broadcast_tokens]).toEqual(Array(4).fill(['one', 'two']));
    });
    await withFile(bytes('{"x": "Лето"}'), async (file) => {
      expect((await optionsOf('--peer_options_file', file)).peer_options).toEqual({ x: 'Лето' });
    });
    await withFile(bytes('{"player_port": 1000}'), async (file) => {
      expect((await optionsOf('--config_file', file)).options.player_port).toBe(1000);
    });
    await withFile(bytes('north'), async (file) => {
      const args = ['--turn_urls', 'turn:turn.example', '--turn_secret_file', file];
      expect((await optionsOf(...args)).turn_secret).toBe('north');
    });
  }
  await withFile(new Uint8Array([0xe9, 0x0a]), async (file) => {
    expect(await problemsOf('--player_token_file', file)).toContainEqual(
      `--player_token_file: not valid UTF-8, save it as UTF-8: '${file}'`,
    );
  });
});

test('loadConfig() puts ICE addresses into arrays and lets the file win', () =>
  withFile(
    '{"iceServers":[{"urls":"stun:a"},{"url":"turn:b","username":"u","credential":"c"}],"x":1}',
    async (file) => {
      const { peer_options } = await optionsOf('--peer_options_file', file, '--peer_options', '{"y":1}');
      expect(peer_options).toEqual({
        iceServers: [{ urls: ['stun:a'] }, { urls: ['turn:b'], username: 'u', credential: 'c' }],
        x: 1,
      });
    },
  ));

test('loadConfig() names file, line and key of an ICE server that no browser would take', () =>
  withFile('{\n"iceServers": [\n{"urls": ["stun:a", "turn::19303"]}]}', async (file) => {
    expect(await problemsOf('--peer_options_file', file)).toEqual([
      `${file}:3 iceServers[0].urls[1]: names no host behind the colon`,
      `${file}:3 iceServers[0].username: is missing: a turn: server needs username and credential`,
      `${file}:3 iceServers[0].credential: is missing: a turn: server needs username and credential`,
    ]);
    expect(await problemsOf('--peer_options', '{"iceServers":[{"urls":["stun:a?transport=udp"]}]}')).toEqual([
      '--peer_options:1 iceServers[0].urls[0]: stun: takes nothing behind a "?"',
    ]);
    expect(await problemsOf('--turn_urls', 'turn:', '--turn_secret', 's')).toEqual([
      expect.stringContaining('--turn_urls'),
    ]);
  }));

test('loadConfig() names the place of peer options within a configuration file', () =>
  withFile('{\n"peer_options": {\n"iceServers": [\n{"urls": ["turn::19303"]}]}}', async (file) => {
    expect(await problemsOf('--config_file', file)).toEqual([
      `${file}:4 peer_options.iceServers[0].urls[0]: names no host behind the colon`,
    ]);
  }));

test.each([
  ['iceTransportPolicy', 'foo'],
  ['iceTransportPolicy', ''],
  ['iceTransportPolicy', null],
  ['bundlePolicy', 'x'],
  ['bundlePolicy', null],
  ['rtcpMuxPolicy', 'x'],
  ['iceCandidatePoolSize', 256],
  ['iceCandidatePoolSize', -1],
  ['iceCandidatePoolSize', 'abc'],
  ['certificates', [{}]],
])('loadConfig() refuses what makes RTCPeerConnection throw: %s %j', async (key, value) => {
  const [problem] = await problemsOf('--peer_options', JSON.stringify({ [key]: value }));
  expect(problem).toStartWith(`--peer_options:1 ${key}: `);
});

test('loadConfig() passes on what is right of the rest, and what it does not know', async () => {
  const given = { iceTransportPolicy: 'relay', bundlePolicy: 'max-bundle', iceCandidatePoolSize: 4, x: 1 };
  const { peer_options } = await optionsOf('--peer_options', JSON.stringify(given));
  expect<object>(peer_options).toEqual(given);
});

test('loadConfig() takes secrets from the environment', async () => {
  const env = { SIGNALLING_ADMISSION_SECRET: 's', SIGNALLING_PEER_OPTIONS: '{"x":1}' };
  expect(await loadConfig([], env)).toMatchObject({
    config: { admission_secret: 's', peer_options: { x: 1 } },
  });
  expect(await loadConfig(['--peer_options', '{"y":1}'], env)).toMatchObject({
    config: { peer_options: { y: 1 } },
  });
});

/** The file that Epic's server writes: two options have underscores there and dashes on its command line. */
test("loadConfig() takes the names of Epic's file and of its command line", () =>
  withFile('{"https_redirect":true,"reverse_proxy":true,"reverse_proxy_num_proxies":2}', async (file) => {
    const filed = await optionsOf('--config_file', file);
    expect(filed.options).toMatchObject({ reverse_proxy: true, reverse_proxy_num_proxies: 2 });
    const said = await optionsOf('--reverse-proxy', '--reverse-proxy-num-proxies', '3');
    expect(said.options).toMatchObject({ reverse_proxy: true, reverse_proxy_num_proxies: 3 });
  }));

test('loadConfig() opens no door for tokens that are not there', () =>
  withFile('\n  \n', async (file) => {
    const refused = { problems: ['--player_token_file: holds no token'] };
    expect<object>(await loadConfig(['--player_token_file', file], {})).toEqual(refused);
    expect<object>(await loadConfig(['--streamer_token', ''], {})).toEqual({
      problems: ['--streamer_token: is empty'],
    });
  }));

test('loadConfig() reads tokens without the blanks around them', () =>
  withFile(' one \t\r\n', async (file) => {
    expect((await optionsOf('--sfu_token_file', file)).tokens.sfu).toEqual(['one']);
  }));

test.each([
  [['--turn_urls', 'http://x', '--turn_secret', 's'], 'turn:'],
  [['--turn_secret', 's'], '--turn_secret: needs --turn_urls'],
  [['--cors_allowed_origins', 'https://a.example'], 'need --cors'],
  [['--allowed_origins', 'example.org'], 'must be a site'],
])('loadConfig() refuses %j', async (args, problem) => {
  expect(JSON.stringify(await loadConfig(args, {}))).toContain(problem);
});

test('loadConfig() writes origins as browsers do', async () => {
  const { options } = await optionsOf('--allowed_origins', 'https://Example.com/,http://a:8080');
  expect(options.allowed_origins).toEqual(['https://example.com', 'http://a:8080']);
});

test('loadConfig() starts from nothing when --save is to make the file', async () => {
  const file = `${import.meta.dir}/nowhere/config.json`;
  expect(await loadConfig(['--save', '--config_file', file], {})).toHaveProperty('config');
});

test('loadConfig() knows when somebody only asks', async () => {
  expect<object>(await loadConfig(['-h', '--bogus'], {})).toEqual({ help: helpText() });
  expect<object>(await loadConfig(['--serve', '-V'], {})).toEqual({ version: true });
  expect<object>(await loadConfig(['--version'], {})).toEqual({ version: true });
});

test('helpText() documents every option', async () => {
  expect(await loadConfig(['--help'], {})).toEqual({ help: helpText() });
  for (const name of optionNames) expect(helpText()).toMatch(new RegExp(`--${name}\\b.{3,}[a-z]`));
});

test('loadConfig() takes the streamer token from the environment, beside those of the options', async () => {
  const loaded = await loadConfig(['--streamer_token', 'a'], { SIGNALLING_STREAMER_TOKEN: 'b' });
  expect(loaded).toMatchObject({ config: { tokens: { streamer: ['a', 'b'], player: [], sfu: [] } } });
});

test('optionsSchema() says of each key what it wants', () => {
  expect(silentKeys(optionsSchema)).toEqual([]);
});
