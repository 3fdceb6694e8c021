import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `bun run bench:relay [seconds] [players...]`: what a relay costs. One streamer and N players in a closed loop: each player sends a
 * candidate of 400 bytes, the streamer answers it, the player sends the next; a round trip is two relays. Beside it, in the
 * same run, a bare Bun echo with as many connections. Prints JSON; CPU is the server process's own. The server's
 * limits are on, and raised so that a closed loop does not trip them.
 */
const SECONDS = Number(process.argv[2] ?? 5);
const PLAYERS = process.argv.length > 3 ? process.argv.slice(3).map(Number) : [200, 1_000];
const WARM_UP_SECONDS = 1;
const WARM_UP_PLAYERS = 200;
const FRAME_BYTES = 400;
const root = join(import.meta.dir, '..', '..');

interface Program {
  pid: number;
  ports: Record<string, number>;
  stop(): Promise<void>;
}

/** The program under measure when this file starts itself: an echo with nothing around it. */
const echo = (): void => {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request, listening) => (listening.upgrade(request) ? undefined : new Response()),
    websocket: { message: (socket, frame) => void socket.send(frame) },
  });
  process.stdout.write(`${JSON.stringify({ msg: 'listening', player_port: server.port })}\n`);
};

const start = async (...command: string[]): Promise<Program> => {
  const child = Bun.spawn([process.execPath, ...command], { cwd: root, stdout: 'pipe', stderr: 'inherit' });
  const reader = child.stdout.getReader();
  let text = '';
  while (!text.includes('\n')) text += new TextDecoder().decode((await reader.read()).value);
  // Read on, or a full pipe stops the server at its next log line.
  const drained = (async () => {
    while (!(await reader.read()).done);
  })();
  const stop = async () => {
    child.kill();
    await child.exited;
    await drained;
  };
  return { pid: child.pid, ports: JSON.parse(text.slice(0, text.indexOf('\n'))), stop };
};

/** User and system time of a process, ms. The kernel counts in hundredths of a second. */
const cpuMs = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

const residentKib = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** A socket that has got its first message, or has opened if the server sends none. */
const connect = (port: number | undefined, first: boolean): Promise<WebSocket> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    socket.addEventListener(first ? 'message' : 'open', () => resolve(socket), { once: true });
    socket.addEventListener('error', () => reject(new Error(`cannot connect to port ${port}`)));
  });

const candidate = (playerId?: string): string => {
  const frame = (padding: string) =>
    JSON.stringify({
      type: 'iceCandidate',
      candidate: {
        candidate: `candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host ${padding}`,
        sdpMid: '0',
        sdpMLineIndex: 0,
      },
      playerId,
    });
  return frame('x'.repeat(FRAME_BYTES - frame('').length));
};

/** Lets the players run for a while; the first second does not count. */
const loop = async (pid: number, players: WebSocket[]) => {
  let times: number[] = [];
  const frame = candidate();
  for (const player of players) {
    let sent = 0;
    const next = () => {
      sent = performance.now();
      player.send(frame);
    };
    player.addEventListener('message', () => {
      times.push(performance.now() - sent);
      next();
    });
    next();
  }
  await Bun.sleep(WARM_UP_SECONDS * 1_000);
  times = [];
  const cpu = cpuMs(pid);
  const from = performance.now();
  await Bun.sleep(SECONDS * 1_000);
  const seconds = (performance.now() - from) / 1_000;
  const used = cpuMs(pid) - cpu;
  const measured = times.toSorted((a, b) => a - b);
  const percentile = (p: number) =>
    Number((measured[Math.floor(measured.length * p)] ?? Number.NaN).toFixed(2));
  return {
    players: players.length,
    round_trips_per_second: Math.round(measured.length / seconds),
    p50_ms: percentile(0.5),
    p99_ms: percentile(0.99),
    cpu_us_per_round_trip: Number(((used * 1_000) / measured.length).toFixed(2)),
  };
};

const connectAll = async (port: number | undefined, count: number, first: boolean): Promise<WebSocket[]> => {
  const sockets: WebSocket[] = [];
  while (sockets.length < count) sockets.push(await connect(port, first));
  return sockets;
};

const measureEcho = async (count: number) => {
  const program = await start(import.meta.path, '--echo');
  const players = await connectAll(program.ports.player_port, count, false);
  const result = await loop(program.pid, players);
  for (const player of players) player.close();
  await program.stop();
  return result;
};

/** A streamer that answers each candidate with one of its own. */
const startStreamer = async (port: number | undefined): Promise<WebSocket> => {
  const streamer = await connect(port, true);
  const answers = new Map<string, string>();
  streamer.addEventListener('message', ({ data }) => {
    const { type, playerId } = JSON.parse(data);
    if (type !== 'iceCandidate') return;
    const answer = answers.get(playerId) ?? candidate(playerId);
    answers.set(playerId, answer);
    streamer.send(answer);
  });
  streamer.send(JSON.stringify({ type: 'endpointId', id: 'bench' }));
  return streamer;
};

const measureRelay = async (count: number) => {
  const ports = ['--player_port', '0', '--streamer_port', '0', '--sfu_port', '0'];
  const program = await start(
    join(root, 'signalling', 'main.ts'),
    ...ports,
    ...['--bind', '127.0.0.1', '--log_level_console', 'info', '--max_messages_per_second', '1000000'],
  );
  const streamer = await startStreamer(program.ports.streamer_port);
  // What the process takes for its first players belongs to its start, not to one player.
  const first = await connectAll(program.ports.player_port, WARM_UP_PLAYERS, true);
  const before = residentKib(program.pid);
  const players = await connectAll(program.ports.player_port, count, true);
  const idle = residentKib(program.pid) - before;
  for (const player of players) player.send('{"type":"subscribe","streamerId":"bench"}');
  const result = await loop(program.pid, players);
  for (const socket of [...first, ...players, streamer]) socket.close();
  await program.stop();
  return { ...result, kib_per_idle_player: Number((idle / count).toFixed(1)) };
};

const compare = async (count: number) => {
  const bare = await measureEcho(count);
  const relay = await measureRelay(count);
  const times_echo = Number((relay.cpu_us_per_round_trip / bare.cpu_us_per_round_trip).toFixed(2));
  return { echo: bare, relay, times_echo };
};

if (process.argv[2] === '--echo') echo();
else {
  const runs = [];
  for (const count of PLAYERS) runs.push(await compare(count));
  process.stdout.write(
    `${JSON.stringify({ seconds: SECONDS, frame_bytes: FRAME_BYTES, runs }, undefined, 2)}\n`,
  );
  process.exit(0);
}
