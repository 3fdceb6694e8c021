import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type DemoApp, type DemoHost, type Layout, type System, startSystem } from '../../scripts/system.ts';
import { portRangeWithin } from '../../shared/testing/port-range.ts';

const root = resolve(import.meta.dir, '..', '..');
/** A file that `bun run build` makes. */
export const executable = (name: string) => join(root, 'dist', name);

/** A real system under test: compiled coordinator and agents, demo apps, in a folder that `stop` removes. */
export interface TestSystem extends System {
  folder: string;
  /** JSON over REST: status and body. */
  api(method: string, path: string, body?: unknown, token?: string): Promise<{ status: number; body: Json }>;
}

// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at field by field in assertions
type Json = any;

/** Builds the executables once when `npm test` has not (a single test file run by hand). */
export const ensureBuilt = async () => {
  const names = ['session-agent-linux-x64', 'coordinator-linux-x64'];
  if (names.every((name) => existsSync(executable(name)))) return;
  const build = Bun.spawn([process.execPath, join(root, 'scripts', 'build.ts'), ...names], {
    stdout: 'ignore',
  });
  if ((await build.exited) !== 0) throw new Error('the executables cannot be built');
};

/** Ports of one host; the agent skips what is taken. */
export const portRange = () => portRangeWithin(20_000, 10_000, 100);

/** Where the programs run: command words to put before theirs, such as `ip netns exec NAME`. */
interface Places {
  coordinatorPlace: string[];
  agentPlace: string[];
}

/** Tests ask more often than people. */
export const patient = {
  requests_per_second: 1_000,
  requests_burst: 1_000,
  starts_per_minute: 1_000,
  anonymous_sessions_per_network: 100,
  anonymous_network_percent: 100,
  anonymous_unused_sessions_per_network: 1_000,
  anonymous_seats_percent: 100,
};

/** One host with one seat and the loft app unless `hosts` says otherwise. */
export const startTestSystem = async (
  hosts: Partial<DemoHost>[] = [{}],
  configuration: Record<string, unknown> = {},
  { coordinatorPlace = [], agentPlace = [], ...more }: Partial<Places & Layout> = {},
): Promise<TestSystem> => {
  await ensureBuilt();
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-e2e-'));
  const loft: DemoApp = { rc_name: 'Loft', style: 'loft', flags: ['-DemoCounters'] };
  const layout: Layout = {
    folder,
    port: 0,
    coordinator: [...coordinatorPlace, executable('coordinator-linux-x64')],
    agent: [...agentPlace, executable('session-agent-linux-x64')],
    configuration: { leave_grace_seconds: 15, ...patient, ...configuration },
    hosts: hosts.map((host, index) => ({
      server_name: `host-${index + 1}`,
      seats: 1,
      ports: portRange(),
      // Software rendering and encoding at full size would take more than a busy test machine has.
      resolution: { width: 320, height: 180 },
      apps: [loft],
      ...host,
    })),
    ...more,
  };
  const system = await startSystem(layout);
  return {
    ...system,
    folder,
    api: async (method, path, body, token) => {
      const response = await fetch(`${system.url}${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? null : JSON.parse(text) };
    },
    stop: async () => {
      await system.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** Asks again every 100 ms until the answer fits; the last answer is in the error when it never does. */
export const until = async <T>(
  what: string,
  ask: () => T | Promise<T>,
  fits: (answer: T) => boolean,
  patience_ms = 240_000,
): Promise<T> => {
  const deadline = performance.now() + patience_ms;
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    if (performance.now() > deadline) {
      throw new Error(
        `not within ${patience_ms} ms: ${what}; last: ${JSON.stringify(answer)?.slice(0, 500)}`,
      );
    }
    await new Promise((wait) => setTimeout(wait, 100));
  }
};

/**
 * Watches how long the machine keeps everyone waiting. The returned function ends the watch and says the sum of all
 * delays in ms: a promise in wall time holds on top of what no program here could have used.
 */
export const watchStalls = (): (() => number) => {
  const every_ms = 20;
  let stalled = 0;
  let due = performance.now() + every_ms;
  const timer = setInterval(() => {
    stalled += Math.max(0, performance.now() - due);
    due = performance.now() + every_ms;
  }, every_ms);
  return () => {
    clearInterval(timer);
    return stalled;
  };
};

/** The texts of one of the process's files; none once it has gone. */
const procFile = (pid: string, name: 'environ' | 'cmdline'): string[] => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8').split('\0').filter(Boolean);
  } catch {
    return [];
  }
};

/** A process that carries our marker `VITRINA_INSTANCE=<id>`; an instance that was started for a session is named like it. */
export interface SessionProcess {
  pid: number;
  command: string[];
}

/** Every process of a session, by the marker in its environment. Zombies have none. */
export const processesOf = (session_id: string): SessionProcess[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => procFile(pid, 'environ').some((entry) => entry === `VITRINA_INSTANCE=${session_id}`))
    .map((pid) => ({ pid: Number(pid), command: procFile(pid, 'cmdline') }));

/** The app among a session's processes: the one that runs the demo app. */
export const appProcess = (session_id: string): SessionProcess | undefined =>
  processesOf(session_id).find(({ command }) => command.some((word) => word.includes('demo-app')));

export const signallingProcess = (session_id: string): SessionProcess | undefined =>
  processesOf(session_id).find(({ command }) => command.includes('signalling'));

/** The two ports of a session, from its signalling server's command line. */
export const sessionPorts = (session_id: string): number[] => {
  const command = signallingProcess(session_id)?.command ?? [];
  return ['--player_port', '--streamer_port'].map((option) => Number(command[command.indexOf(option) + 1]));
};

/** Whether something listens on the port of 127.0.0.1. */
export const isOpen = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });

/** Inodes of a process's sockets. */
const socketsOf = (pid: number): Set<string> => {
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readlink(`/proc/${pid}/fd/${fd}`));
    return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  } catch {
    return new Set();
  }
};

const readlink = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};

/** Listening TCP sockets of the processes, as `address:port` in /proc's hexadecimal: 0100007F is 127.0.0.1. */
export const listeners = (pids: number[]): string[] => {
  const inodes = new Set(pids.flatMap((pid) => [...socketsOf(pid)]));
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && inodes.has(fields[9] ?? ''))
      .map((fields) => fields[1] ?? ''),
  );
};
