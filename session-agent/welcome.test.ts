import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemIds } from '../shared/ids.ts';
import { fakeAppConfig, order, processesOf, type Rig, startRig } from './testing/rig.ts';

setDefaultTimeout(120_000);
let rig: Rig;
afterEach(() => rig.stop(), 30_000);

/**
 * An agent whose coordinator takes its time: of its second connection it hears HELLO, then `meanwhile` happens, and only then it
 * says WELCOME.
 */
const slowly = async (app: object, meanwhile: () => Promise<void>): Promise<void> => {
  let hellos = 0;
  const hello = async () => {
    hellos += 1;
    if (hellos === 2) await meanwhile();
    return {};
  };
  rig = await startRig({ apps: [app], coordinator: { hello } });
  await rig.logged('connected to the coordinator');
};

test('slowly() welcomed, startRig() tells of a session that became ready between HELLO and WELCOME', async () => {
  const file = join(tmpdir(), `vitrina-after-${systemIds.id()}`);
  await slowly(fakeAppConfig('Slow', [`-After=${file}`]), async () => {
    writeFileSync(file, '');
    await rig.logged('instance ready');
  });
  const { coordinator } = rig;
  const session = order('Slow');
  coordinator.send(session);
  await coordinator.next('app_started', (seen) =>
    seen.what === 'message' && 'phase' in seen.message && seen.message.phase === 'app_started'
      ? seen
      : undefined,
  );
  coordinator.cut();
  expect(await coordinator.message('CONNECT_TO_SESSION')).toMatchObject({
    session_id: session.session_id,
    generation: 1,
    code: session.code,
  });
});

test('slowly() welcomed, startRig() tells of an app that began to restart between HELLO and WELCOME', async () => {
  const session = order();
  await slowly(fakeAppConfig('Flat', [], { restart: { times: 3, window_seconds: 60 } }), async () => {
    const signalling = processesOf(session.session_id, 'signalling');
    // Without signalling it stays where it is until the test is done looking.
    for (const pid of signalling) process.kill(pid, 'SIGSTOP');
    for (const pid of processesOf(session.session_id, 'app')) process.kill(pid, 'SIGKILL');
    await rig.logged('instance restarting');
  });
  const { coordinator } = rig;
  coordinator.send(session);
  await coordinator.message('CONNECT_TO_SESSION');
  coordinator.cut();
  expect(await coordinator.message('SESSION_RESTARTING')).toMatchObject({ session_id: session.session_id });
  for (const pid of processesOf(session.session_id, 'signalling')) process.kill(pid, 'SIGCONT');
  await coordinator.message('CONNECT_TO_SESSION');
});
