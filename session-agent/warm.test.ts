import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../shared/clock.ts';
import type { AgentConfig } from './config.ts';
import { instanceOf } from './instance-note.ts';
import { fakeAppConfig, order, processesOf, type Rig, type RigOptions, startRig } from './testing/rig.ts';
import { sleep } from './wait.ts';

let rig: Rig;
afterEach(() => rig.stop(), 30_000);
setDefaultTimeout(120_000);

const start = async (options?: RigOptions) => {
  rig = await startRig(options);
  await rig.coordinator.message('HELLO');
  return rig;
};

/** Resolves as soon as `holds` does. */
const until = async (holds: () => boolean) => {
  while (!holds()) await sleep(systemClock, 5);
};
const ready = () => rig.agent.host.warm().reduce((sum, one) => sum + one.ready, 0);
const warmIds = () =>
  rig.agent.host
    .describe()
    .flatMap(({ instance_id, session_id }) => (session_id === undefined ? [instance_id] : []));
const warmApp = (warm: number, settings: object = {}) => fakeAppConfig('Flat', [], { warm, ...settings });

test('warm() gives a session the warm instance at once, with its ICE servers, and the pool starts another', async () => {
  const { coordinator, agent } = await start({ apps: [warmApp(1)] });
  await until(() => ready() === 1);
  expect(agent.host.warm()).toEqual([{ rc_name: 'Flat', card: 0, ready: 1 }]);
  expect(agent.host.inventory()).toEqual([]);
  const [first = ''] = warmIds();
  const session = order();
  coordinator.send(session);
  const { session_id, generation, code } = session;
  const { port } = await coordinator.message('CONNECT_TO_SESSION');
  expect(coordinator.seen.filter((one) => one.what === 'message' && one.name === 'SESSION_STARTING')).toEqual(
    [],
  );
  const [status] = agent.host.describe();
  expect(status).toMatchObject({ instance_id: first, session_id, phase: 'ready' });
  const socket = new WebSocket(`ws://127.0.0.1:${port}/?token=wrong`);
  await new Promise((resolve) => socket.addEventListener('close', resolve));
  const say = (message: object) =>
    coordinator.relay({ kind: 'data', channel: 1, payload: Buffer.from(JSON.stringify(message)) });
  const visitor = { user_id: 'visitor', channel: 1, ice_servers: [] };
  coordinator.send({ verb: 'CONNECT_USER_TO_SESSION', session_id, generation, code, ...visitor });
  say({ type: 'subscribe', streamerId: `vitrina-${first}` });
  const offer = await coordinator.next('an offer', (seen) =>
    seen.what === 'frame' && seen.text.includes('"offer"') ? JSON.parse(seen.text) : undefined,
  );
  expect(JSON.parse(offer.sdp)).toEqual({ ice_servers: session.ice_servers });
  await until(() => ready() === 1);
  const second = order();
  coordinator.send(second);
  await coordinator.message('CONNECT_TO_SESSION');
  expect(agent.host.inventory()).toHaveLength(2);
  expect(warmIds()).toEqual([]);
  coordinator.send({ verb: 'END_SESSION', session_id, generation, reason: 'last_left' });
  await coordinator.message('SESSION_ENDED');
  expect(processesOf(first)).toEqual([]);
  // Whoever looks for the session's output later finds that of its instance.
  expect(instanceOf(rig.config.log_folder, session_id)).toEqual([first]);
  expect(instanceOf(rig.config.log_folder, second.session_id)).not.toEqual([first]);
  await until(() => ready() === 1);
  expect(warmIds()).not.toContain(first);
});

test('warm() of a host with a session that needs the room of a warm instance stops that first', async () => {
  const { coordinator } = await start({
    settings: { seats: 1 },
    apps: [warmApp(1), fakeAppConfig('Tower', ['-Stubborn'])],
  });
  await until(() => ready() === 1);
  const [warm = ''] = warmIds();
  const session = order('Tower');
  coordinator.send(session);
  await coordinator.message('CONNECT_TO_SESSION');
  expect(processesOf(warm)).toEqual([]);
  expect(rig.agent.host.describe()).toHaveLength(1);
  const { session_id } = session;
  coordinator.send({ verb: 'END_SESSION', session_id, generation: 1, reason: 'last_left' });
  await coordinator.message('SESSION_ENDED');
  await until(() => ready() === 1);
});

test('describeWarm() shows that WARM raises what config.json asks for, and lets the surplus go', async () => {
  const { coordinator, agent } = await start({ settings: { seats: 3 }, apps: [warmApp(1)] });
  coordinator.send({ msg: 'HEARTBEAT', time: 1 });
  coordinator.send({ verb: 'WARM', apps: [{ rc_name: 'Flat', card: 0, instances: 3 }] });
  await until(() => ready() === 3);
  expect(agent.host.describeWarm()).toEqual([{ rc_name: 'Flat', wanted: 3, ready: 3, starting: 0 }]);
  coordinator.send({ verb: 'WARM', apps: [] });
  await until(() => rig.agent.host.describe().length === 1);
  expect(ready()).toBe(1);
});

test('describeWarm() shows that failing warm starts back off, and sessions start all the same', async () => {
  const { coordinator, agent } = await start({
    settings: { seats: 2 },
    apps: [fakeAppConfig('Broken', ['-Exit=3'], { warm: 2 }), fakeAppConfig('Flat')],
  });
  await until(() => (agent.host.describeWarm()[0]?.failures ?? 0) >= 2);
  const [broken] = agent.host.describeWarm();
  expect(broken).toMatchObject({ rc_name: 'Broken', wanted: 2, ready: 0 });
  expect(broken?.last_error).toContain('app_exited: exit code 3');
  expect(broken?.next_try_at).toBeGreaterThan(Date.now());
  for (const session of [order(), order()]) {
    coordinator.send(session);
    await coordinator.message('CONNECT_TO_SESSION');
  }
  expect(rig.log.some(({ level, msg }) => level === 'warn' && msg === 'a warm instance failed')).toBe(true);
});

test('describeWarm() tells of a failure when the stop begins, and nothing takes the place of what has not gone', async () => {
  const { agent } = await start({
    settings: { seats: 2 },
    apps: [
      fakeAppConfig('Slow', ['-Silent', '-Stubborn'], {
        warm: 1,
        start_timeout_seconds: 0.5,
        stop_grace_seconds: 1,
      }),
    ],
  });
  const failures = () => agent.host.describeWarm()[0]?.failures ?? 0;
  await until(() => failures() === 1);
  expect(agent.host.describe().map(({ phase }) => phase)).toEqual(['stopping']);
  await until(() => agent.host.describe().length !== 1);
  expect(agent.host.describe()).toEqual([]);
  // Another command line does not wait for what the one before did.
  const { config } = rig;
  const [app] = config.apps;
  if (app === undefined) throw new Error('no app');
  agent.host.reconfigure({ ...config, apps: [{ ...app, arguments: fakeAppConfig('Slow').arguments }] });
  expect(failures()).toBe(0);
  await until(() => ready() === 1);
});

test('reconfigure() leaves sessions alone, replaces warm instances of what changed, and lowers the seats for new ones', async () => {
  const { coordinator, agent, config } = await start({ settings: { seats: 2 }, apps: [warmApp(1)] });
  await until(() => ready() === 1);
  const session = order();
  coordinator.send(session);
  await coordinator.message('CONNECT_TO_SESSION');
  await until(() => ready() === 1);
  const [old = ''] = warmIds();
  const [app] = config.apps;
  if (app === undefined) throw new Error('no app');
  const changed: AgentConfig = { ...config, apps: [{ ...app, hung_seconds: 4 }] };
  agent.host.reconfigure(changed);
  await until(() => ready() === 1 && !warmIds().includes(old));
  expect(processesOf(old)).toEqual([]);
  agent.host.reconfigure({ ...changed, seats: 1, apps: [{ ...app, rc_name: 'Other', warm: 0 }] });
  await until(() => rig.agent.host.describe().length === 1);
  coordinator.send(order());
  expect((await coordinator.message('SESSION_ENDED')).reason).toBe('app_not_found');
  coordinator.send(order('Other'));
  expect((await coordinator.message('SESSION_ENDED')).detail).toBe('the only seat is in use');
  expect(agent.host.inventory()).toMatchObject([{ session_id: session.session_id, state: 'ready' }]);
});

test('succeed() keeps a warm instance warm, and ends one that is not whole', async () => {
  const { coordinator, agent } = await start({ settings: { seats: 2 }, apps: [warmApp(2)] });
  await until(() => ready() === 2);
  const [kept = '', broken = ''] = warmIds();
  await agent.handOver();
  process.kill(processesOf(broken, 'app')[0] ?? 0, 'SIGKILL');
  await until(() => processesOf(broken, 'app').length === 0);
  await rig.succeed();
  await until(() => ready() === 2 && !warmIds().includes(broken));
  expect(warmIds()).toContain(kept);
  expect(processesOf(broken)).toEqual([]);
  await coordinator.message('HELLO');
  const session = order();
  coordinator.send(session);
  await coordinator.message('CONNECT_TO_SESSION');
  expect(agent.host.inventory()).toHaveLength(0);
  expect(rig.agent.host.inventory()).toHaveLength(1);
});
