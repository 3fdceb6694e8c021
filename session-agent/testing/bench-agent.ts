import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import { sleep } from '../wait.ts';
import { type FakeCoordinator, type Seen, startFakeCoordinator } from './fake-coordinator.ts';
import { fakeAppConfig, key, order, portRange } from './rig.ts';

/**
 * `bun run bench:agent [rounds] [idle seconds]`: what the compiled agent costs. Needs `npm run build`. A fake coordinator orders
 * sessions and takes the times; the app is a streamer without media. Beside them, in the same run: how long the app takes to
 * register when nothing of ours starts it, and what a bare echo costs for each message. Prints JSON.
 */
const ROUNDS = Number(process.argv[2] ?? 20);
const IDLE_SECONDS = Number(process.argv[3] ?? 60);
/** Often, so that a warm instance is heard of at once; an idle agent is measured at its usual pace. */
const BUSY_HEARTBEAT_MS = 100;
const PATIENCE_MS = 60_000;
const PLAYERS = 50;
/** Below what signalling lets one player send. */
const FRAMES_PER_SECOND = 40;
const RELAY_SECONDS = 10;
const executable = resolve(import.meta.dir, '..', '..', 'dist', 'session-agent-linux-x64');
const fakeApp = join(import.meta.dir, 'fake-app.ts');

const rounded = (value: number, digits = 1): number => Number(value.toFixed(digits));

const spread = (took_ms: readonly number[]) => {
  const sorted = took_ms.toSorted((a, b) => a - b);
  const part = (share: number) => rounded(sorted[Math.ceil((sorted.length - 1) * share)] ?? Number.NaN);
  return { rounds: sorted.length, p50_ms: part(0.5), p95_ms: part(0.95), most_ms: part(1) };
};

/** User and system time of a process, ms. The kernel counts in hundredths of a second. */
const cpuMs = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

const residentMib = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;

/** The compiled agent with one app, connected. */
const startAgent = async (app: object, heartbeat_ms = BUSY_HEARTBEAT_MS) => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-bench-'));
  const coordinator = startFakeCoordinator({ key, hello: () => ({ heartbeat_ms }) });
  const file = join(folder, 'config.json');
  const config = { coordinator: coordinator.url, server_name: 'bench', key, seats: 3, ports: portRange() };
  writeFileSync(file, JSON.stringify({ ...config, apps: [fakeAppConfig('Flat', [], app)] }), {
    mode: 0o600,
  });
  const agent = Bun.spawn([executable, 'run', '--config', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  await coordinator.message('HELLO', PATIENCE_MS);
  return {
    coordinator,
    pid: agent.pid,
    async [Symbol.asyncDispose]() {
      agent.kill();
      await agent.exited;
      await coordinator.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** How long one start took, from the order to ready, in ms. */
const startOne = async (coordinator: FakeCoordinator): Promise<number> => {
  const wanted = order('Flat');
  const { session_id, generation } = wanted;
  const sent = systemClock.monotonic();
  coordinator.send(wanted);
  await coordinator.message('CONNECT_TO_SESSION', PATIENCE_MS);
  const took_ms = systemClock.monotonic() - sent;
  coordinator.send({ verb: 'END_SESSION', session_id, generation, reason: 'owner_ended' });
  await coordinator.message('SESSION_ENDED', PATIENCE_MS);
  return took_ms;
};

/** How long the app takes from its launch until it has named itself, with nothing of ours around it, in ms. */
const bootApp = async (): Promise<number> => {
  const { promise, resolve: named } = Promise.withResolvers<void>();
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request, listening) => (listening.upgrade(request) ? undefined : new Response()),
    websocket: {
      open: (socket) => void socket.send('{"type":"identify"}'),
      message: (_, text) => (JSON.parse(String(text)).type === 'endpointId' ? named() : undefined),
    },
  });
  const from = systemClock.monotonic();
  const url = `-PixelStreamingURL=ws://127.0.0.1:${server.port}`;
  const app = Bun.spawn([process.execPath, fakeApp, url, '-PixelStreamingID=bench'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await promise;
  const took_ms = systemClock.monotonic() - from;
  app.kill('SIGKILL');
  await app.exited;
  await server.stop(true);
  return took_ms;
};

const measureCold = async () => {
  await using agent = await startAgent({ warm: 0 });
  const [cold, boot]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    boot.push(await bootApp());
    cold.push(await startOne(agent.coordinator));
  }
  const [starts, own] = [spread(cold), spread(boot)];
  return { starts, app_own_boot: own, overhead_p95_ms: rounded(starts.p95_ms - own.p95_ms) };
};

/** A HEARTBEAT that tells of an instance that is ready ahead of its session. */
const isWarm = (one: Seen): true | undefined =>
  one.what === 'message' &&
  'verb' in one.message &&
  one.message.verb === 'HEARTBEAT' &&
  one.message.warm?.some(({ ready }) => ready > 0)
    ? true
    : undefined;

const measureWarm = async () => {
  await using agent = await startAgent({ warm: 1 });
  const { coordinator } = agent;
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    coordinator.seen.splice(0);
    await coordinator.next('warm instance', isWarm, PATIENCE_MS);
    times.push(await startOne(coordinator));
  }
  return spread(times);
};

const measureIdle = async () => {
  await using agent = await startAgent({ warm: 0 }, limits.heartbeat_ms);
  await sleep(systemClock, 5_000);
  const cpu = cpuMs(agent.pid);
  await sleep(systemClock, IDLE_SECONDS * 1_000);
  const percent = (cpuMs(agent.pid) - cpu) / (IDLE_SECONDS * 10);
  return {
    resident_mib: rounded(residentMib(agent.pid)),
    percent_of_a_core: rounded(percent, 3),
    heartbeat_ms: limits.heartbeat_ms,
  };
};

/** Round trips at a fixed rate for a while, and what they cost the process; `send` starts one on each connection. */
const cost = async (pid: number, send: () => void, answered: () => number) => {
  const [cpu, before] = [cpuMs(pid), answered()];
  const until = systemClock.monotonic() + RELAY_SECONDS * 1_000;
  while (systemClock.monotonic() < until) {
    send();
    await sleep(systemClock, 1_000 / FRAMES_PER_SECOND);
  }
  await sleep(systemClock, 500);
  const trips = answered() - before;
  return { round_trips: trips, cpu_us_per_round_trip: rounded(((cpuMs(pid) - cpu) * 1_000) / trips) };
};

const measureRelay = async () => {
  await using agent = await startAgent({ warm: 0 });
  const { coordinator } = agent;
  const wanted = order('Flat');
  coordinator.send(wanted);
  await coordinator.message('CONNECT_TO_SESSION', PATIENCE_MS);
  const { session_id, generation, code } = wanted;
  const channels = Array.from({ length: PLAYERS }, (_, i) => i + 1);
  const relay = (channel: number, message: object) =>
    coordinator.relay({ kind: 'data', channel, payload: Buffer.from(JSON.stringify(message)) });
  for (const channel of channels) {
    const user = { user_id: `player-${channel}`, channel, ice_servers: [] };
    coordinator.send({ verb: 'CONNECT_USER_TO_SESSION', session_id, generation, code, ...user });
    await coordinator.message('SESSION_CONNECTION_ESTABLISHED', PATIENCE_MS);
    relay(channel, { type: 'subscribe', streamerId: await streamerOf(coordinator, channel, relay) });
    await coordinator.next('offer', (one) =>
      one.what === 'frame' && one.text.includes('"offer"') ? true : undefined,
    );
  }
  coordinator.seen.splice(0);
  let answered = 0;
  const count = () => {
    answered += coordinator.seen.splice(0).filter((one) => one.what === 'frame').length;
    return answered;
  };
  const sdp = 'x'.repeat(350);
  // Awaited here: the agent is stopped when this function ends.
  return await cost(
    agent.pid,
    () => {
      count();
      for (const channel of channels) relay(channel, { type: 'answer', sdp });
    },
    count,
  );
};

const streamerOf = async (
  coordinator: FakeCoordinator,
  channel: number,
  relay: (channel: number, message: object) => void,
): Promise<string> => {
  relay(channel, { type: 'listStreamers' });
  return coordinator.next('streamer list', (one) => {
    if (one.what !== 'frame' || !one.text.includes('streamerList')) return undefined;
    return String(JSON.parse(one.text).ids[0]);
  });
};

/** The program under measure when this file starts itself: an echo with nothing around it. */
const echo = (): void => {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request, listening) => (listening.upgrade(request) ? undefined : new Response()),
    websocket: { message: (socket, frame) => void socket.send(frame) },
  });
  process.stdout.write(`${server.port}\n`);
};

const measureEcho = async () => {
  const child = Bun.spawn([process.execPath, import.meta.path, '--echo'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { value } = await child.stdout.getReader().read();
  const port = Number(new TextDecoder().decode(value));
  let answered = 0;
  const sockets = Array.from({ length: PLAYERS }, () => new WebSocket(`ws://127.0.0.1:${port}/`));
  await Promise.all(
    sockets.map((socket) => new Promise((opened) => socket.addEventListener('open', opened))),
  );
  for (const socket of sockets) socket.addEventListener('message', () => answered++);
  const frame = JSON.stringify({ type: 'answer', sdp: 'x'.repeat(350) });
  const result = await cost(
    child.pid,
    () => {
      for (const socket of sockets) socket.send(frame);
    },
    () => answered,
  );
  child.kill();
  await child.exited;
  return result;
};

if (process.argv[2] === '--echo') echo();
else {
  const result = {
    warm_start: await measureWarm(),
    cold_start: await measureCold(),
    idle: await measureIdle(),
    relay: { agent: await measureRelay(), bare_echo: await measureEcho(), players: PLAYERS },
  };
  process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  process.exit(0);
}
