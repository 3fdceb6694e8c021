import { describe, expect, test } from 'bun:test';
import { type Command, listenAddress, listenFailure, localUrl, parseCommand } from './config.ts';

describe('parseCommand()', () => {
  const rows: [line: string, command: Command][] = [
    ['', { name: 'help' }],
    ['help', { name: 'help' }],
    ['version', { name: 'version' }],
    ['serve --data d', { name: 'serve', data: 'd', log_level: 'info' }],
    ['serve --data=d --port 0 --log_level debug', { name: 'serve', data: 'd', port: 0, log_level: 'debug' }],
    ['serve', { name: 'wrong', text: 'serve needs --data DIR, the directory that holds servers.json' }],
    ['serve --data d --port 65536', { name: 'wrong', text: '--port is a number from 0 to 65535' }],
    ['serve --data d --port x', { name: 'wrong', text: '--port is a number from 0 to 65535' }],
    ['serve --data d extra', { name: 'wrong', text: '"extra" is one word too many' }],
    ['migrate', { name: 'migrate', mode: 'apply' }],
    ['migrate --status', { name: 'migrate', mode: 'status' }],
    ['migrate --dry-run', { name: 'migrate', mode: 'dry-run' }],
    ['migrate --dry-run --status', { name: 'wrong', text: '--status and --dry-run exclude each other' }],
    ['import d', { name: 'import', data: 'd' }],
    ['import', { name: 'wrong', text: 'import needs the data directory to copy' }],
    ['import d extra', { name: 'wrong', text: '"extra" is one word too many' }],
    [
      'config nginx --host vitrina.example --port 81',
      {
        name: 'config',
        program: 'nginx',
        flags: {
          data: undefined,
          host: 'vitrina.example',
          port: 81,
          secret_file: undefined,
          address: undefined,
        },
      },
    ],
    ['config', { name: 'wrong', text: 'config prints one of nginx, coturn, systemd' }],
    ['config apache', { name: 'wrong', text: 'config prints one of nginx, coturn, systemd' }],
    ['config nginx --port x', { name: 'wrong', text: '--port is a number from 0 to 65535' }],
    [
      'admin create --email a@b.example --name Anna --data d',
      { name: 'admin', email: 'a@b.example', full_name: 'Anna', data: 'd' },
    ],
    [
      'admin create --email a@b.example --name Anna',
      { name: 'admin', email: 'a@b.example', full_name: 'Anna', data: undefined },
    ],
    ['admin create --email a@b', { name: 'wrong', text: 'admin create needs --email and --name' }],
    ['admin create --email a@b --name=', { name: 'wrong', text: '--name must not be empty' }],
    ['admin', { name: 'wrong', text: 'the command is "admin create"' }],
    ['admin remove', { name: 'wrong', text: 'the command is "admin create"' }],
    ['admin create extra', { name: 'wrong', text: '"extra" is one word too many' }],
    [
      'enrol studio-1 --app Loft --app Villa --minutes 5 --url https://v.example --data d',
      {
        name: 'enrol',
        host: 'studio-1',
        apps: ['Loft', 'Villa'],
        minutes: 5,
        url: 'https://v.example',
        data: 'd',
        email: undefined,
      },
    ],
    [
      'enrol studio-1',
      {
        name: 'enrol',
        host: 'studio-1',
        apps: [],
        minutes: 60,
        url: undefined,
        data: undefined,
        email: undefined,
      },
    ],
    ['enrol', { name: 'wrong', text: 'enrol needs the name of the host' }],
    ['enrol a b', { name: 'wrong', text: '"b" is one word too many' }],
    ['enrol a --minutes 0', { name: 'wrong', text: '--minutes is a number from 1 to 10080' }],
    ['enrol a --url v.example', { name: 'wrong', text: '--url is an address like https://vitrina.example' }],
    ['start', { name: 'wrong', text: 'there is no command "start"' }],
  ];
  for (const [line, command] of rows) {
    test(`parseCommand() of "${line}"`, () => {
      expect(parseCommand(line.split(' ').filter((word) => word !== ''))).toEqual(command);
    });
  }

  test('parseCommand() names an unknown option and an unknown log level', () => {
    for (const args of [
      ['serve', '--data', 'd', '--colour', 'x'],
      ['serve', '--data', 'd', '--log_level', 'loud'],
    ]) {
      const command = parseCommand(args);
      expect(command.name === 'wrong' && command.text).toMatch(/colour|log_level/);
    }
  });
});

test('listenAddress() falls back to all addresses for one that is not of this machine', () => {
  const own = ['127.0.0.1', '10.0.0.5'];
  expect(
    ['0.0.0.0', '127.0.0.1', '127.0.0.9', '10.0.0.5', '0.0.0.2'].map((ip) => listenAddress(ip, own)),
  ).toEqual(['0.0.0.0', '127.0.0.1', '127.0.0.9', '10.0.0.5', '0.0.0.0']);
});

test('localUrl() is one that a browser takes', () => {
  expect(localUrl('0.0.0.0', 80)).toBe('http://127.0.0.1:80');
  expect(localUrl('10.0.0.5', 8080)).toBe('http://10.0.0.5:8080');
  expect(localUrl('::1', 8080)).toBe('http://[::1]:8080');
});

test('listenFailure() says what to do', () => {
  const taken = Object.assign(new Error('x'), { code: 'EADDRINUSE' });
  expect(listenFailure(taken, 80)).toContain(
    'Port 80 is taken by another program. Stop that program, or choose',
  );
  expect(listenFailure(Object.assign(new Error('x'), { code: 'EACCES' }), 80)).toContain('more rights');
  expect(listenFailure(new Error('no such address'), 80)).toContain('no such address');
});
