import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeProblem } from '../shared/config.ts';
import { launchProblem, readAgentConfig } from './config.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrina-config-'));
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
      { rc_name: 'Flat', path: 'Flat.sh', arguments: ['-A={gpu}', '{session_id}'] },
      { rc_name: '', path: '/x/Flat.bat', colour: 1 },
    ],
  });
  for (const part of [
    'config.json:2 coordinator: must be an address',
    'seats',
    'apps[0].path: must be an absolute path',
    'apps[0].arguments[0]: {gpu} is no placeholder',
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

test('launchProblem() tells what is wrong with the program on disk', async () => {
  const plain = join(folder, 'plain.txt');
  writeFileSync(plain, '', { mode: 0o644 });
  const result = await read(good);
  const app = 'value' in result ? result.value.apps[0] : undefined;
  if (app === undefined) throw new Error('no app');
  expect(await launchProblem({ ...app, path: process.execPath })).toBeUndefined();
  expect(await launchProblem(app)).toBe('/opt/flat/Flat.sh does not exist');
  expect(await launchProblem({ ...app, path: folder })).toBe(`${folder} is not a file`);
  expect(await launchProblem({ ...app, path: plain })).toBe(`${plain} is not executable for this user`);
  expect(await launchProblem({ ...app, path: process.execPath, working_directory: '/nowhere' })).toBe(
    '/nowhere is not a folder',
  );
});
