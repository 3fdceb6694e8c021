import { expect, test } from 'bun:test';
import { configFile, newLogFolder } from './places.ts';

const linux = { platform: 'linux', environment: {}, itself: ['/usr/local/bin/session-agent'] } as const;
const windows = {
  platform: 'win32',
  environment: { ProgramData: 'D:\\ProgramData' },
  itself: ['C:\\Vitrina\\session-agent.exe'],
} as const;
const where = (one: typeof linux | typeof windows) => ({ ...one, itself: [one.itself[0]] as [string] });

test('configFile() is the given one, else the one beside the executable, else the usual place', () => {
  expect(configFile('/srv/a.json', where(linux), () => true)).toBe('/srv/a.json');
  expect(configFile(undefined, where(linux), () => true)).toBe('/usr/local/bin/config.json');
  expect(configFile(undefined, where(linux), () => false)).toBe('/etc/vitrina/config.json');
  expect(configFile('E:\\a.json', where(windows), () => true)).toBe('E:\\a.json');
  expect(configFile(undefined, where(windows), () => true)).toBe('C:\\Vitrina\\config.json');
  expect(configFile(undefined, where(windows), () => false)).toBe('D:\\ProgramData\\Vitrina\\config.json');
});

test('configFile() is the one beside the executable, too, when it is lost while its agent runs', () => {
  const control = '/usr/local/bin/state/control.json';
  expect(configFile(undefined, where(linux), (file) => file === control)).toBe('/usr/local/bin/config.json');
  const other = [control, '/etc/vitrina/config.json'];
  expect(configFile(undefined, where(linux), (file) => other.includes(file))).toBe(
    '/etc/vitrina/config.json',
  );
});

test("newLogFolder() is the system's own at the usual place of Linux, and beside config.json elsewhere", () => {
  expect(newLogFolder('/etc/vitrina/config.json')).toBe('/var/log/vitrina-agent');
  expect(newLogFolder('/home-of-it/config.json')).toBe('logs');
  expect(newLogFolder('D:\\ProgramData\\Vitrina\\config.json')).toBe('logs');
});
