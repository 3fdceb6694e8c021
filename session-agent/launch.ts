import { join } from 'node:path';
import type { Clock } from '../shared/clock.ts';
import { isRefusal, type Refusal } from '../shared/errors.ts';
import type { Ids } from '../shared/ids.ts';
import type { Log } from '../shared/log.ts';
import type { fromAgent, toAgent } from '../shared/protocol/agent-link.ts';
import type { MessageOf } from '../shared/protocol/message.ts';
import { cardsOf } from './cards.ts';
import type { AgentConfig, AppConfig } from './config.ts';
import { appArguments } from './domain/launch.ts';
import type { Ports } from './ports.ts';
import { Program } from './processes/program.ts';

export type CreateSession = MessageOf<Pick<typeof toAgent, 'CREATE_SESSION'>>;

/** What every session of this host shares. */
export interface SessionHost {
  config: AgentConfig;
  /** The program and arguments that start our signalling server: this very executable. */
  signalling: [string, ...string[]];
  /** The variables that children inherit. */
  environment: Record<string, string>;
  ports: Ports;
  clock: Clock;
  ids: Ids;
  log: Log;
  send(message: MessageOf<typeof fromAgent>): void;
  /** Closes the session's player channels. */
  closeChannels(session_id: string): void;
}

/** The local ports of one session's signalling server. */
export interface LocalPorts {
  player: number;
  streamer: number;
  sfu: number;
}

interface Child {
  role: 'app' | 'signalling';
  command: [string, ...string[]];
  environment: Record<string, string>;
  working_directory?: string;
}

/** By this an agent knows the processes of its own former life: no two agents share a log folder. */
export const hostMark = ({ server_name, log_folder }: AgentConfig): string => `${server_name}@${log_folder}`;

const spawn = (host: SessionHost, order: CreateSession, child: Child): Program => {
  const { session_id, generation } = order;
  const { role, environment, ...rest } = child;
  const log = host.log.child({ session: session_id, role });
  const program = new Program(
    {
      ...rest,
      environment: { ...host.environment, ...environment },
      marks: {
        VITRINA_HOST: hostMark(host.config),
        VITRINA_SESSION: `${session_id}:${generation}`,
        VITRINA_ROLE: role,
      },
      output_file: join(host.config.log_folder, `${session_id}-${role}.log`),
    },
    host.clock,
    log,
  );
  log.info({ pid: program.pid, command: child.command }, 'started');
  return program;
};

/**
 * Starts a session's signalling server on 127.0.0.1, which admits players by tokens under `secret`. Secrets and TURN
 * credentials travel in the environment: a command line is for everybody on the machine to read.
 */
export const launchSignalling = (
  host: SessionHost,
  order: CreateSession,
  ports: LocalPorts,
  secret: string,
): Program => {
  const flags = { player_port: ports.player, streamer_port: ports.streamer, sfu_port: ports.sfu };
  return spawn(host, order, {
    role: 'signalling',
    command: [
      ...host.signalling,
      ...Object.entries(flags).flatMap(([name, port]) => [`--${name}`, String(port)]),
      ...['--bind', '127.0.0.1'],
    ],
    environment: {
      SIGNALLING_ADMISSION_SECRET: secret,
      SIGNALLING_PEER_OPTIONS: JSON.stringify({ iceServers: order.ice_servers }),
    },
  });
};

/**
 * Starts the app so that its streamer registers as `streamer_id`. Throws what the operating system says when the file
 * cannot be run.
 */
export const launchApp = (
  host: SessionHost,
  order: CreateSession,
  app: AppConfig,
  ports: LocalPorts,
  streamer_id: string,
): Program | Refusal => {
  const { webrtc, cards } = host.config;
  const { width, height } = webrtc.resolution;
  const [card] = cardsOf(host.config);
  const args = appArguments(app, {
    streamer_url: `ws://127.0.0.1:${ports.streamer}`,
    streamer_id,
    streamer_port: String(ports.streamer),
    session_id: order.session_id,
    width: String(width),
    height: String(height),
    ...(cards.length === 0 ? {} : { gpu: String(order.card ?? card?.index ?? 0) }),
    language: order.language ?? 'en',
  });
  if (isRefusal(args)) return args;
  const { working_directory } = app;
  return spawn(host, order, {
    role: 'app',
    command: [app.path, ...args],
    environment: app.environment,
    ...(working_directory === undefined ? {} : { working_directory }),
  });
};
