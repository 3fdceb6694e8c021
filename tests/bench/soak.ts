import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { type Program, startProgram } from '../../scripts/program.ts';
import { randomMutation } from '../../shared/testing/mutation.ts';
import { seeded } from '../../shared/testing/random.ts';
import { samples } from '../../shared/testing/samples.ts';
import { type Client, connectClient, type Message } from './client.ts';

/**
 * `bun run soak:signalling --hours N [--seed S]`: a signalling server as a process of its own under players, streamers and
 * SFUs that come and go, negotiate and send nonsense, while a pair that stays counts what it gets. Samples memory and open
 * files each minute. Prints JSON with the memory slope (least squares, the first fifth left out as warm-up), and exits
 * non-zero when the server ended or logged an error, a relay was lost or out of order, an honest peer was turned away or
 * files stayed open. Fractions of hours are taken.
 */
const { values } = parseArgs({ options: { hours: { type: 'string' }, seed: { type: 'string' } } });
const hours = Number(values.hours ?? 8);
const seed = Number(values.seed ?? Date.now() % 2 ** 32);
if (!(hours > 0)) throw new Error('--hours: a number above 0');

const hour_ms = 3_600_000;
/** A minute; in a short run as much as gives twenty samples. */
const sample_ms = Math.min(60_000, (hours * hour_ms) / 20);
const settle_ms = 20_000;
const pace_ms = 50;
const warm_up_share = 0.2;
const spare_files = 5;

const random = seeded(seed);
const counts = { connections: 0, sessions: 0, relays: 0, hostile_messages: 0, quiet_messages: 0 };
const failures = new Map<string, number>();
/** Told apart up to so many. */
const failures_max = 100;
const fail = (what: string): void => {
  const key = failures.has(what) || failures.size < failures_max ? what : 'others';
  failures.set(key, (failures.get(key) ?? 0) + 1);
};

type Role = keyof typeof samples;
type Url = (role: Role) => string;

const connect = (url: string): Promise<Client> => {
  counts.connections += 1;
  return connectClient(url);
};

const identified = async (url: string, id: string): Promise<Client> => {
  const client = await connect(url);
  client.send({ type: 'endpointId', id, protocolVersion: '1.3.0' });
  await client.until('endpointIdConfirm');
  return client;
};

const candidate = (text: string, playerId?: string): Message => ({
  type: 'iceCandidate',
  candidate: { candidate: text, sdpMid: '0', sdpMLineIndex: 0 },
  ...(playerId === undefined ? {} : { playerId }),
});

/** A player subscribes to a publisher and both negotiate; each candidate must come as it was sent. */
const negotiate = async (url: Url, publisher: Client, id: string): Promise<Client> => {
  const player = await connect(url('player'));
  player.send({ type: 'subscribe', streamerId: id });
  const playerId = String((await publisher.until('playerConnected')).playerId);
  publisher.send({ type: 'offer', sdp: 'v=0', playerId });
  await player.until('offer');
  player.send({ type: 'answer', sdp: 'v=0', minBitrateBps: 0, maxBitrateBps: 0 });
  await publisher.until('answer');
  for (let count = 0; count < 10; count++) {
    const text = `${playerId}-${count}`.padEnd(200 + random.below(400), 'x');
    player.send(candidate(text));
    const got = (await publisher.until('iceCandidate')).candidate as { candidate: string };
    if (got.candidate !== text) fail('a relay arrived out of order or altered');
    counts.relays += 1;
  }
  return player;
};

let sessions = 0;

/** A streamer, sometimes an SFU behind it, and a few players from coming to going. */
const session = async (url: Url): Promise<void> => {
  const id = `soak-${++sessions}-a`;
  const streamer = await identified(url('streamer'), id);
  const withSfu = random.below(3) === 0;
  const sfu = withSfu ? await identified(url('sfu'), `${id}-sfu`) : undefined;
  if (sfu !== undefined) {
    sfu.send({ type: 'subscribe', streamerId: id });
    await streamer.until('playerConnected');
  }
  const publisher = sfu ?? streamer;
  const players: Client[] = [];
  for (let left = 1 + random.below(4); left > 0; left--) {
    players.push(await negotiate(url, publisher, sfu === undefined ? id : `${id}-sfu`));
  }
  // Either the players go first, or the streamer does and the server closes them.
  if (random.below(2) === 0) for (const player of players) await player.leave();
  await streamer.leave();
  await Promise.all(players.map(({ closed }) => closed));
  await sfu?.leave();
  counts.sessions += 1;
};

/** Nonsense on a socket of its own, until it is closed or everything is sent. */
const nonsense = async (url: Url): Promise<void> => {
  const role = random.pick<Role>(['player', 'streamer', 'sfu']);
  const client = await connect(url(role));
  const all = Object.values<Message>(samples[role]);
  for (let count = 0; count < 40; count++) {
    client.send(randomMutation(all[random.below(all.length)] ?? {}, random));
    counts.hostile_messages += 1;
  }
  client.send({ type: 'ping', time: -7 });
  // Being closed is what nonsense has earned.
  await client.until('pong').catch(() => undefined);
  await client.leave();
};

/** Both send numbered candidates to each other all the time; each must come, in order. */
const quietPair = async (url: Url) => {
  const streamer = await identified(url('streamer'), 'quiet');
  const player = await connect(url('player'));
  player.send({ type: 'subscribe', streamerId: 'quiet' });
  const playerId = String((await streamer.until('playerConnected')).playerId);
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    player.send(candidate(String(sent)));
    streamer.send(candidate(String(sent), playerId));
  }, pace_ms);
  let last = Number.POSITIVE_INFINITY;
  const follow = async (client: Client): Promise<void> => {
    for (let expected = 1; expected <= last; expected++) {
      const { candidate } = await client.until('iceCandidate');
      if ((candidate as { candidate: string }).candidate !== String(expected))
        fail('the quiet pair lost order');
      counts.quiet_messages += 1;
    }
  };
  const followed = Promise.all([follow(streamer), follow(player)]).catch((error: unknown) =>
    fail(`the quiet pair: ${error}`),
  );
  return async () => {
    // One more round, so that both wait for the number that ends it.
    clearInterval(timer);
    last = sent + 1;
    player.send(candidate(String(last)));
    streamer.send(candidate(String(last), playerId));
    await followed;
    await Promise.all([player.leave(), streamer.leave()]);
  };
};

interface Sample {
  seconds: number;
  rss_kib: number;
  files: number;
}

const sample = (pid: number, since: number): Sample => ({
  seconds: Math.round((performance.now() - since) / 1_000),
  rss_kib: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
  files: readdirSync(`/proc/${pid}/fd`).length,
});

/** KiB an hour by least squares. */
const slope = (all: Sample[]): number => {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(all.map(({ seconds }) => seconds));
  const y = mean(all.map(({ rss_kib }) => rss_kib));
  const above = all.reduce((sum, { seconds, rss_kib }) => sum + (seconds - x) * (rss_kib - y), 0);
  const below = all.reduce((sum, { seconds }) => sum + (seconds - x) ** 2, 0);
  return Math.round((above / below) * 3_600);
};

/** Log lines are looked at once and forgotten: the run may take hours. */
const readLog = (program: Program): void => {
  for (const line of program.lines.splice(0)) {
    if (line.level === undefined || line.level === 'error')
      fail(`logged: ${JSON.stringify(line).slice(0, 300)}`);
  }
};

const start = () =>
  startProgram(
    [
      ...[
        process.execPath,
        join(import.meta.dir, '..', '..', 'signalling', 'main.ts'),
        '--bind',
        '127.0.0.1',
      ],
      ...['--player_port', '0', '--streamer_port', '0', '--sfu_port', '0'],
    ],
    { log: new Writable({ write: (_chunk, _encoding, done) => done() }), environment: process.env },
  );

const run = async () => {
  const program = start();
  const ports = await program.line(({ msg }) => msg === 'listening');
  const url: Url = (role) => `ws://127.0.0.1:${ports[`${role}_port`]}/`;
  let ended: number | string | undefined;
  program.exited.then((exit) => {
    ended = exit;
  });
  const all: Sample[] = [];
  const since = performance.now();
  const files_before = sample(program.pid, since).files;
  const finishQuiet = await quietPair(url);
  const sampler = setInterval(() => {
    if (ended === undefined) all.push(sample(program.pid, since));
    readLog(program);
  }, sample_ms);
  const over = () => ended !== undefined || performance.now() - since > hours * hour_ms;
  const again = async (what: string, act: (url: Url) => Promise<void>) => {
    while (!over()) {
      await act(url).catch((error: unknown) => fail(`${what}: ${error}`));
      await Bun.sleep(pace_ms);
    }
  };
  await Promise.all([
    again('session', session),
    again('session', session),
    again('session', session),
    again('nonsense', nonsense),
  ]);
  if (ended === undefined) await finishQuiet();
  clearInterval(sampler);
  // The last sockets take a moment to be closed in the kernel.
  const deadline = performance.now() + settle_ms;
  const files = () => sample(program.pid, since).files;
  while (ended === undefined && files() > files_before + spare_files && performance.now() < deadline) {
    await Bun.sleep(pace_ms);
  }
  const files_after = ended === undefined ? files() : 0;
  if (files_after > files_before + spare_files) fail(`${files_after} files stayed open`);
  if (ended !== undefined) fail(`the server ended: ${ended}`);
  await program.stop();
  readLog(program);
  const measured = all.slice(Math.floor(all.length * warm_up_share));
  return {
    hours,
    seed,
    ...counts,
    samples: all.length,
    rss_kib: { first: all[0]?.rss_kib, warm: measured[0]?.rss_kib, last: all.at(-1)?.rss_kib },
    slope_kib_per_hour: measured.length > 2 ? slope(measured) : null,
    files: { before: files_before, most: Math.max(...all.map((each) => each.files)), after: files_after },
    failures: Object.fromEntries(failures),
  };
};

const result = await run();
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
process.exit(failures.size === 0 ? 0 : 1);
