import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { configSchema } from './config.ts';
import type { FakeCoordinator } from './testing/fake-coordinator.ts';
import {
  fakeAppConfig,
  order,
  portRange,
  processesOf,
  type Rig,
  type RigOptions,
  startRig,
  takenPorts,
} from './testing/rig.ts';

let rig: Rig;
const start = async (options?: RigOptions) => {
  rig = await startRig(options);
  await rig.coordinator.message('HELLO');
  return rig;
};
afterEach(() => rig.stop(), 30_000);
setDefaultTimeout(120_000);

const created = async (coordinator: FakeCoordinator, rc_name = 'Flat') => {
  const session = order(rc_name);
  coordinator.send(session);
  await coordinator.message('CONNECT_TO_SESSION');
  return session;
};

/** Opens a player channel and returns what the player would do with it. */
const player = (
  coordinator: FakeCoordinator,
  session: ReturnType<typeof order>,
  channel: number,
  view_only = false,
) => {
  const { session_id, generation, code } = session;
  coordinator.send({
    verb: 'CONNECT_USER_TO_SESSION',
    session_id,
    generation,
    code,
    channel,
    user_id: 'user-1',
    ice_servers: [{ urls: ['stun:stun.example:3478'] }],
    view_only,
  });
  return {
    say: (message: object) =>
      coordinator.relay({ kind: 'data', channel, payload: Buffer.from(JSON.stringify(message)) }),
    hear: (type: string) =>
      coordinator.next(`${type} on channel ${channel}`, (seen) => {
        if (seen.what !== 'frame' || seen.frame.kind !== 'data' || seen.frame.channel !== channel)
          return undefined;
        const message = JSON.parse(seen.text);
        return message.type === type ? message : undefined;
      }),
    closed: () =>
      coordinator.next(`end of channel ${channel}`, (seen) =>
        seen.what === 'frame' && seen.frame.kind === 'close' && seen.frame.channel === channel
          ? { code: seen.frame.code, reason: seen.frame.reason }
          : undefined,
      ),
  };
};

test('startRig() says in HELLO what its cards are and its apps need, and in HEARTBEAT how busy the machine is', async () => {
  const card = { index: 1, seats: 2, vram_mb: 24_000 };
  rig = await startRig({
    apps: [fakeAppConfig('Flat', [], { vram_mb: 4_000, encoders: 2 })],
    settings: { cards: [card], placing: 'pack' },
    coordinator: { hello: () => ({ heartbeat_ms: 200 }) },
  });
  const { coordinator } = rig;
  const hello = await coordinator.message('HELLO');
  expect(hello).toMatchObject({
    ...{ cards: [{ ...card, encoders: null }], placing: 'pack', version: '1.2.3' },
    needs: [{ rc_name: 'Flat', vram_mb: 4_000, encoders: 2 }],
  });
  const { figures } = await coordinator.message('HEARTBEAT');
  expect(figures?.memory_total_mb).toBeGreaterThan(100);
  expect(figures?.memory_used_mb).toBeWithin(1, (figures?.memory_total_mb ?? 0) + 1);
  coordinator.cut();
  expect((await coordinator.message('HELLO')).life).toBe(hello.life ?? 'none');
});

test('startRig() reports every phase of a session, relays a player both ways, and the end leaves no process and no port', async () => {
  const { coordinator, config } = await start();
  const session = order();
  coordinator.send(session);
  expect((await coordinator.message('SESSION_STARTING')).phase).toBe('launching');
  expect((await coordinator.message('SESSION_STARTING')).phase).toBe('app_started');
  const ready = await coordinator.message('CONNECT_TO_SESSION');
  expect(ready).toMatchObject({ ip: '127.0.0.1', code: session.code, generation: 1 });
  expect(processesOf(session.session_id)).toHaveLength(2);

  const visitor = player(coordinator, session, 7);
  visitor.say({ type: 'listStreamers' });
  expect((await visitor.hear('config')).peerConnectionOptions.iceServers[0].urls).toEqual([
    'stun:stun.example:3478',
  ]);
  const [id] = (await visitor.hear('streamerList')).ids;
  expect(id).toBe(`vitrina-${session.session_id}`);
  visitor.say({ type: 'subscribe', streamerId: id });
  expect(JSON.parse((await visitor.hear('offer')).sdp)).toEqual({ ice_servers: session.ice_servers });
  visitor.say({ type: 'answer', sdp: 'an answer' });
  expect((await visitor.hear('iceCandidate')).candidate.candidate).toBe('an answer');
  expect((await coordinator.message('SESSION_CONNECTION_ESTABLISHED')).channel).toBe(7);

  const watcher = player(coordinator, session, 8, true);
  watcher.say({ type: 'subscribe', streamerId: id });
  await watcher.hear('offer');
  watcher.say({ type: 'answer', sdp: 'v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n' });
  expect((await watcher.hear('iceCandidate')).candidate.candidate).toContain('m=application 0 ');

  coordinator.send({
    verb: 'END_SESSION',
    session_id: session.session_id,
    generation: 1,
    reason: 'last_left',
  });
  expect((await visitor.closed()).code).toBe(4410);
  expect((await coordinator.message('SESSION_ENDED')).reason).toBe('last_left');
  expect(processesOf(session.session_id)).toEqual([]);
  expect(await takenPorts(config)).toEqual([]);
});

test.each([
  ['Missing', 'app_not_found', '/nowhere/flat.exe does not exist'],
  ['Unknown', 'app_not_found', 'no app "Unknown"'],
  ['Exits', 'app_exited', 'exit code 3; last output: '],
  ['Silent', 'start_timeout', 'no streamer had registered after 1.5 s'],
])('create session() of the app "%s" ends with %s and a detail', async (rc_name, reason, detail) => {
  const { coordinator, config, log } = await start({
    apps: [
      fakeAppConfig('Missing', [], { path: '/nowhere/flat.exe' }),
      fakeAppConfig('Exits', ['-Exit=3']),
      fakeAppConfig('Silent', ['-Silent'], { start_timeout_seconds: 1.5 }),
    ],
  });
  expect(log.find(({ level, app }) => level === 'error' && app === 'Missing')?.problem).toContain(
    'does not exist',
  );
  const session = order(rc_name);
  coordinator.send(session);
  const ended = await coordinator.message('SESSION_ENDED');
  expect(ended.reason).toBe(reason as typeof ended.reason);
  expect(ended.detail).toContain(detail);
  if (rc_name === 'Exits') expect(ended.detail).toContain('the licence server said no');
  expect(processesOf(session.session_id)).toEqual([]);
  expect(await takenPorts(config)).toEqual([]);
});

test('startRig() restarts an app that crashes in the same session, as often as configured', async () => {
  const app = fakeAppConfig('Flat', ['-CrashAfter=3000'], { restart: { times: 1, window_seconds: 600 } });
  const { coordinator } = await start({ apps: [app] });
  const session = await created(coordinator);
  const [signalling] = processesOf(session.session_id, 'signalling');
  await coordinator.message('SESSION_RESTARTING');
  await coordinator.message('CONNECT_TO_SESSION');
  expect(processesOf(session.session_id, 'signalling')).toEqual([signalling ?? 0]);
  const ended = await coordinator.message('SESSION_ENDED');
  expect(ended.reason).toBe('app_crashed');
  expect(ended.detail).toContain('exit code 9; last output: ');
  expect(processesOf(session.session_id)).toEqual([]);
});

test('startRig() with an app that is killed ends the session when no restart is configured', async () => {
  const { coordinator } = await start({
    apps: [fakeAppConfig('Flat', [], { restart: { times: 0, window_seconds: 600 } })],
  });
  const session = await created(coordinator);
  process.kill(processesOf(session.session_id, 'app')[0] ?? 0, 'SIGKILL');
  expect(await coordinator.message('SESSION_ENDED')).toMatchObject({ reason: 'app_crashed' });
  expect(processesOf(session.session_id)).toEqual([]);
});

test('startRig() with a signalling process that is killed: it comes back on the same ports, and the app with it', async () => {
  const { coordinator } = await start();
  const session = order();
  coordinator.send(session);
  const { port } = await coordinator.message('CONNECT_TO_SESSION');
  const [app] = processesOf(session.session_id, 'app');
  const visitor = player(coordinator, session, 1);
  await visitor.hear('config');
  process.kill(processesOf(session.session_id, 'signalling')[0] ?? 0, 'SIGKILL');
  await visitor.closed();
  await coordinator.message('SESSION_RESTARTING');
  expect((await coordinator.message('CONNECT_TO_SESSION')).port).toBe(port);
  expect(processesOf(session.session_id, 'app')).toEqual([app ?? 0]);
  const again = player(coordinator, session, 2);
  again.say({ type: 'listStreamers' });
  expect((await again.hear('streamerList')).ids).toEqual([`vitrina-${session.session_id}`]);
});

test('startRig() with a signalling server that cannot run ends the session as signalling_failed', async () => {
  const { coordinator } = await start({ signalling: ['/bin/false'] });
  coordinator.send(order());
  const ended = await coordinator.message('SESSION_ENDED');
  expect(ended).toMatchObject({ reason: 'signalling_failed', detail: 'exit code 1' });
});

test('startRig() takes along at the end of a session a child that left the group and ignores SIGTERM', async () => {
  const { coordinator } = await start({ apps: [fakeAppConfig('Flat', ['-Stubborn'])] });
  const { session_id } = await created(coordinator);
  expect(processesOf(session_id, 'app').length).toBeGreaterThanOrEqual(2);
  coordinator.send({ verb: 'END_SESSION', session_id, generation: 1, reason: 'owner_ended' });
  expect((await coordinator.message('SESSION_ENDED')).reason).toBe('owner_ended');
  expect(processesOf(session_id)).toEqual([]);
});

test('startRig() ends a session while it starts, of an older generation, and of a session that is not here', async () => {
  const { coordinator } = await start();
  const session = order();
  const { session_id } = session;
  coordinator.send({ ...session, generation: 2 });
  coordinator.send({ ...session, generation: 2 });
  coordinator.send({ verb: 'END_SESSION', session_id, generation: 1, reason: 'owner_ended' });
  coordinator.send({ verb: 'END_SESSION', session_id, generation: 2, reason: 'nobody_came' });
  expect(await coordinator.message('SESSION_ENDED')).toMatchObject({ generation: 2, reason: 'nobody_came' });
  expect(processesOf(session_id)).toEqual([]);
  coordinator.send({ verb: 'END_SESSION', session_id, generation: 2, reason: 'last_left' });
  expect(await coordinator.message('SESSION_ENDED')).toMatchObject({ generation: 2, reason: 'last_left' });
  const rest = coordinator.seen.flatMap((one) => (one.what === 'message' ? [one.name] : []));
  expect(rest.filter((name) => name !== 'HEARTBEAT')).toEqual(['SESSION_STARTING']);
});

test('startRig() refuses a session when every seat is in use', async () => {
  const { coordinator } = await start({ settings: { seats: 1 } });
  await created(coordinator);
  const second = order();
  coordinator.send(second);
  const ended = await coordinator.message('SESSION_ENDED');
  expect(ended).toMatchObject({
    session_id: second.session_id,
    reason: 'host_refused',
    detail: 'the only seat is in use',
  });
});

test('startRig() refuses a user with a wrong code, too early, or to nothing on its own channel', async () => {
  const { coordinator } = await start({
    apps: [fakeAppConfig('Flat'), fakeAppConfig('Silent', ['-Silent'])],
  });
  const session = await created(coordinator);
  const patient = player(coordinator, session, 1);
  await patient.hear('config');
  expect((await player(coordinator, { ...session, code: '0000' }, 2).closed()).code).toBe(4404);
  expect((await player(coordinator, order(), 3).closed()).code).toBe(4404);
  const starting = order('Silent');
  coordinator.send(starting);
  expect((await player(coordinator, starting, 4).closed()).code).toBe(4409);
  patient.say({ type: 'listStreamers' });
  await patient.hear('streamerList');
});

test('startRig() logs an app that loses its streamer connection without exiting', async () => {
  const { coordinator, log } = await start({ apps: [fakeAppConfig('Flat', ['-Drop'])] });
  const session = await created(coordinator);
  const visitor = player(coordinator, session, 1);
  visitor.say({ type: 'subscribe', streamerId: `vitrina-${session.session_id}` });
  await visitor.closed();
  await rig.logged('the streamer has gone');
  expect(log.at(-1)?.level).toBe('warn');
  expect(processesOf(session.session_id, 'app')).toHaveLength(1);
});

test("startRig() with a link that is cut closes the players' channels, and sessions go on and are in the next HELLO", async () => {
  const { coordinator } = await start();
  const session = await created(coordinator);
  const visitor = player(coordinator, session, 1);
  await visitor.hear('config');
  coordinator.cut();
  const { sessions } = await coordinator.message('HELLO');
  expect(sessions).toEqual([{ session_id: session.session_id, generation: 1, state: 'ready', card: 0 }]);
  const again = player(coordinator, session, 1);
  await again.hear('config');
  expect(processesOf(session.session_id)).toHaveLength(2);
});

test('startRig() stops at WELCOME the sessions that the coordinator does not want any more, and keeps the others', async () => {
  let unwanted = '';
  const { coordinator } = await start({
    coordinator: {
      hello: ({ sessions }) => ({
        sessions: sessions.map(({ session_id, generation }) => ({
          session_id,
          generation,
          action: session_id === unwanted ? 'stop' : 'keep',
        })),
      }),
    },
  });
  const first = await created(coordinator);
  const second = await created(coordinator);
  unwanted = first.session_id;
  coordinator.cut();
  const ended = await coordinator.message('SESSION_ENDED');
  expect(ended).toMatchObject({ session_id: first.session_id, reason: 'coordinator_forgot' });
  expect(processesOf(first.session_id)).toEqual([]);
  expect(processesOf(second.session_id)).toHaveLength(2);
});

test('stop() ends every session as host_stopped, hangs up, and may be called twice', async () => {
  const { coordinator, agent, config } = await start();
  const session = await created(coordinator);
  await Promise.all([agent.stop(), agent.stop()]);
  expect((await coordinator.message('SESSION_ENDED')).reason).toBe('host_stopped');
  await coordinator.next('end of the link', (seen) => (seen.what === 'closed' ? seen : undefined));
  expect(processesOf(session.session_id)).toEqual([]);
  expect(await takenPorts(config)).toEqual([]);
});

test('reconfigure() launches what is new, tells the coordinator, and leaves live sessions alone', async () => {
  const { coordinator, agent, config } = await start();
  const session = await created(coordinator);
  const before = processesOf(session.session_id);
  const { state_folder: _, ...said } = config;
  const { apps } = configSchema.parse({ ...said, apps: [fakeAppConfig('Villa')] });
  await agent.reconfigure({ ...config, seats: 3, apps });
  const hello = await coordinator.message('HELLO');
  expect(hello).toMatchObject({ seats: 3, apps: ['Villa'], life: agent.life, version: '1.2.3' });
  expect(hello.sessions.map(({ session_id }) => session_id)).toEqual([session.session_id]);
  await created(coordinator, 'Villa');
  const gone = order('Flat');
  coordinator.send(gone);
  expect(await coordinator.message('SESSION_ENDED')).toMatchObject({ reason: 'app_not_found' });
  expect(processesOf(session.session_id)).toEqual(before);
});

test('reconfigure() does not disturb the link for what the coordinator need not know', async () => {
  const { coordinator, agent, config, logged } = await start();
  await agent.reconfigure({ ...config, apps: [], seats: config.seats });
  await coordinator.message('HELLO');
  await logged('connected to the coordinator');
  const { upgrades } = coordinator;
  const dialled = upgrades.length;
  await agent.reconfigure({ ...config, apps: [], ports: portRange() });
  const session = order('Flat');
  coordinator.send(session);
  await coordinator.message('SESSION_ENDED');
  expect(upgrades).toHaveLength(dialled);
});
