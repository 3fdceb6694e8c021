import { describe, expect, test } from 'bun:test';
import { understand } from '../shared/command-line.ts';
import { readmeJson, writtenCommands } from '../shared/testing/written-commands.ts';
import { version } from '../shared/version.ts';
import { commandLine } from './commands.ts';
import { configurationSchema } from './kit/settings.ts';

const asked = (line: string) =>
  understand(
    commandLine,
    line.split(' ').filter((word) => word !== ''),
  );

const around = { data: undefined, host: undefined, port: undefined };
const own = { certificate: undefined, certificate_key: undefined };
const shared = { ...around, ...own, turn_host: undefined };
const nobody = { app: [], minutes: 60, url: undefined, data: undefined, email: undefined };

describe('understand() of the coordinator', () => {
  const good: [line: string, name: string, given: object][] = [
    ['serve --data d', 'serve', { data: 'd', port: undefined, log_level: 'info' }],
    ['serve --data=d --port 0 --log_level debug', 'serve', { data: 'd', port: 0, log_level: 'debug' }],
    ['serve --data=-d', 'serve', { data: '-d', port: undefined, log_level: 'info' }],
    ['migrate', 'migrate', { status: false, 'dry-run': false }],
    ['migrate --status', 'migrate', { status: true, 'dry-run': false }],
    ['migrate --dry-run', 'migrate', { status: false, 'dry-run': true }],
    ['admin erase --email a@b.example', 'admin erase', { email: 'a@b.example', data: undefined }],
    ['check', 'check', { repair: false, json: false, data: undefined }],
    ['check --repair --json --data d', 'check', { repair: true, json: true, data: 'd' }],
    ['import d', 'import', { data: 'd' }],
    ['import ./undo', 'import', { data: './undo' }],
    ['import undo', 'import undo', {}],
    ['import --undo', 'import undo', {}],
    [
      'config nginx --host v.example --port 81',
      'config nginx',
      { ...shared, coordinator: [], host: 'v.example', port: 81 },
    ],
    [
      'config caddy --coordinator 10.0.0.2:8080 --coordinator [fd00::3]:81',
      'config caddy',
      { ...around, ...own, coordinator: ['10.0.0.2:8080', '[fd00::3]:81'] },
    ],
    [
      'config haproxy --turn_host turn.v.example',
      'config haproxy',
      { ...shared, coordinator: [], turn_host: 'turn.v.example' },
    ],
    ['config systemd', 'config systemd', around],
    [
      'config coturn --secret_file s --address 203.0.113.1',
      'config coturn',
      { ...shared, secret_file: 's', address: '203.0.113.1' },
    ],
    [
      'admin create --email a@b.example --name Anna --data d',
      'admin create',
      { email: 'a@b.example', name: 'Anna', data: 'd' },
    ],
    [
      'admin reset --email a@b.example --link --url https://v.example',
      'admin reset',
      { email: 'a@b.example', link: true, url: 'https://v.example', data: undefined },
    ],
    [
      'enrol studio-1 --app Loft --app Villa --minutes 5 --url https://v.example --data d',
      'enrol',
      {
        host: 'studio-1',
        ...nobody,
        app: ['Loft', 'Villa'],
        minutes: 5,
        url: 'https://v.example',
        data: 'd',
      },
    ],
    ['enrol studio-1', 'enrol', { host: 'studio-1', ...nobody }],
    ['enroll studio-1', 'enrol', { host: 'studio-1', ...nobody }],
  ];
  for (const [line, name, given] of good) {
    test(`understand() of "${line}"`, () => expect(asked(line)).toEqual({ name, given } as never));
  }

  const bad: [line: string, text: string][] = [
    ['serve', '--data DIR is missing: the data directory'],
    ['serve --data', '--data needs a value'],
    ['serve --data --port 80', '--data needs a value. One that begins with a dash is written --data=--port'],
    ['serve --data=', '--data must not be empty'],
    ['serve --data d --port 65536', '--port must be a number from 0 to 65535'],
    ['serve --data d --port x', '--port must be a number from 0 to 65535'],
    ['serve --data d extra', '"extra" is one word too many'],
    ['serve --dta d', '"serve" has no flag --dta. Did you mean --data?'],
    ['serve --data d --colour x', '"serve" has no flag --colour.'],
    ['serve --data d --log-level debug', 'Did you mean --log_level?'],
    ['serve --data d --log_level loud', '--log_level is one of debug, info'],
    ['serve --data d --secret_file s', 'It belongs to "config coturn".'],
    ['serve --data d -x', '"serve" has no flag -x.'],
    ['migrate --status=yes', '--status takes no value'],
    ['import', 'DIR is missing: the data directory to copy'],
    ['config', 'The commands are config nginx, '],
    ['config apache', '"config apache" is none of them'],
    ['config ngnix', 'Did you mean config nginx?'],
    ['config nginx --port x', '--port must be a number'],
    ['config nginx --address 203.0.113.1', 'It belongs to "config coturn".'],
    ['config coturn --address v.example', '--address is an IP address'],
    ['config nginx --host https://v.example', '--host is a name without scheme and port'],
    ['config nginx --host v.example;return', '--host is a name without scheme and port'],
    ['config haproxy --turn_host turn:v.example', '--turn_host is a name without scheme and port'],
    ['config nginx --coordinator 10.0.0.2', '--coordinator is an address and a port'],
    ['config nginx --coordinator http://10.0.0.2:80', '--coordinator is an address and a port'],
    [
      'config coturn --coordinator 10.0.0.2:80',
      'It belongs to "config nginx", "config haproxy", "config caddy".',
    ],
    ['config nginx --certificate /etc/a"b', '--certificate is a path without blanks'],
    ['admin', 'The commands are admin create'],
    ['admin remove', '"admin remove" is none of them'],
    ['admin create --email a@b.example', '--name N is missing'],
    ['admin create --email a@ --name Anna', '--email is an address like'],
    ['admin create --email a@b.example --name=', '--name must not be empty'],
    ['admin reset', '--email E is missing'],
    ['admin reset --email a@b.example --url x', '--url is an address like https://vitrina.example'],
    ['enrol', 'NAME is missing: the name of the host'],
    ['enrol a b', '"b" is one word too many'],
    ['enrol a --minutes 0', '--minutes must be a number from 1 to 10080'],
    ['enrol a --url v.example', '--url is an address like https://vitrina.example'],
    ['start', 'There is no command "start".'],
    ['sevre', 'Did you mean serve?'],
    ['--data d serve', 'The command comes first'],
  ];
  for (const [line, text] of bad) {
    test(`understand() refuses "${line}"`, () => {
      expect(asked(line)).toEqual({ text: expect.stringContaining(text), code: 2 });
    });
  }
});

const names = Object.keys(commandLine.commands);

test('understand() answers help and version at every command and group', () => {
  for (const name of [...names, 'enroll', 'config', 'admin', '']) {
    for (const line of [`${name} --help`, `${name} -h`, `help ${name}`]) {
      expect([line, asked(line)]).toEqual([line, { text: expect.stringContaining('Usage: '), code: 0 }]);
    }
    for (const line of [`${name} --version`, `${name} -v`, 'version']) {
      expect([line, asked(line)]).toEqual([line, { text: version, code: 0 }]);
    }
  }
  expect(asked('')).toEqual({ text: expect.stringContaining('serve'), code: 2 });
});

test('understand() helps with every word and flag of a command', () => {
  for (const [name, command] of Object.entries(commandLine.commands)) {
    const { text } = asked(`help ${name}`) as { text: string };
    for (const flag of [...Object.keys(command.flags), 'help', 'version'])
      expect(text).toContain(`--${flag}`);
    expect(text).toContain(command.about);
    expect((asked('help') as { text: string }).text).toContain(command.about);
  }
});

test('understand() takes every command that README and docs tell to type', () => {
  const written = writtenCommands('coordinator');
  expect(written.length).toBeGreaterThan(12);
  for (const args of written) {
    expect([args.join(' '), understand(commandLine, args)]).toEqual([
      args.join(' '),
      expect.objectContaining({ name: expect.any(String) }),
    ]);
  }
});

test("configurationSchema() takes README's configuration.json", () => {
  expect(configurationSchema.safeParse(JSON.parse(readmeJson())).error?.issues).toBeUndefined();
});
