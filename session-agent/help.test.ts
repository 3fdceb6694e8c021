import { expect, test } from 'bun:test';
import { HELP, helpAsked } from './help.ts';

test('helpAsked() is the lines of the command alone', () => {
  const names = [...HELP.matchAll(/^ {2}session-agent (\w+)/gm)].map(([, name]) => name);
  expect(names).toContain('update');
  for (const name of new Set(names)) {
    if (name === 'signalling') continue;
    const lines = helpAsked(name, ['--help'])?.split('\n') ?? [];
    expect(lines[0]).toStartWith(`  session-agent ${name}`);
    expect(lines.filter((line) => /^ {2}\S/.test(line)).length).toBe(
      names.filter((other) => other === name).length,
    );
    expect(lines.join()).not.toContain('--config FILE says');
  }
  expect(helpAsked('install', ['--user', 'vitrina', '--help'])).toContain('--folder writes the service to F');
  expect(helpAsked('apps', ['--help'])?.split('\n')).toHaveLength(3);
});

test('helpAsked() leaves an app, the signalling server and what is no command their own --help', () => {
  expect(helpAsked('apps', ['add', '--help'])).toContain('apps remove NAME');
  for (const [command, ...args] of [
    ['apps', 'add', 'Loft', '/opt/loft', '--help'],
    ['signalling', '--help'],
    ['fly', '--help'],
    ['status'],
    ['--help'],
    [],
  ]) {
    expect(helpAsked(command, args)).toBeUndefined();
  }
});
