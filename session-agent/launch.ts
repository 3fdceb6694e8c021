import { join } from 'node:path';
import { streamerToken } from '../shared/admission.ts';
import type { Clock } from '../shared/clock.ts';
import { isRefusal, type Refusal } from '../shared/errors.ts';
import type { Ids } from '../shared/ids.ts';
import type { Log } from '../shared/log.ts';
import type { fromAgent, toAgent } from '../shared/protocol/agent-link.ts';
import type { MessageOf } from '../shared/protocol/message.ts';
import type { AgentConfig, AppConfig } from './config.ts';
import type { LocalPorts, Role } from './domain/journal.ts';
import { appArguments, signallingCommand, takesStreamerUrl } from './domain/launch.ts';
import { pinning } from './domain/pinning.ts';
import type { Journal } from './journal.ts';
import type { Ports } from './ports.ts';
import type { Marks } from './processes/marked.ts';
import type { Program, ProgramPlace, startProgram } from './processes/program.ts';

/**
 * A streamer that does not answer is dropped after so long. An app that hangs has to be seen within 20 s: this, a second until
 * the observer has the news, and `hung_seconds` (3).
 */
const STREAMER_SILENCE_SECONDS = 12;

export type CreateSession = MessageOf<Pick<typeof toAgent, 'CREATE_SESSION'>>;

/** What every instance of this host shares. */
export interface InstanceHost {
  /** As it was read last: what is launched later follows it, what runs goes on. */
  config: AgentConfig;
  /** See `hostMark`. */
  mark: string;
  /** The program and arguments that start our signalling server: this very executable. */
  signalling: [string, ...string[]];
  /** The variables that children inherit. */
  environment: Record<string, string>;
  ports: Ports;
  clock: Clock;
  ids: Ids;
  log: Log;
  journal: Pick<Journal, 'append' | 'account'>;
  start: typeof startProgram;
  /** Whether the link took it. */
  send(message: MessageOf<typeof fromAgent>): boolean;
  /** Closes the session's player channels. */
  closeChannels(session_id: string): void;
}

/** What an instance's two programs are started for. */
export interface Launch {
  instance_id: string;
  app: AppConfig;
  card: number;
  /** The session that has it, if one has. */
  order: CreateSession | undefined;
  ports: LocalPorts;
  /** Shared with signalling: players are admitted by tokens under it. */
  secret: string;
  /** Whether the streamer shows a token, too, if it is told where to connect in a way that takes one. */
  keyed: boolean;
}

interface Child extends Pick<ProgramPlace, 'environment'> {
  command: [string, ...string[]];
  working_directory?: string;
}

/** By this an agent knows the processes of its own former life: no two agents share a state folder. */
export const hostMark = ({ state_folder }: AgentConfig): string => state_folder;

/** The name under which the app's streamer registers. */
export const streamerId = (instance_id: string): string => `vitrina-${instance_id}`;

/** How a program of an instance is known, and where its output goes. */
export const placeOf = (
  host: InstanceHost,
  instance_id: string,
  role: Role,
  environment: Record<string, string> = {},
): ProgramPlace => {
  const marks: Marks = { VITRINA_HOST: host.mark, VITRINA_INSTANCE: instance_id, VITRINA_ROLE: role };
  return {
    environment: { ...host.environment, ...environment },
    marks: { ...marks },
    output_file: join(host.config.log_folder, `${instance_id}-${role}.log`),
  };
};

const spawn = (host: InstanceHost, { instance_id, secret }: Launch, role: Role, child: Child): Program => {
  const { environment, ...rest } = child;
  const log = host.log.child({ instance: instance_id, role });
  const order = { ...rest, ...placeOf(host, instance_id, role, environment) };
  const program = host.start(order, host.clock, log);
  const token = streamerToken(secret);
  const command = child.command.map((argument) => argument.replaceAll(token, '[token]'));
  log.info({ pid: program.pid, command }, 'started');
  return program;
};

/**
 * What the streamer shows at signalling's door. None where it cannot: the app is told a port alone, or another signalling
 * server than ours takes no token. The same for as long as the instance lives: the app knows it from its start.
 */
const tokenOf = ({ app, keyed, secret }: Launch): string | undefined =>
  keyed && app.signalling === undefined && takesStreamerUrl(app) ? streamerToken(secret) : undefined;

/**
 * Starts an instance's signalling server on 127.0.0.1. Secrets and TURN credentials travel in the environment: a command
 * line is for everybody on the machine to read. Another server than ours knows neither: it lets in whoever is on this machine.
 */
export const launchSignalling = (host: InstanceHost, launch: Launch): Program => {
  const { app, ports, secret, order } = launch;
  const token = tokenOf(launch);
  const flags = { player_port: ports.player, streamer_port: ports.streamer };
  if (app.signalling !== undefined) {
    const command = signallingCommand(app.signalling, { ...flags, sfu_port: ports.sfu });
    return spawn(host, launch, 'signalling', { command, environment: {} });
  }
  return spawn(host, launch, 'signalling', {
    command: [
      ...host.signalling,
      ...Object.entries(flags).flatMap(([name, port]) => [`--${name}`, String(port)]),
      ...['--bind', '127.0.0.1', '--keepalive_seconds', String(STREAMER_SILENCE_SECONDS)],
      // Nobody but the agent and the app has any business here.
      ...['--sfu_port=', '--refuse_pages'],
      // The session's visitors came for its one streamer, whatever age their page is of.
      ...['--legacy_auto_subscribe', ...(app.engine === undefined ? [] : ['--engine', app.engine])],
    ],
    environment: {
      SIGNALLING_ADMISSION_SECRET: secret,
      ...(token === undefined ? {} : { SIGNALLING_STREAMER_TOKEN: token }),
      SIGNALLING_PEER_OPTIONS: JSON.stringify({ iceServers: order?.ice_servers ?? [] }),
    },
  });
};

/** Starts the app so that its streamer registers. Throws what the operating system says when the file cannot be run. */
export const launchApp = (host: InstanceHost, launch: Launch): Program | Refusal => {
  const { app, card, instance_id, order, ports } = launch;
  const token = tokenOf(launch);
  const { webrtc, cards } = host.config;
  const { width, height } = webrtc.resolution;
  const args = appArguments(app, {
    streamer_url: `ws://127.0.0.1:${ports.streamer}${token === undefined ? '' : `/?token=${token}`}`,
    streamer_id: streamerId(instance_id),
    streamer_port: String(ports.streamer),
    session_id: order?.session_id ?? instance_id,
    width: String(width),
    height: String(height),
    ...(cards.length === 0 ? {} : { gpu: String(card) }),
    language: order?.language ?? 'en',
  });
  if (isRefusal(args)) return args;
  const { working_directory } = app;
  return spawn(host, launch, 'app', {
    command: [app.path, ...args],
    environment: { ...pinning(host.config, card), ...app.environment },
    ...(working_directory === undefined ? {} : { working_directory }),
  });
};
