import { afterAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../shared/clock.ts';
import { chaos } from './testing/chaos.ts';
import { ChaosHost, crash_points } from './testing/chaos-host.ts';
import { fakeAppConfig, order, processesOf, type RigOptions, startRig } from './testing/rig.ts';
import { sleep } from './wait.ts';

setDefaultTimeout(1_800_000);
const stops: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(stops.map((stop) => stop())), 120_000);

/** A rig that is stopped whatever becomes of its test. */
const rigs = async (options?: RigOptions) => {
  const rig = await startRig(options);
  stops.push(rig.stop);
  return rig;
};

/** On a machine that does nothing else it takes a second or two; one on which a start takes as long as that is given more. */
const longest = (first_ms: number) => Math.max(10_000, 10 * first_ms);

test.concurrent('chaos() kills agents at every crash point 100 times, and their children 100 times: what runs is what is wanted', async () => {
  const { agent, app, signalling, first_ms } = await chaos({ hosts: 4, agent_kills: 100, child_kills: 100 });
  expect(Object.keys(agent.by_point).sort()).toEqual([...crash_points].sort());
  expect(agent.kills).toBe(100);
  expect(app.kills + signalling.kills).toBe(100);
  expect(agent.missed).toBe(0);
  expect(Math.max(agent.max_ms, app.max_ms, signalling.max_ms)).toBeLessThan(longest(first_ms));
});

test.concurrent('startRig() sees an app that is frozen within 20 s and starts it again, and leaves its signalling alone', async () => {
  const rig = await rigs({ apps: [fakeAppConfig('Flat')] });
  const { coordinator } = rig;
  await coordinator.message('HELLO');
  const session = order();
  coordinator.send(session);
  await coordinator.message('CONNECT_TO_SESSION');
  const [app = 0] = processesOf(session.session_id, 'app');
  const signalling = processesOf(session.session_id, 'signalling');
  const from = systemClock.monotonic();
  process.kill(app, 'SIGSTOP');
  await coordinator.message('SESSION_RESTARTING', 60_000);
  expect(systemClock.monotonic() - from).toBeLessThan(20_000);
  await coordinator.message('CONNECT_TO_SESSION');
  expect(processesOf(session.session_id, 'app')).not.toContain(app);
  expect(processesOf(session.session_id, 'signalling')).toEqual(signalling);
});

test.concurrent('startRig() sees within 20 s that an app is frozen whose signalling was killed, too', async () => {
  const rig = await rigs({ apps: [fakeAppConfig('Flat')] });
  const { coordinator } = rig;
  await coordinator.message('HELLO');
  const session = order();
  coordinator.send(session);
  await coordinator.message('CONNECT_TO_SESSION');
  const [app = 0] = processesOf(session.session_id, 'app');
  const [signalling = 0] = processesOf(session.session_id, 'signalling');
  const from = systemClock.monotonic();
  process.kill(app, 'SIGSTOP');
  process.kill(signalling, 'SIGKILL');
  await coordinator.message('SESSION_RESTARTING', 60_000);
  while (processesOf(session.session_id, 'app').includes(app)) await sleep(systemClock, 20);
  expect(systemClock.monotonic() - from).toBeLessThan(20_000);
  await coordinator.message('CONNECT_TO_SESSION', 60_000);
  expect(rig.agent.host.describe()).toMatchObject([{ phase: 'ready', restarts: 1 }]);
});

test.concurrent('startRig() sees a signalling server that is frozen, and the app outlives its restart', async () => {
  const rig = await rigs();
  const { coordinator } = rig;
  await coordinator.message('HELLO');
  const session = order();
  coordinator.send(session);
  await coordinator.message('CONNECT_TO_SESSION');
  const apps = processesOf(session.session_id, 'app');
  process.kill(processesOf(session.session_id, 'signalling')[0] ?? 0, 'SIGSTOP');
  await coordinator.message('SESSION_RESTARTING', 60_000);
  await coordinator.message('CONNECT_TO_SESSION');
  expect(processesOf(session.session_id, 'app')).toEqual(apps);
});

test.concurrent('pause() of an agent for longer than anybody waits for it costs no session a process', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-pause-'));
  const host = new ChaosHost(folder, 0);
  try {
    await host.start();
    host.create();
    await host.settled();
    const before = host.running();
    host.pause(true);
    await sleep(systemClock, 18_000);
    host.pause(false);
    await host.coordinator.message('HELLO', 60_000);
    await host.settled();
    expect(host.running()).toEqual(before);
  } finally {
    host.pause(false);
    await host.stop();
  }
  expect(host.running()).toEqual([]);
  rmSync(folder, { recursive: true });
});
