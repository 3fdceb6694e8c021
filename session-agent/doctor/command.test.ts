import { expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { startDoctorRig } from '../testing/doctor-rig.ts';
import { runDoctor } from './command.ts';

setDefaultTimeout(120_000);

const run = async (...args: string[]) => {
  const said: string[] = [];
  const complained: string[] = [];
  const exit = await runDoctor(args, {
    environment: {},
    usual_file: 'config.json',
    platform: 'win32',
    clock: systemClock,
    ids: systemIds,
    say: (text) => said.push(text),
    complain: (text) => complained.push(text),
  });
  return { exit, said, complained };
};

test('runDoctor() prints a line for each check, and what to do under it', async () => {
  await using rig = startDoctorRig({ settings: { key: 'a key that is not the right one' } });
  const { exit, said } = await run('--config', rig.config_file);
  expect(exit).toBe(1);
  expect(said[0]).toStartWith('ok    config         ');
  expect(said.find((text) => text.startsWith('fail  key'))).toMatch(
    /\n {19} {2}-> Compare server_name and key/,
  );
  expect(said.find((text) => text.startsWith('skip  rights'))).toContain('not looked at on Windows');
});

test('runDoctor() takes no other flags', async () => {
  for (const args of [['--yaml'], ['--config'], ['config.json']]) {
    const { exit, said, complained } = await run(...args);
    expect([exit, said, complained]).toEqual([
      2,
      [],
      ['usage: session-agent doctor [--json] [--config FILE]'],
    ]);
  }
});
