import { expect, test } from 'bun:test';
import { devDependencies, scripts } from '../package.json';

const all: Readonly<Record<string, string>> = scripts;

test('scripts() of package.json bring bun and the packages first, so that a fresh clone needs node alone', () => {
  expect(all.bring).toStartWith(`npx --yes bun@${devDependencies.bun} install `);
  const commands = Object.keys(all).filter((name) => name !== 'bring' && !Object.hasOwn(all, name.slice(3)));
  expect(commands).toContain('build');
  for (const name of commands) expect([name, all[`pre${name}`]]).toEqual([name, 'npm run --silent bring']);
});
