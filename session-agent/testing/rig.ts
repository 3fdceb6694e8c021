import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { type Ids, systemIds } from '../../shared/ids.ts';
import { createLog } from '../../shared/log.ts';
import { portRangeWithin } from '../../shared/testing/port-range.ts';
import { Agent, type AgentOptions } from '../agent.ts';
import { type AgentConfig, readAgentConfig } from '../config.ts';
import { baseEnvironment } from '../domain/launch.ts';
import type { CreateSession } from '../launch.ts';
import {
  type FakeCoordinator,
  type FakeCoordinatorOptions,
  startFakeCoordinator,
} from './fake-coordinator.ts';

export const key = 'a-key-for-tests-only';
export const fakeAppPath = join(import.meta.dir, 'fake-app.ts');
const signallingMain = resolve(import.meta.dir, '..', '..', 'signalling', 'main.ts');

/** An agent with fake apps and our real signalling server, and a fake coordinator, all on free ports. */
export interface Rig {
  coordinator: FakeCoordinator;
  agent: Agent;
  config: AgentConfig;
  /** Lines of the agent's log so far. */
  log: { level: string; msg: string; [field: string]: unknown }[];
  /** The agent hands over, or is let be when it has ended, and another one starts on the same folders. */
  succeed(): Promise<Agent>;
  /** Resolves when a line with that text is, or was already, logged. Rejects after 100 s. */
  logged(text: string): Promise<void>;
  stop(): Promise<void>;
}

/** A fake app that is configured like a real one: Bun runs the script that misbehaves as the flags say. */
export const fakeAppConfig = (rc_name: string, flags: string[] = [], settings: object = {}) => ({
  rc_name,
  path: process.execPath,
  arguments: [fakeAppPath, ...flags, '-PixelStreamingURL={streamer_url}', '-PixelStreamingID={streamer_id}'],
  stop_grace_seconds: 0.3,
  ...settings,
});

/** Ports of one agent; the agent skips what is taken. */
export const portRange = () => portRangeWithin(10_000, 10_000, 40);

export interface RigOptions {
  apps?: object[];
  settings?: object;
  signalling?: [string, ...string[]];
  coordinator?: Partial<FakeCoordinatorOptions>;
  ids?: Partial<Ids>;
  around?: AgentOptions['around'];
  openFile?: AgentOptions['openFile'];
}

export const startRig = async (options: RigOptions = {}): Promise<Rig> => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-agent-'));
  const coordinator = startFakeCoordinator({ key, ...options.coordinator });
  const file = join(folder, 'config.json');
  writeFileSync(
    file,
    JSON.stringify({
      coordinator: coordinator.url,
      server_name: 'host-1',
      key,
      seats: 2,
      ports: portRange(),
      apps: options.apps ?? [fakeAppConfig('Flat')],
      ...options.settings,
    }),
  );
  const read = await readAgentConfig(file);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const log: Rig['log'] = [];
  const listeners = new Set<() => void>();
  const write = (line: string) => {
    log.push(JSON.parse(line));
    for (const look of [...listeners]) look();
  };
  const newAgent = () =>
    new Agent({
      config: read.value,
      version: '1.2.3',
      ...(options.around === undefined ? {} : { around: options.around }),
      ...(options.openFile === undefined ? {} : { openFile: options.openFile }),
      signalling: options.signalling ?? [process.execPath, signallingMain],
      environment: baseEnvironment(process.env),
      clock: systemClock,
      ids: { ...systemIds, ...options.ids },
      log: createLog('session-agent', 'debug', { write }),
    });
  let agent = newAgent();
  await agent.start();
  return {
    coordinator,
    get agent() {
      return agent;
    },
    config: read.value,
    log,
    succeed: async () => {
      await agent.handOver();
      agent = newAgent();
      await agent.start();
      return agent;
    },
    logged: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!log.some(({ msg }) => msg.includes(text))) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve();
        };
        const timer = setTimeout(() => reject(new Error(`never logged: ${text}`)), 100_000);
        listeners.add(look);
        look();
      }),
    stop: async () => {
      await agent.stop();
      await coordinator.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

let orders = 0;

/** An order for a session that no other test has. */
export const order = (rc_name = 'Flat'): CreateSession => ({
  verb: 'CREATE_SESSION',
  session_id: systemIds.id(),
  generation: 1,
  rc_name,
  user_id: 'user-1',
  code: String(1_000 + (orders++ % 9_000)),
  ice_servers: [{ urls: ['stun:app.example:3478'] }],
});

/** Pids of the live processes of an instance; one that was started for a session is named like it. */
export const processesOf = (instance_id: string, role = ''): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        return (
          environment.includes(`VITRINA_INSTANCE=${instance_id}\0`) &&
          environment.includes(`VITRINA_ROLE=${role}`)
        );
      } catch {
        return false;
      }
    })
    .map(Number);

/** Ports of the range that something listens on. */
export const takenPorts = async ({ ports: { from, to } }: AgentConfig): Promise<number[]> => {
  const all = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const taken = await Promise.all(
    all.map(
      (port) =>
        new Promise<boolean>((done) => {
          const probe = createServer();
          probe.once('error', () => done(true));
          probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => done(false)));
        }),
    ),
  );
  return all.filter((_, i) => taken[i]);
};
