import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemIds } from '../shared/ids.ts';
import { silentLog } from '../shared/log.ts';
import { instanceOf, noteInstance } from './instance-note.ts';
import { type Rig, startRig } from './testing/rig.ts';

setDefaultTimeout(120_000);
let rig: Rig;
afterEach(() => rig.stop(), 30_000);

test('noteInstance() notes what instanceOf() finds, until it is the oldest of too many outputs', async () => {
  rig = await startRig();
  const { config, agent } = rig;
  const { log_folder } = config;
  const [session, instance] = [systemIds.id(), systemIds.id()];
  noteInstance({ config, log: silentLog }, session, instance);
  utimesSync(join(log_folder, `${session}-instance.log`), 1, 1);
  agent.host.tidy();
  expect([instanceOf(log_folder, session), instanceOf(log_folder, '../x')]).toEqual([[instance], []]);
  for (let more = 0; more < 500; more++) writeFileSync(join(log_folder, `${systemIds.id()}-app.log`), '');
  agent.host.tidy();
  expect(instanceOf(log_folder, session)).toEqual([]);
  // Nor does a session fail when the disk does not take the note.
  rmSync(log_folder, { recursive: true });
  noteInstance({ config, log: silentLog }, session, instance);
  mkdirSync(log_folder);
  expect(instanceOf(log_folder, session)).toEqual([]);
});
