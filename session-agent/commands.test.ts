import { describe, expect, test } from 'bun:test';
import { understand } from '../shared/command-line.ts';
import { writtenCommands } from '../shared/testing/written-commands.ts';
import { version } from '../shared/version.ts';
import { commandLine } from './commands.ts';

const asked = (...args: string[]) => understand(commandLine, args);

const app = { name: 'Loft', path: '/opt/loft', engine: undefined, config: undefined };
const id = '-bcdefghijklmnopqrstuv';

describe('understand() of the session agent', () => {
  const good: [args: string[], name: string, given: object][] = [
    [['run'], 'run', { config: undefined }],
    [['run', '--config', 'c.json'], 'run', { config: 'c.json' }],
    [['enroll', 'https://v.example', '--token=-t'], 'enroll', { token: '-t' }],
    [['enrol', 'https://v.example', '--token', 't'], 'enroll', { url: 'https://v.example', token: 't' }],
    [['apps', 'add', 'Loft', '/opt/loft'], 'apps add', { ...app, rest: [] }],
    [
      ['apps', 'add', '--engine', '5.7', 'Loft', '/opt/loft', '-x', '--help', '--config', '-v'],
      'apps add',
      { ...app, engine: '5.7', rest: ['-x', '--help', '--config', '-v'] },
    ],
    [
      ['apps', 'add', 'Loft', '--engine=4.27', '/opt/loft', '--', '--', '-h'],
      'apps add',
      { ...app, engine: '4.27', rest: ['--', '-h'] },
    ],
    [['logs', id, '-f'], 'logs', { session: id, follow: true }],
    [['logs', '--follow', 's-1'], 'logs', { session: 's-1', follow: true }],
    [['update', 'file', '--no-restart', '--wait', '5'], 'update', { wait: 5, 'no-restart': true }],
    [['signalling', '--help'], 'signalling', { rest: ['--help'] }],
    [['signalling'], 'signalling', { rest: [] }],
    [['help', 'signalling'], 'signalling', { rest: ['--help'] }],
  ];
  for (const [args, name, given] of good) {
    test(`understand() of "${args.join(' ')}"`, () => {
      const found = asked(...args);
      expect(found).toEqual({ name, given: expect.objectContaining(given) } as never);
    });
  }

  const bad: [args: string[], text: string][] = [
    [['run', 'c.json'], '"c.json" is one word too many'],
    [['run', '--config'], '--config needs a value'],
    [['run', '--json'], '"run" has no flag --json. It belongs to "status", "logs", "doctor".'],
    [['doctor', '--yaml'], '"doctor" has no flag --yaml.'],
    [['status', '--jsn'], 'Did you mean --json?'],
    [['statsu'], 'Did you mean status?'],
    [['apps'], 'The commands are apps list, apps add, apps remove.'],
    [['apps', 'ad', 'Loft', 'x'], 'Did you mean apps add?'],
    [['apps', 'add', '--engin', '5.7', 'Loft', 'x'], 'Did you mean --engine?'],
    [['apps', 'add', 'Loft'], 'PATH is missing'],
    [['enroll', '--token=t'], 'URL is missing'],
    [['enroll', 'https://v.example'], '--token T is missing'],
    [['update', 'file', '--sha256', 'x'], '--sha256 is 64 hexadecimal digits'],
    [['update', 'file', '--wait', '0'], '--wait must be a number from 1 to 3600'],
    [['exchange-release'], 'ORDER is missing'],
  ];
  for (const [args, text] of bad) {
    test(`understand() refuses "${args.join(' ')}"`, () => {
      expect(asked(...args)).toEqual({ text: expect.stringContaining(text), code: 2 });
    });
  }
});

test('understand() answers help and version at every command that has none of its own', () => {
  for (const name of Object.keys(commandLine.commands).filter((each) => each !== 'signalling')) {
    const words = name.split(' ');
    for (const args of [
      [...words, '--help'],
      [...words, '-h'],
      ['help', ...words],
    ]) {
      expect([name, asked(...args)]).toEqual([
        name,
        { text: expect.stringContaining(`Usage: session-agent ${name}`), code: 0 },
      ]);
    }
    for (const flag of ['--version', '-v']) expect(asked(...words, flag)).toEqual({ text: version, code: 0 });
  }
  expect((asked('help') as { text: string }).text).not.toContain('exchange-release');
});

test('understand() takes every command that README and docs tell to type', () => {
  const written = writtenCommands('session-agent');
  expect(written.length).toBeGreaterThan(12);
  for (const args of written) {
    expect([args.join(' '), understand(commandLine, args)]).toEqual([
      args.join(' '),
      expect.objectContaining({ name: expect.any(String) }),
    ]);
  }
});
