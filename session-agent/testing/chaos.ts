import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { sleep } from '../wait.ts';
import { ChaosHost, type CrashPoint, crash_points } from './chaos-host.ts';

export interface ChaosPlan {
  /** Agents that are killed side by side. */
  hosts: number;
  agent_kills: number;
  /** Of apps and signalling servers. */
  child_kills: number;
}

interface Times {
  kills: number;
  p50_ms: number;
  p99_ms: number;
  max_ms: number;
}

export interface ChaosResult {
  agent: Times & { by_point: Partial<Record<CrashPoint, number>>; missed: number };
  app: Times;
  signalling: Times;
  /** How long an agent took here to start, and its first session with it: what the times are to be seen against. */
  first_ms: number;
  /** How long the whole took. */
  seconds: number;
}

const timesOf = (values: number[]): Times => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number) => Math.round(sorted[Math.ceil(part * sorted.length) - 1] ?? 0);
  return { kills: sorted.length, p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1) };
};

/** A signalling server may be restarted five times a minute; a session that had its share makes room for another. */
const SIGNALLING_KILLS = 4;

/** Kills an app or a signalling server of a session and waits until it is there again; which it was, and how long it took. */
const killChild = async (host: ChaosHost, killed: Map<string, number>, role: 'app' | 'signalling') => {
  // A warm instance that is not whole is worth no repair.
  const sessions = (await host.inventory()).instances.filter(({ session_id }) => session_id !== undefined);
  const victim = sessions[randomInt(sessions.length)];
  const pid = role === 'app' ? victim?.app_pid : victim?.signalling_pid;
  const session_id = victim?.session_id;
  if (session_id === undefined || pid === undefined) throw new Error('nothing runs');
  process.kill(pid, 'SIGKILL');
  const from = systemClock.monotonic();
  while (host.running().some((one) => one[role].includes(pid))) await sleep(systemClock, 5);
  await host.settled();
  const ms = systemClock.monotonic() - from;
  const count = (killed.get(session_id) ?? 0) + (role === 'signalling' ? 1 : 0);
  killed.set(session_id, count);
  if (count >= SIGNALLING_KILLS) {
    host.end(session_id);
    host.create();
    await host.settled();
  }
  return ms;
};

/** Some signalling server of the host, while no agent is there to see it. */
const killSignalling = (host: ChaosHost) => {
  const running = host.running().flatMap(({ signalling }) => signalling);
  const pid = running[randomInt(Math.max(1, running.length))];
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
};

/** Kills agents at every crash point and their children at random; throws when what runs does not become what is wanted. */
export const chaos = async ({ hosts, agent_kills, child_kills }: ChaosPlan): Promise<ChaosResult> => {
  const begun = systemClock.monotonic();
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-chaos-'));
  const by_point: ChaosResult['agent']['by_point'] = {};
  const times = { agent: [] as number[], app: [] as number[], signalling: [] as number[] };
  const todo = Array.from({ length: agent_kills }, (_, i) => crash_points[i % crash_points.length]);
  let children = child_kills;
  let missed = 0;
  let first_ms = 0;

  const live = async (index: number) => {
    // Every other host keeps instances warm, so that sessions take those too.
    const host = new ChaosHost(join(folder, String(index)), index % 2);
    try {
      await torment(host);
    } finally {
      await host.stop();
    }
    const left = host.running();
    if (left.length > 0) throw new Error(`left behind: ${JSON.stringify(left)}`);
  };
  const torment = async (host: ChaosHost) => {
    const start = systemClock.monotonic();
    await host.start();
    host.create();
    await host.settled();
    first_ms = Math.max(first_ms, Math.round(systemClock.monotonic() - start));
    for (let point = todo.shift(); point !== undefined; point = todo.shift()) {
      await host.crash(point, 1 + randomInt(point.startsWith('after_') && !point.endsWith('pid') ? 2 : 1));
      by_point[point] = (by_point[point] ?? 0) + 1;
      if (randomInt(4) === 0) killSignalling(host);
      if (randomInt(4) === 0) await host.stumble(crash_points[randomInt(crash_points.length)] ?? point);
      const from = systemClock.monotonic();
      await host.start();
      await host.settled();
      times.agent.push(systemClock.monotonic() - from);
    }
    while (host.wanted.size < 2) host.create();
    await host.settled();
    const killed = new Map<string, number>();
    while (children-- > 0) {
      const role = children % 2 === 0 ? 'app' : 'signalling';
      times[role].push(await killChild(host, killed, role));
    }
    missed += host.missed;
  };
  try {
    await Promise.all(Array.from({ length: hosts }, (_, index) => live(index)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    agent: { ...timesOf(times.agent), by_point, missed },
    app: timesOf(times.app),
    signalling: timesOf(times.signalling),
    first_ms,
    seconds: Math.round((systemClock.monotonic() - begun) / 1_000),
  };
};
