import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../shared/clock.ts';
import { systemIds } from '../shared/ids.ts';
import { silentLog } from '../shared/log.ts';
import { Agent } from './agent.ts';
import { fullDisk } from './testing/full-disk.ts';
import {
  fakeAppConfig,
  order,
  processesOf,
  type Rig,
  type RigOptions,
  startRig,
  takenPorts,
} from './testing/rig.ts';
import { sleep } from './wait.ts';

let rig: Rig;
afterEach(() => rig.stop(), 30_000);
setDefaultTimeout(120_000);

const start = async (options?: RigOptions) => {
  rig = await startRig(options);
  await rig.coordinator.message('HELLO');
  return rig;
};

const created = async (rc_name = 'Flat') => {
  const session = order(rc_name);
  rig.coordinator.send(session);
  await rig.coordinator.message('CONNECT_TO_SESSION');
  return session;
};

const roles = (session_id: string) => ['app', 'signalling'].flatMap((role) => processesOf(session_id, role));

/** Resolves when none of these runs any more. */
const gone = async (pids: number[]) => {
  const runs = (pid: number) => readProc(pid) !== '' && !/\) [ZX] /.test(readProc(pid));
  while (pids.some(runs)) await sleep(systemClock, 10);
};
const readProc = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
};

test('succeed() goes on with a session of the agent before: same processes, same session, and its end leaves nothing', async () => {
  const { coordinator, config } = await start();
  const session = await created();
  const before = roles(session.session_id);
  await rig.succeed();
  const hello = await coordinator.message('HELLO');
  expect(hello.sessions).toEqual([
    { session_id: session.session_id, generation: 1, state: 'ready', card: 0 },
  ]);
  expect(roles(session.session_id)).toEqual(before);
  coordinator.send(session);
  const { session_id, generation } = session;
  const url = { session_id, generation, code: session.code, user_id: 'visitor', channel: 1, ice_servers: [] };
  coordinator.send({ verb: 'CONNECT_USER_TO_SESSION', ...url });
  expect((await coordinator.message('SESSION_CONNECTION_ESTABLISHED')).channel).toBe(1);
  coordinator.send({ verb: 'END_SESSION', session_id, generation, reason: 'last_left' });
  expect((await coordinator.message('SESSION_ENDED')).reason).toBe('last_left');
  expect(processesOf(session_id)).toEqual([]);
  expect(await takenPorts(config)).toEqual([]);
});

test('succeed() of an app that dies afterwards restarts it, and of one that is stopped by the coordinator ends it', async () => {
  const { coordinator } = await start();
  const session = await created();
  const [app = 0, signalling] = roles(session.session_id);
  await rig.succeed();
  // What it tells of the session anew.
  await coordinator.message('CONNECT_TO_SESSION');
  process.kill(app, 'SIGKILL');
  await coordinator.message('SESSION_RESTARTING');
  await coordinator.message('CONNECT_TO_SESSION');
  const [new_app, same] = roles(session.session_id);
  expect(new_app).not.toBe(app);
  expect(same).toBe(signalling);
  await rig.succeed();
  const { session_id } = session;
  await coordinator.message('CONNECT_TO_SESSION');
  coordinator.send({ verb: 'END_SESSION', session_id, generation: 1, reason: 'owner_ended' });
  await coordinator.message('SESSION_ENDED');
  expect(processesOf(session_id)).toEqual([]);
});

test('succeed() restarts under its policy an app that died while no agent was there, and signalling too', async () => {
  const { coordinator, agent } = await start({
    apps: [fakeAppConfig('Flat', [], { restart: { times: 1, window_seconds: 600 } })],
  });
  const session = await created();
  const { session_id } = session;
  await agent.handOver();
  const old = roles(session_id);
  for (const pid of old) process.kill(pid, 'SIGKILL');
  await gone(old);
  await rig.succeed();
  expect((await coordinator.message('CONNECT_TO_SESSION')).session_id).toBe(session_id);
  expect(roles(session_id)).toHaveLength(2);
  const second = processesOf(session_id, 'app');
  await rig.agent.handOver();
  process.kill(second[0] ?? 0, 'SIGKILL');
  await gone(second);
  await rig.succeed();
  expect(await coordinator.message('SESSION_ENDED')).toMatchObject({ session_id, reason: 'app_crashed' });
  expect(processesOf(session_id)).toEqual([]);
  coordinator.send(session);
  expect((await coordinator.message('SESSION_ENDED')).detail).toContain('has ended here already');
});

test('succeed() leaves a process alone whose number the journal has with another birth, and ends what nothing explains', async () => {
  const { config, agent } = await start();
  await agent.handOver();
  const sleeper = (instance: string, role: string) =>
    Bun.spawn(['/bin/sleep', '1000'], {
      env: { VITRINA_HOST: config.state_folder, VITRINA_INSTANCE: instance, VITRINA_ROLE: role },
      detached: true,
    });
  const stranger = Bun.spawn(['/bin/sleep', '1000'], { detached: true });
  const stray = sleeper(systemIds.id(), 'app');
  const session = order();
  const { session_id: instance_id } = session;
  const ports = { player: config.ports.from, streamer: config.ports.from + 1, sfu: config.ports.from + 2 };
  const app = config.apps[0];
  const born = '1@an-earlier-boot';
  const lines = [
    { is: 'launch', instance_id, app, card: 0, secret: 'secret', order: session, at: Date.now() },
    { is: 'intent', instance_id, role: 'signalling', ports, at: Date.now() },
    { is: 'started', instance_id, role: 'signalling', process: { pid: stranger.pid, born } },
    { is: 'intent', instance_id, role: 'app', ports, at: Date.now() },
    { is: 'started', instance_id, role: 'app', process: { pid: stranger.pid, born } },
    { is: 'ready', instance_id },
  ];
  const file = join(config.state_folder, 'journal.jsonl');
  writeFileSync(file, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"is":"ended","instan`);
  await rig.succeed();
  await stray.exited;
  await rig.coordinator.message('CONNECT_TO_SESSION');
  expect(roles(instance_id)).toHaveLength(2);
  expect(roles(instance_id)).not.toContain(stranger.pid);
  expect(stranger.exitCode).toBeNull();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  rig.coordinator.send({ verb: 'END_SESSION', session_id: instance_id, generation: 1, reason: 'last_left' });
  await rig.coordinator.message('SESSION_ENDED');
  expect(stranger.exitCode).toBeNull();
  stranger.kill();
});

test('succeed() with a session that has ended here launches nothing and says how it ended, a later agent too', async () => {
  const { coordinator } = await start();
  const session = await created();
  const { session_id } = session;
  coordinator.send({ verb: 'END_SESSION', session_id, generation: 1, reason: 'nobody_came' });
  await coordinator.message('SESSION_ENDED');
  await rig.succeed();
  await coordinator.message('HELLO');
  coordinator.send(session);
  expect(await coordinator.message('SESSION_ENDED')).toMatchObject({ session_id, reason: 'nobody_came' });
  coordinator.send({ ...session, generation: 2 });
  expect((await coordinator.message('CONNECT_TO_SESSION')).generation).toBe(2);
});

test('start() refuses a state folder that another agent has', async () => {
  const { config } = await start();
  const other = new Agent({
    config,
    version: '1.2.3',
    signalling: ['/bin/false'],
    environment: {},
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
  });
  expect(other.start()).rejects.toThrow(
    `another agent runs on ${config.state_folder}: process ${process.pid}`,
  );
});

test('succeed() on a full disk takes sessions over and supervises them, refuses new ones with the disk named, and recovers', async () => {
  const disk = fullDisk();
  const { coordinator, config } = await start({ openFile: disk.openFile });
  const { session_id, generation } = await created();
  const before = roles(session_id);
  disk.full = true;
  await rig.succeed();
  expect((await coordinator.message('HELLO')).sessions).toMatchObject([{ session_id, state: 'ready' }]);
  expect(roles(session_id)).toEqual(before);
  const refused = order();
  coordinator.send(refused);
  const { reason, detail } = await coordinator.message('SESSION_ENDED');
  expect(reason).toBe('host_refused');
  expect(detail).toContain(`the disk is full: ${join(config.state_folder, 'journal.jsonl')}`);
  expect(detail).toContain('ENOSPC');
  expect(roles(refused.session_id)).toEqual([]);
  coordinator.send({ verb: 'END_SESSION', session_id, generation, reason: 'last_left' });
  expect((await coordinator.message('SESSION_ENDED')).reason).toBe('last_left');
  expect(roles(session_id)).toEqual([]);
  disk.full = false;
  await created();
});
