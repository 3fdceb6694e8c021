import { expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { startDoctorRig } from '../testing/doctor-rig.ts';
import { runDoctor } from './command.ts';

setDefaultTimeout(120_000);

const run = async (config_file: string) => {
  const said: string[] = [];
  const exit = await runDoctor(
    { environment: {}, config_file, platform: 'win32', clock: systemClock, ids: systemIds },
    false,
    (text) => said.push(text),
  );
  return { exit, said };
};

test('runDoctor() prints a line for each check, and what to do under it', async () => {
  await using rig = startDoctorRig({ settings: { key: 'a key that is not the right one' } });
  const { exit, said } = await run(rig.config_file);
  expect(exit).toBe(1);
  expect(said[0]).toStartWith('ok    config         ');
  expect(said.find((text) => text.startsWith('fail  key'))).toMatch(
    /\n {19} {2}-> Compare server_name and key/,
  );
  expect(said.find((text) => text.startsWith('skip  rights'))).toContain('not looked at on Windows');
});
