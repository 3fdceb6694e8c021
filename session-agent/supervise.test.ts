import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fakeAppConfig, order, processesOf, type Rig, type RigOptions, startRig } from './testing/rig.ts';

let rig: Rig;
afterEach(() => rig.stop(), 30_000);
setDefaultTimeout(120_000);

const start = async (options?: RigOptions) => {
  rig = await startRig(options);
  await rig.coordinator.message('HELLO');
  return rig.coordinator;
};
const no_restart = { restart: { times: 0, window_seconds: 600 } };
const once = { restart: { times: 1, window_seconds: 600 } };

test('startRig() ends an app that takes more memory than it may, after its restarts', async () => {
  const settings = { ...once, memory_mb: 150 };
  const coordinator = await start({ apps: [fakeAppConfig('Flat', ['-Grow=1500'], settings)] });
  coordinator.send(order());
  await coordinator.message('CONNECT_TO_SESSION');
  await coordinator.message('SESSION_RESTARTING');
  await coordinator.message('CONNECT_TO_SESSION');
  const ended = await coordinator.message('SESSION_ENDED');
  expect(ended.reason).toBe('memory_limit');
  expect(ended.detail).toMatch(/^it takes \d+ MB of memory, and may take 150/);
});

test('startRig() ends a session that has had its app for as long as it may', async () => {
  const coordinator = await start({ apps: [fakeAppConfig('Flat', [], { longest_minutes: 0.02 })] });
  const { session_id, ...session } = order();
  coordinator.send({ session_id, ...session });
  await coordinator.message('CONNECT_TO_SESSION');
  expect(await coordinator.message('SESSION_ENDED')).toMatchObject({ reason: 'time_limit' });
  expect(processesOf(session_id)).toEqual([]);
});

test('startRig() restarts an app that gives its streamer connection up, and ends as app_hung when it does so again', async () => {
  const settings = { ...once, hung_seconds: 0.2 };
  const coordinator = await start({ apps: [fakeAppConfig('Flat', ['-DropAfter=300'], settings)] });
  const { session_id, ...session } = order();
  coordinator.send({ session_id, ...session });
  await coordinator.message('CONNECT_TO_SESSION');
  await coordinator.message('SESSION_RESTARTING');
  await coordinator.message('CONNECT_TO_SESSION');
  const ended = await coordinator.message('SESSION_ENDED');
  expect(ended.reason).toBe('app_hung');
  expect(ended.detail).toContain('the streamer did not come back after 0.2 s; last output: ');
  expect(processesOf(session_id)).toEqual([]);
});

test('startRig() ends as start_timeout when a restarted app never registers, after the restarts that are left', async () => {
  const flag = join(mkdtempSync(join(tmpdir(), 'vitrina-once-')), 'flag');
  const settings = { restart: { times: 2, window_seconds: 600 }, start_timeout_seconds: 3 };
  const coordinator = await start({ apps: [fakeAppConfig('Flat', [`-Once=${flag}`], settings)] });
  const { session_id, ...session } = order();
  coordinator.send({ session_id, ...session });
  await coordinator.message('CONNECT_TO_SESSION');
  const [first = 0] = processesOf(session_id, 'app');
  process.kill(first, 'SIGKILL');
  const ended = await coordinator.message('SESSION_ENDED', 60_000);
  expect(ended.reason).toBe('start_timeout');
  expect(rig.log.filter(({ msg, role }) => msg === 'started' && role === 'app')).toHaveLength(3);
  rmSync(dirname(flag), { recursive: true });
});

test('startRig() takes an app back that was away for less than it may', async () => {
  const coordinator = await start({ apps: [fakeAppConfig('Flat', ['-AwayAfter=300'], no_restart)] });
  const { session_id, ...session } = order();
  coordinator.send({ session_id, ...session });
  await coordinator.message('CONNECT_TO_SESSION');
  await rig.logged('the streamer has gone');
  await rig.logged('the streamer is back');
  expect(rig.agent.host.inventory()).toMatchObject([{ session_id, state: 'ready' }]);
  expect(coordinator.seen.some((one) => one.what === 'message' && one.name === 'SESSION_RESTARTING')).toBe(
    false,
  );
});

test('startRig() starts the signalling server that the app names, by its own arguments and without our secret', async () => {
  const main = resolve(import.meta.dir, '..', 'signalling', 'main.ts');
  const ports = ['player', 'streamer', 'sfu'].flatMap((role) => [`--${role}_port`, `{${role}_port}`]);
  const signalling = { path: process.execPath, arguments: [main, ...ports, '--bind', '127.0.0.1'] };
  const coordinator = await start({
    signalling: ['/bin/false'],
    apps: [fakeAppConfig('Flat', [], { signalling })],
  });
  const session = order();
  const { session_id, generation, code } = session;
  coordinator.send(session);
  const { port } = await coordinator.message('CONNECT_TO_SESSION');
  const visitor = { user_id: 'visitor', channel: 1, ice_servers: [], view_only: true };
  coordinator.send({ verb: 'CONNECT_USER_TO_SESSION', session_id, generation, code, ...visitor });
  await coordinator.message('SESSION_CONNECTION_ESTABLISHED');
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  const opened = await new Promise((resolve) => {
    socket.addEventListener('open', () => resolve(true));
    socket.addEventListener('close', () => resolve(false));
  });
  expect(opened).toBe(true);
  expect(rig.log.some(({ msg }) => msg.includes('who may only watch can steer'))).toBe(true);
  socket.close();
});

test('startRig() with a disk that takes no intent starts nothing, says so, and the seat is free', async () => {
  let full = true;
  const coordinator = await start({
    settings: { seats: 1 },
    around: ({ journal, start }) => ({
      start,
      journal: {
        get account() {
          return journal.account;
        },
        append: async (entry) => {
          if (full && entry.is === 'intent') throw new Error('no space left on device');
          await journal.append(entry);
        },
      },
    }),
  });
  const { session_id, ...session } = order();
  coordinator.send({ session_id, ...session });
  const ended = await coordinator.message('SESSION_ENDED');
  expect(ended).toMatchObject({ reason: 'host_refused', detail: 'no space left on device' });
  expect(processesOf(session_id)).toEqual([]);
  full = false;
  coordinator.send(order());
  expect(await coordinator.message('CONNECT_TO_SESSION')).toMatchObject({ generation: 1 });
});

test('startRig() tells at the next link how a session ended while there was none', async () => {
  const coordinator = await start({ apps: [fakeAppConfig('Flat', [], no_restart)] });
  const { session_id, ...session } = order();
  coordinator.send({ session_id, ...session });
  await coordinator.message('CONNECT_TO_SESSION');
  const [app = 0] = processesOf(session_id, 'app');
  coordinator.cut();
  process.kill(app, 'SIGKILL');
  expect(await coordinator.message('SESSION_ENDED')).toMatchObject({ session_id, reason: 'app_crashed' });
  expect(rig.agent.host.inventory()).toEqual([]);
});
