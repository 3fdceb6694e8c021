import { randomBytes } from 'node:crypto';
import { cpSync, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Program, startProgram } from './program.ts';

/** One demo app as a host offers it: its look, and whatever else its catalogue entry and the agent's file should say. */
export interface DemoApp {
  rc_name: string;
  style: 'loft' | 'garden';
  /** `info` of servers.json: title, description, picture. */
  info?: Record<string, unknown>;
  /** More flags for the demo app, such as `-DemoStartDelay=2000`. */
  flags?: string[];
  /** Fields of the agent's app entry to add or replace, such as `start_timeout_seconds` or `path`. */
  settings?: Record<string, unknown>;
}

export interface DemoHost {
  server_name: string;
  seats: number;
  ports: { from: number; to: number };
  /** What the apps render; 1280x720 unless said otherwise. */
  resolution?: { width: number; height: number };
  apps: DemoApp[];
}

export interface Layout {
  /** Everything the system writes goes here: the coordinator's data, the hosts' files, the logs. */
  folder: string;
  /** The coordinator's port; 0 takes any free one. */
  port: number;
  /** Where hosts reach the coordinator, when not at the address that it listens on. */
  publicUrl?: string;
  /** Command lines without arguments: a compiled executable, or bun and a source file. */
  coordinator: string[];
  agent: string[];
  /** Fields of configuration.json to add or replace. */
  configuration?: Record<string, unknown>;
  hosts: DemoHost[];
  /** Environment for every program, on top of this process's own. */
  environment?: Record<string, string>;
}

export interface System {
  url: string;
  coordinator: Program;
  agents: Program[];
  /** Agents first, so that they can end their sessions, then the coordinator. Idempotent. */
  stop(): Promise<void>;
}

const root = resolve(import.meta.dir, '..');
export const fromSource = (file: string): string[] => [process.execPath, join(root, file)];

const json = (file: string, value: unknown) =>
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });

const writeCoordinatorData = (layout: Layout, keys: Map<string, string>): string => {
  const data = join(layout.folder, 'coordinator');
  mkdirSync(data, { recursive: true });
  cpSync(join(root, 'scripts', 'pictures'), join(data, 'pictures'), { recursive: true });
  const servers = layout.hosts.flatMap(({ server_name, ports, apps }) =>
    apps.map(({ rc_name, info }) => ({
      server_name,
      ip: '127.0.0.1',
      port: String(ports.from),
      key: keys.get(server_name),
      rc_info: { rc_name, info: { description: [], ...info } },
    })),
  );
  json(join(data, 'servers.json'), servers);
  json(join(data, 'configuration.json'), {
    ip: '127.0.0.1',
    port: String(layout.port),
    time_between_updates_seconds: '5',
    // Everybody comes from this machine's one address here.
    anonymous_sessions_per_network: 100,
    anonymous_network_percent: 100,
    anonymous_unused_sessions_per_network: 1_000,
    anonymous_queue_places_per_network: 100,
    ...layout.configuration,
  });
  return data;
};

/** Writes the agent's config.json for a host below `folder`, and says where it is. */
export const writeHostConfig = (
  { folder: root_folder }: Pick<Layout, 'folder'>,
  host: DemoHost,
  url: string,
  key: string,
): string => {
  const folder = join(root_folder, host.server_name);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'config.json');
  json(file, {
    coordinator: `${url.replace(/^http/, 'ws')}/agent`,
    server_name: host.server_name,
    key,
    seats: host.seats,
    ports: host.ports,
    log_folder: join(folder, 'logs'),
    ...(host.resolution === undefined ? {} : { webrtc: { resolution: host.resolution } }),
    apps: host.apps.map(({ rc_name, style, flags, settings }) => ({
      rc_name,
      path: process.execPath,
      arguments: [
        join(root, 'session-agent', 'demo-app', 'main.ts'),
        '-PixelStreamingURL={streamer_url}',
        '-PixelStreamingID={streamer_id}',
        '-ResX={width}',
        '-ResY={height}',
        `-DemoName=${rc_name}`,
        `-DemoStyle=${style}`,
        ...(flags ?? []),
      ],
      ...settings,
    })),
  });
  return file;
};

/** Starts a coordinator and its hosts as real programs and waits until every host is connected. */
export const startSystem = async (layout: Layout): Promise<System> => {
  const keys = new Map(layout.hosts.map((host) => [host.server_name, randomBytes(24).toString('base64url')]));
  const logs = join(layout.folder, 'logs');
  mkdirSync(logs, { recursive: true });
  const start = (name: string, command: string[]) =>
    startProgram(command, {
      log: createWriteStream(join(logs, `${name}.log`)),
      environment: { ...process.env, ...layout.environment },
    });

  const data = writeCoordinatorData(layout, keys);
  const coordinator = start('coordinator', [
    ...layout.coordinator,
    'serve',
    '--data',
    data,
    '--port',
    String(layout.port),
  ]);
  const agents: Program[] = [];
  const stop = async () => {
    await Promise.all(agents.map((agent) => agent.stop()));
    await coordinator.stop();
  };
  try {
    const listening = await coordinator.line((line) => line.msg === 'listening');
    const url = layout.publicUrl ?? String(listening.url);
    for (const host of layout.hosts) {
      const file = writeHostConfig(layout, host, url, keys.get(host.server_name) ?? '');
      agents.push(start(host.server_name, [...layout.agent, 'run', '--config', file]));
    }
    await Promise.all(
      agents.map((agent) => agent.line((line) => line.msg === 'connected to the coordinator')),
    );
    return { url, coordinator, agents, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
