import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describeProblem } from '../shared/config.ts';
import { silentKeys } from '../shared/testing/wrong-types.ts';
import { configSchema, launchProblem, readAgentConfig } from './config.ts';

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'vitrina-config-')));
});
afterAll(() => rmSync(folder, { recursive: true }));

const good = {
  coordinator: 'https://coordinator.example',
  server_name: 'host-1',
  key: 'sixteen characters',
  seats: 2,
  ports: { from: 18_000, to: 18_005 },
  apps: [{ rc_name: 'Flat', path: '/opt/flat/Flat.sh' }],
};

const read = (config: object) => {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(config, null, 2));
  return readAgentConfig(file);
};
const problems = async (config: object) => {
  const result = await read(config);
  return 'problems' in result ? result.problems.map(describeProblem).join('\n') : '';
};

test('readAgentConfig() fills in what may be left out', async () => {
  const result = await read(good);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  expect(result.value).toMatchObject({
    coordinator: 'wss://coordinator.example/agent',
    webrtc: { resolution: { width: 1280, height: 720 } },
    log_folder: join(folder, 'logs'),
  });
  expect(result.value.apps[0]).toEqual({
    rc_name: 'Flat',
    path: '/opt/flat/Flat.sh',
    arguments: [],
    allow_dangerous: false,
    environment: {},
    start_timeout_seconds: 60,
    restart: { times: 2, window_seconds: 600 },
    stop_grace_seconds: 5,
    hung_seconds: 3,
    warm: 0,
    vram_mb: 0,
    encoders: 1,
  });
});

test.each([
  ['http://10.0.0.1:8080', 'ws://10.0.0.1:8080/agent'],
  ['ws://10.0.0.1:8080/agent', 'ws://10.0.0.1:8080/agent'],
  ['wss://name.example/vitrina/agent', 'wss://name.example/vitrina/agent'],
])('readAgentConfig() takes the coordinator %s', async (coordinator, url) => {
  const result = await read({ ...good, coordinator });
  expect('value' in result && result.value.coordinator).toBe(url);
});

test('readAgentConfig() reports every problem at once, with file, line and key', async () => {
  const text = await problems({
    ...good,
    coordinator: 'ftp://x',
    seats: 0,
    apps: [
      { rc_name: 'Flat', path: 'Flat.sh', arguments: ['-A={card}', '{session_id}'] },
      { rc_name: '', path: '/x/Flat.bat', colour: 1 },
    ],
  });
  for (const part of [
    'config.json:2 coordinator: must be an address',
    'seats',
    'apps[0].path: must be an absolute path',
    'apps[0].arguments[0]: {card} is no placeholder',
    'apps[0].arguments[1]: must not begin with {session_id}',
    'apps[1].rc_name: must not be empty',
    'apps[1].path: must be the program itself',
    'apps[1].colour',
  ]) {
    expect(text).toContain(part);
  }
});

test('readAgentConfig() wants enough ports for the seats, and each app once', async () => {
  expect(await problems({ ...good, ports: { from: 18_000, to: 18_004 } })).toContain(
    'ports: holds 5 ports, but 2 seats need 6',
  );
  expect(await problems({ ...good, apps: [good.apps[0], good.apps[0]] })).toContain(
    'apps[1].rc_name: is listed twice',
  );
});

test('readAgentConfig() says that a file is missing', async () => {
  const result = await readAgentConfig(join(folder, 'none.json'));
  expect('problems' in result && result.problems[0]?.text).toContain('cannot be read');
});

test('readAgentConfig() checks what an app says about its launch', async () => {
  const app = (given: object) => ({ ...good, apps: [{ ...good.apps[0], ...given }] });
  const rows: [given: object, text: string][] = [
    [{ warm: 1, arguments: ['-s={session_id}'] }, 'apps[0].warm: must be 0: the arguments hold {session_id}'],
    [{ warm: 1, arguments: ['-l={language}'] }, 'apps[0].warm: must be 0: the arguments hold {language}'],
    [{ engine: '4.9' }, 'apps[0].engine: must be 4.27 or newer'],
    [
      { engine: '4.27', signalling: { path: '/x/node', arguments: ['{player_port}', '{streamer_port}'] } },
      'apps[0].engine: 4.27 cannot be shown through another signalling server than ours',
    ],
    [{ engine: '5' }, 'apps[0].engine: like "5.7"'],
    [{ engine: '5.6', plugin: 3 }, 'apps[0].plugin: 1 or 2'],
    [{ arguments: ['', '-ExecCmds=quit'] }, 'apps[0].arguments[1]: lets commands into the app'],
    [{ arguments: ['-g={gpu}'] }, 'apps[0].arguments[0]: {gpu} needs "cards"'],
    [{ path: '/x/Flat.bat. ' }, 'apps[0].path: must be the program itself'],
    [{ path: '/x/Flat.CMD::$DATA' }, 'apps[0].path: must be the program itself'],
    [
      { signalling: { path: '/x/wilbur', arguments: ['{player_port}', '{streamer_port} {port}'] } },
      'apps[0].signalling.arguments[1]: {port} is no placeholder here',
    ],
    [
      { signalling: { path: '/x/wilbur', arguments: ['{player_port}'] } },
      'apps[0].signalling.arguments: no argument says {streamer_port}',
    ],
    [{ signalling: { path: 'wilbur.cmd', arguments: [] } }, 'apps[0].signalling.path: must be'],
  ];
  for (const [given, text] of rows) expect(await problems(app(given))).toContain(text);
  expect(await problems(app({ warm: 1, engine: '5.7', arguments: ['-ResX={width}'] }))).toBe('');
  expect(
    await problems({
      ...app({ arguments: ['-g={gpu}'] }),
      cards: [{ index: 0, seats: 2 }],
      apps_folders: ['/x'],
    }),
  ).toBe('');
  expect(await problems({ ...good, apps_folders: ['x'] })).toContain(
    'apps_folders[0]: must be an absolute path',
  );
});

describe('launchProblem()', () => {
  const program = () => {
    const file = join(folder, 'inside', 'My Game', 'Game');
    mkdirSync(join(folder, 'inside', 'My Game'), { recursive: true });
    writeFileSync(file, '#!/bin/true\n', { mode: 0o755 });
    return file;
  };
  const link = (name: string, target: string) => {
    const path = join(folder, name);
    symlinkSync(target, path);
    return path;
  };

  test('launchProblem() tells what is wrong with the program on disk', async () => {
    const plain = join(folder, 'plain.txt');
    writeFileSync(plain, '', { mode: 0o644 });
    const look = (path: string, more: object = {}) => launchProblem({ path, ...more }, undefined);
    expect(await look(program())).toBeUndefined();
    expect(await look('/opt/flat/Flat.sh')).toBe('/opt/flat/Flat.sh does not exist');
    expect(await look(folder)).toBe(`${folder} is not a file`);
    expect(await look(plain)).toBe(`${plain} is not executable for this user`);
    expect(await look(`${plain}/x`)).toStartWith(`${plain}/x cannot be used`);
    expect(await look(link('round', join(folder, 'round')))).toContain('cannot be used');
    for (const working_directory of ['/nowhere', plain]) {
      expect(await look(program(), { working_directory })).toStartWith(
        `${working_directory} is not a folder`,
      );
    }
    const signalling = { path: '/opt/wilbur', arguments: [] };
    expect(await look(program(), { signalling })).toBe('/opt/wilbur does not exist');
  });

  test('launchProblem() follows links before it judges', async () => {
    const batch = join(folder, 'run.CMD');
    writeFileSync(batch, '', { mode: 0o755 });
    const to_batch = link('game.exe', batch);
    expect(await launchProblem({ path: to_batch }, undefined)).toStartWith(
      `${to_batch} leads to ${batch}, which must be the program itself`,
    );
    const to_folder = link('to-folder', folder);
    expect(await launchProblem({ path: to_folder }, undefined)).toEndWith('is not a file');
  });

  test('launchProblem() keeps programs within apps_folders, wherever links and dots lead', async () => {
    const inside = join(folder, 'inside');
    const file = program();
    const within = (path: string, folders = [join(folder, 'none'), inside]) =>
      launchProblem({ path }, folders);
    expect(await within(file)).toBeUndefined();
    expect(await within(link('in', file))).toBeUndefined();
    expect(await within(file, [link('way-in', inside)])).toBeUndefined();

    for (const path of [
      process.execPath,
      `${inside}/../../../../../../..${process.execPath}`,
      link(join('inside', 'My Game', 'out'), process.execPath),
      join(link(join('inside', 'door'), dirname(process.execPath)), basename(process.execPath)),
    ]) {
      expect(await within(path)).toEndWith('is in none of apps_folders');
    }
    // A folder that only begins like an allowed one.
    expect(await within(file, [join(folder, 'ins')])).toEndWith('is in none of apps_folders');
    expect(
      await launchProblem({ path: file, signalling: { path: process.execPath, arguments: [] } }, [inside]),
    ).toEndWith('is in none of apps_folders');
  });
});

test('configSchema() says of each key what it wants', () => {
  expect(silentKeys(configSchema)).toEqual([]);
});
