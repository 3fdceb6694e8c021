import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { configSchema, located } from '../config.ts';
import { testTerminal } from '../testing/terminal.ts';
import { definition, install, uninstall } from './install.ts';
import { Failed } from './surroundings.ts';

const config = located(
  configSchema.parse({
    coordinator: 'https://coordinator.example',
    server_name: 'host-1',
    key: 'sixteen characters',
    seats: 1,
    ports: { from: 24_000, to: 24_099 },
  }),
  '/etc/vitrina/config.json',
);

test("definition() is a unit where systemd looks, and on Windows WinSW's file beside the executable", () => {
  const linux = definition(
    { file: '/etc/vitrina/config.json', config },
    { itself: ['/opt/session-agent'], platform: 'linux' },
  );
  expect(linux.path).toBe('/etc/systemd/system/vitrina-agent.service');
  const windows = definition(
    { file: 'C:\\Vitrina\\config.json', config },
    { itself: ['C:\\Vitrina\\session-agent.exe'], platform: 'win32' },
  );
  expect(windows.path).toBe('C:\\Vitrina\\vitrina-agent.xml');
  expect(windows.text).toContain('<executable>C:\\Vitrina\\session-agent.exe</executable>');
});

test('install() prints without writing, and installs nothing but an executable', async () => {
  using under = testTerminal();
  const order = { file: '/etc/vitrina/config.json', config, folder: under.folder, print: true };
  await install(order, under.terminal);
  expect(under.said[0]).toContain('[Service]');
  expect(existsSync(join(under.folder, 'vitrina-agent.service'))).toBeFalse();
  const fromSource = { ...under.terminal, itself: ['bun', 'main.ts'] as [string, ...string[]] };
  await expect(install({ ...order, print: false }, fromSource)).rejects.toThrow(
    'Only the compiled executable',
  );
  const nobody = { ...order, print: false, user: 'nobody-of-that-name' };
  await expect(install(nobody, { ...under.terminal, clock: under.clock })).rejects.toThrow(
    'There is no account',
  );
});

test('install() makes the folder that it is to write to, and says when it cannot', async () => {
  using under = testTerminal();
  const folder = join(under.folder, 'not yet', 'there');
  const order = { file: '/etc/vitrina/config.json', config, folder, print: false };
  await install({ ...order, print: true }, under.terminal);
  expect(existsSync(folder)).toBeFalse();
  for (let round = 0; round < 2; round++) await install(order, under.terminal);
  expect(existsSync(join(folder, 'vitrina-agent.service'))).toBeTrue();
  const below = join(folder, 'vitrina-agent.service', 'x');
  await expect(install({ ...order, folder: below }, under.terminal)).rejects.toThrow(/ENOTDIR|EEXIST/);
});

test('uninstall() says when there is nothing', async () => {
  using under = testTerminal();
  await expect(uninstall(under.folder, under.terminal)).rejects.toThrow(Failed);
});
