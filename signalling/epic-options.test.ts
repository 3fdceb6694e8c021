import { expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from './config.ts';
import { optionName, understood } from './epic-options.ts';
import { type Options, optionNames, standards } from './options.ts';

const withFile = async <T>(content: object, run: (file: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'vitrina-'));
  try {
    await Bun.write(join(folder, 'config.json'), JSON.stringify(content, undefined, 2));
    return await run(join(folder, 'config.json'));
  } finally {
    await rm(folder, { recursive: true });
  }
};

const loaded = async (...args: string[]) => {
  const answer = await loadConfig(args, {});
  if (!('config' in answer)) throw new Error(JSON.stringify(answer));
  const { options, peer_options } = answer.config;
  const changed = Object.fromEntries(
    optionNames
      .filter((name) => !Bun.deepEquals(options[name], standards[name]))
      .map((name) => [name, options[name]]),
  );
  return { changed: changed as Partial<Options>, peer_options, warnings: answer.warnings };
};

const problems = async (...args: string[]): Promise<string[]> => {
  const answer = await loadConfig(args, {});
  return 'problems' in answer ? answer.problems : [];
};

test.each([
  ['HttpPort', 'http_port'],
  ['HTTPSKeyFile', 'https_key_file'],
  ['UseHTTPS', 'use_https'],
  ['SFUPort', 'sfu_port'],
  ['DisableSSLCert', 'disable_ssl_cert'],
  ['PublicIp', 'public_ip'],
  ['configFile', 'config_file'],
  ['peerConnectionOptions', 'peer_connection_options'],
  ['reverse-proxy-num-proxies', 'reverse_proxy_num_proxies'],
  ['reverseProxyNumProxies', 'reverse_proxy_num_proxies'],
  ['ssl_key_path', 'ssl_key_path'],
])('optionName() reads %s as %s', (written, name) => {
  expect(optionName(written)).toBe(name);
});

/** What start.bat of 5.6 and later passes, twice as npm start adds its own. */
const startScript = [
  ...['--serve', '--console_messages', 'verbose', '--log_config', '--https_redirect'],
  ...['--serve', '--console_messages', 'verbose', '--https_redirect', '--log_config', '--public_ip='],
  `--peer_options=${JSON.stringify({ iceServers: [{ urls: ['stun:stun.example:19302'] }] })}`,
];

test("understood() takes the command line of Epic's start script", async () => {
  const { changed, peer_options, warnings } = await loaded(...startScript);
  expect(changed).toMatchObject({ serve: true, console_messages: 'verbose', log_config: true });
  expect(peer_options).toEqual({ iceServers: [{ urls: ['stun:stun.example:19302'] }] });
  expect(warnings).toEqual(["--public_ip: is an option of Epic's server and means nothing here"]);
});

const pems = {
  ssl_key_path: join(import.meta.dir, 'testing', 'certificate', 'key.pem'),
  ssl_cert_path: join(import.meta.dir, 'testing', 'certificate', 'cert.pem'),
};
const certificate = Object.entries(pems).flatMap(([name, path]) => [`--${name}`, path]);

const said: [args: string[], changed: Partial<Options>, warned?: string[]][] = [
  [['--player_keepalive_timeout', '2500'], { player_keepalive_timeout: 2_500 }],
  [['--player_keepalive_timeout=0'], { player_keepalive_timeout: 0 }],
  [['--console_messages'], { console_messages: 'basic' }],
  [['--console_messages', '--serve'], { console_messages: 'basic', serve: true }],
  [['--console_messages=formatted'], { console_messages: 'formatted' }],
  [['--reverse-proxy'], { reverse_proxy: true }],
  [['--reverse-proxy-num-proxies', '2'], { reverse_proxy: true, reverse_proxy_num_proxies: 2 }],
  [['--reverseProxy'], { reverse_proxy: true }],
  [['--https_port', '8443', ...certificate], { https: true, https_port: 8_443, ...pems }],
  [['--serve', 'false'], {}],
  [['--serve=false'], {}],
  [['--serve', '--no-serve'], {}],
  [['--no_serve', '--serve=TRUE'], { serve: true }],
  [['--', '--serve', '--', '--max_players', '7'], { serve: true, max_players: 7 }],
  [['--max_players', '7', '--max_players', '8'], { max_players: 8 }],
  [
    ['--HttpPort', '8080', '--StreamerPort=8081', '--SFUPort', '8082'],
    { player_port: 8_080, streamer_port: 8_081, sfu_port: 8_082 },
  ],
  [['--HomepageFile', 'player.html', '--EnableWebserver=false'], {}],
  [['--HomepageFile', '/Public/mine.html', '--EnableWebserver'], { homepage: 'mine.html', serve: true }],
  [['--MaxPlayerCount', '-1'], {}],
  [['--MaxPlayerCount', '3'], { max_players: 3 }],
  [['--UseMatchmaker'], {}, ['--UseMatchmaker']],
  [['--UseMatchmaker', 'true', '--PublicIp', '1.2.3.4'], {}, ['--UseMatchmaker', '--PublicIp']],
  [
    ['--matchmaker_address', 'x', '--matchmaker_port', '9999'],
    {},
    ['--matchmaker_address', '--matchmaker_port'],
  ],
  [['--no_save', '--nosudo', '--publicip', '1.2.3.4'], {}, ['--no_save', '--nosudo', '--publicip']],
];

test.each(said)('understood() takes %j', async (args, changed, warned = []) => {
  const answer = await loaded(...args);
  expect(answer.changed).toEqual(changed);
  expect(answer.warnings.map((warning) => warning.split(':')[0] ?? '')).toEqual(warned);
});

test.each([
  [['--player_prot', '1'], "unknown option '--player_prot': the nearest name is player_port"],
  [['--player-Ports=1'], "unknown option '--player-Ports': the nearest name is player_port"],
  [['--HomePageFiles', 'x'], "unknown option '--HomePageFiles': the nearest name is homepage_file"],
  [['--no_serving'], "unknown option '--no_serving'"],
  [['--xyzzyxyzzyxyzzy'], 'see --help'],
  [['-serve'], "unexpected '-serve': options begin with --"],
  [['--player_port'], '--player_port: needs a value'],
  [['--player_port', '--serve'], '--player_port: needs a value'],
  [['--serve=maybe'], '--serve: must be true or false'],
  [['--console_messages', 'loud'], '--console_messages: '],
  [['--HttpPort', '99999'], '--HttpPort: '],
  [['--UseAuthentication'], '--UseAuthentication: there is no login here; write player_token_file'],
  [['--MaxPlayerCount', '0'], '--MaxPlayerCount: lets nobody in; write max_players'],
  [['--stun', 'stun.example:19302'], "--stun: is an option of Epic's start script; name the servers with"],
  [['--__proto__', 'x'], "unknown option '--__proto__'"],
  [['--constructor'], "unknown option '--constructor'"],
])('understood() refuses %j', async (args, problem) => {
  expect((await problems(...args)).join('\n')).toContain(problem);
});

/** As `--save` of Epic's server writes it: numbers as texts, names with dashes in camel case beside those with underscores. */
const saved = {
  log_folder: 'logs',
  log_level_console: 'info',
  log_level_file: 'info',
  streamer_port: '8888',
  player_port: '8080',
  sfu_port: '8889',
  max_players: '2',
  player_keepalive_timeout: '30000',
  serve: true,
  http_root: 'C:\\www',
  homepage: 'player.html',
  https: false,
  https_port: 443,
  ssl_key_path: 'certificates/client-key.pem',
  ssl_cert_path: 'certificates/client-cert.pem',
  https_redirect: true,
  rest_api: false,
  cors: false,
  cors_allowed_origins: '',
  cors_allowed_methods: '',
  cors_allowed_headers: '',
  cors_credentials: false,
  peer_options: { iceServers: [{ urls: 'stun:stun.example:19302' }] },
  peer_options_file: '',
  player_token: 12345678,
  reverseProxy: false,
  reverse_proxy: true,
  reverseProxyNumProxies: '3',
  log_config: true,
  stdin: false,
  console_messages: 'verbose',
};

test("understood() reads what Epic's server saves", () =>
  withFile(saved, async (file) => {
    const { changed, peer_options, warnings } = await loaded('--config_file', file);
    expect(changed).toMatchObject({
      ...{ player_port: 8_080, max_players: 2, player_keepalive_timeout: 30_000, serve: true },
      ...{
        http_root: 'C:\\www',
        reverse_proxy: true,
        reverse_proxy_num_proxies: 3,
        player_token: '12345678',
      },
      console_messages: 'verbose',
    });
    expect(changed.https).toBeUndefined();
    expect(peer_options).toEqual({ iceServers: [{ urls: ['stun:stun.example:19302'] }] });
    expect(warnings).toEqual([]);
  }));

test('understood() lets console_messages alone take the detail of the file', () =>
  withFile({ console_messages: 'formatted' }, async (file) => {
    const { changed } = await loaded('--config_file', file, '--console_messages');
    expect(changed.console_messages).toBe('formatted');
  }));

/** The file that came with 5.4, the peer options as people wrote them. */
const cirrus = {
  UseFrontend: false,
  UseMatchmaker: false,
  UseHTTPS: true,
  HTTPSCertFile: './certificates/mine.pem',
  HTTPSKeyFile: './certificates/mine-key.pem',
  LogToFile: true,
  LogVerbose: true,
  HomepageFile: 'player.html',
  AdditionalRoutes: {},
  EnableWebserver: true,
  MatchmakerAddress: '',
  MatchmakerPort: 9999,
  PublicIp: 'localhost',
  HttpPort: 8080,
  HttpsPort: 8443,
  StreamerPort: 8888,
  SFUPort: 8889,
  MaxPlayerCount: -1,
  DisableSSLCert: true,
  peerConnectionOptions: '{ "iceServers": [{"urls": ["stun:stun.example:19302"]}] }',
};

test('understood() reads the file of 4.27 to 5.4', async () => {
  const { values, warnings, cirrus: old } = understood(cirrus);
  expect(old).toBe(true);
  expect(values).toEqual({
    ...{ https: true, https_redirect: true, serve: true, log_folder: 'logs', console_messages: 'verbose' },
    ...{ ssl_cert_path: './certificates/mine.pem', ssl_key_path: './certificates/mine-key.pem' },
    ...{ player_port: 8_080, https_port: 8_443, streamer_port: 8_888, sfu_port: 8_889 },
    ...{ homepage: 'player.html', peer_options: cirrus.peerConnectionOptions },
  });
  expect(warnings.map(({ written }) => written)).toEqual([
    ...['UseFrontend', 'UseMatchmaker', 'AdditionalRoutes', 'MatchmakerAddress', 'MatchmakerPort'],
    ...['PublicIp', 'DisableSSLCert'],
  ]);
});

test('understood() serves the pages of a file of 4.27, which says it by saying nothing', () =>
  withFile({ HttpPort: 8080, HomepageFile: '/Public/player.html', UseHTTPS: 'false' }, async (file) => {
    const { changed, warnings } = await loaded('--configFile', file);
    expect(changed).toMatchObject({ serve: true, http_root: 'Public', player_port: 8_080 });
    expect([changed.https, changed.homepage]).toEqual([undefined, undefined]);
    expect(warnings).toEqual([expect.stringContaining('http_root: is not said')]);
  }));

test('understood() says at its line what a file of 4.27 to 5.4 must say instead', () =>
  withFile({ HttpPort: 'eighty', UseAuthentication: true, MaxPlayerCount: 0, HomePage: 1 }, async (file) => {
    expect(await problems('--config_file', file)).toEqual([
      `${file}:2 HttpPort: digits only`,
      expect.stringContaining(`${file}:3 UseAuthentication: there is no login here; write player_token_file`),
      expect.stringContaining(`${file}:4 MaxPlayerCount: lets nobody in; write max_players`),
      `${file}:5 HomePage: is no option; the nearest name is homepage`,
    ]);
  }));
