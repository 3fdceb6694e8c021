import { sharedAdvice, sharedFile } from '../../shared/file-rights.ts';
import type { Ids } from '../../shared/ids.ts';
import { createLog, type Log } from '../../shared/log.ts';
import { Agent } from '../agent.ts';
import { type AgentConfig, launchProblem } from '../config.ts';
import { baseEnvironment } from '../domain/launch.ts';
import { proxyFor } from '../domain/proxy.ts';
import { readersOf } from '../processes/acl.ts';
import type { AgentStatus } from '../status.ts';
import { openAgentLog } from './agent-log.ts';
import { askStatus, controlHandler, openDoor } from './control.ts';
import { followConfig } from './reload.ts';
import { service_variable } from './service.ts';
import { Failed, type Surroundings, wordsOf } from './surroundings.ts';

/** On a full disk nobody can be told how this agent is reached; it serves its sessions and tries again. */
const DOOR_RETRY_MS = 10_000;

export interface RunOptions {
  /** config.json, and what it says now. */
  file: string;
  config: AgentConfig;
  ids: Ids;
  /** Serves requests at a free port of 127.0.0.1. */
  listen(fetch: (request: Request) => Promise<Response>): { port: number; stop(): Promise<void> };
  /** A command has asked the agent to make room for another one. */
  handOver(): void;
}

/** The agent with what operators need around it: its log on disk, the way in for commands, an eye on config.json. */
export interface Running {
  agent: Agent;
  log: Log;
  /** Starts the agent, then opens the way in. */
  start(): Promise<void>;
  /** Ends what stands around the agent. Idempotent. */
  close(): Promise<void>;
}

/** Whether another agent runs here is for the lock of the state folder to say; this only finds better words for it. Throws Failed. */
const refuseOther = async (state_folder: string): Promise<void> => {
  const other = await askStatus(state_folder).catch(() => undefined);
  if (other === undefined) return;
  throw new Failed(`An agent with this config.json runs already: process ${other.pid}. Stop that one first.`);
};

/** Prepares the agent of this config.json. Throws Failed, when another one runs for example. */
export const prepare = async (options: RunOptions, surroundings: Surroundings): Promise<Running> => {
  const { file, ids, listen } = options;
  const { version, clock, itself, environment } = surroundings;
  let config = options.config;
  const { log_folder, state_folder } = config;
  await refuseOther(state_folder);
  const started_at = clock.now();
  const disk = openLog(log_folder);
  const log = createLog('session-agent', 'info', undefined, disk);
  const agent = new Agent({
    config,
    version,
    signalling: [...itself, 'signalling'],
    environment: baseEnvironment(environment),
    proxyFor: (address) => proxyFor(address, environment),
    clock,
    ids,
    log,
  });
  const shown = await shownTo(file, surroundings);
  if (shown !== undefined) log.warn({ file: shown }, sharedAdvice);
  const reload = followConfig({
    file,
    config,
    clock,
    log,
    apply(fresh) {
      config = fresh;
      return agent.reconfigure(fresh);
    },
  });
  const status = async (): Promise<AgentStatus> => ({
    version,
    pid: process.pid,
    started_at,
    executable: itself.join(' '),
    service: environment[service_variable] ?? null,
    log_folder,
    server_name: config.server_name,
    coordinator: config.coordinator,
    link: agent.link.state(),
    seats: config.seats,
    draining: agent.draining ?? null,
    instances: agent.host.describe(),
    warm: agent.host.describeWarm(),
    apps: await appsOf(config),
    figures: agent.figures.last() ?? null,
    config: { file, problems: reload.problems() },
    errors: disk.errors(),
  });
  const token = ids.secret();
  const server = listen(controlHandler(token, { status, handOver: options.handOver }));
  let closeDoor = () => {};
  const showDoor = () => {
    try {
      closeDoor = openDoor(state_folder, { pid: process.pid, port: server.port, token });
    } catch (error) {
      log.error({ error }, 'commands cannot reach this agent yet');
      closeDoor = clock.after(DOOR_RETRY_MS, showDoor);
    }
  };
  let closing: Promise<void> | undefined;
  const close = async () => {
    reload.stop();
    closeDoor();
    await server.stop();
    disk.close();
  };
  return {
    agent,
    log,
    async start() {
      // Only who has the state folder to itself may say there how it is reached.
      await agent.start();
      showDoor();
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
};

/** The apps, each with why it cannot be launched now. */
const appsOf = ({ apps, apps_folders }: AgentConfig): Promise<AgentStatus['apps']> =>
  Promise.all(
    apps.map(async (app) => {
      const problem = await launchProblem(app, apps_folders);
      return { rc_name: app.rc_name, ...(problem === undefined ? {} : { problem }) };
    }),
  );

/** config.json, which holds the key, with whom it is shown to; undefined when it is nobody's but its owner's. */
const shownTo = async (
  file: string,
  { platform, environment }: Surroundings,
): Promise<string | undefined> => {
  if (platform !== 'win32') return sharedFile(file);
  // Where Windows does not tell, the doctor says so.
  const readers = await readersOf(file, environment.SystemRoot).catch(() => []);
  return readers.length === 0 ? undefined : `${file} (${readers.join(', ')})`;
};

const openLog = (folder: string) => {
  try {
    return openAgentLog(folder);
  } catch (error) {
    throw new Failed(`The log cannot be written: ${wordsOf(error)}. "log_folder" in config.json says where.`);
  }
};
