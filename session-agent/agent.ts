import type { Clock } from '../shared/clock.ts';
import type { Ids } from '../shared/ids.ts';
import type { Log } from '../shared/log.ts';
import { AGENT_LINK_VERSION, toAgent } from '../shared/protocol/agent-link.ts';
import type { Handlers } from '../shared/protocol/message.ts';
import { decodeRelayFrame } from '../shared/protocol/relay-frame.ts';
import { door, type Frame } from '../shared/socket.ts';
import { type AgentConfig, launchProblem } from './config.ts';
import type { DialledWire } from './dial.ts';
import { Host } from './host.ts';
import { Journal } from './journal.ts';
import { Link } from './link.ts';
import { createPorts } from './ports.ts';
import { type Lock, lockFolder } from './processes/lock.ts';
import { startProgram } from './processes/program.ts';

/** What stands between an agent and the disk and the operating system: where a test can kill it. */
export interface Tools {
  journal: Pick<Journal, 'append' | 'account'>;
  start: typeof startProgram;
}

/** What only the main program may know, and what tests replace. */
export interface AgentOptions {
  /** Puts something around the agent's own tools. */
  around?: (tools: Tools) => Tools;
  config: AgentConfig;
  signalling: [string, ...string[]];
  environment: Record<string, string>;
  clock: Clock;
  ids: Ids;
  log: Log;
}

const handlers: Handlers<typeof toAgent, Agent> = {
  WELCOME: ({ heartbeat_ms, sessions }, { link, host }) => {
    link.welcomed(heartbeat_ms);
    host.reconcile(sessions);
  },
  // That it came is all that it says, and the link has seen it.
  HEARTBEAT: () => {},
  CREATE_SESSION: (order, { host }) => host.create(order),
  CONNECT_USER_TO_SESSION: (order, { host }) => host.connectUser(order),
  DISCONNECT_USER: (order, { host }) => host.disconnectUser(order),
  WARM: ({ apps }, { host }) => host.keepWarm(apps),
  END_SESSION: (order, { host }) => host.endSession(order),
};

/** The whole program without its process: one link, one host. */
export class Agent {
  readonly link: Link;
  readonly host: Host;
  readonly #options: AgentOptions;
  readonly #journal: Journal;
  #lock: Lock | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { config, signalling, environment, clock, ids, log, around = (tools) => tools } = options;
    this.#journal = new Journal(config.state_folder, log);
    this.host = new Host({
      ...around({ journal: this.#journal, start: startProgram }),
      ...{ config, signalling, environment, clock, ids, log },
      ports: createPorts(config.ports),
      send: (message) => this.link.send(message),
      relay: (frame) => this.link.relay(frame),
    });
    let taken: { wire: DialledWire; take: (frame: Frame) => void } | undefined;
    this.link = new Link({
      url: config.coordinator,
      key: config.key,
      clock,
      ids,
      log,
      hello: () => ({
        verb: 'HELLO',
        protocol: AGENT_LINK_VERSION,
        server_name: config.server_name,
        seats: config.seats,
        apps: config.apps.map(({ rc_name }) => rc_name),
        sessions: this.host.inventory(),
      }),
      frame: (frame, wire) => {
        if (typeof frame !== 'string') return this.#relayed(frame);
        if (taken?.wire !== wire) {
          taken = { wire, take: door({ family: toAgent, handlers, context: this, wire, clock, log }) };
        }
        taken.take(frame);
      },
      lost: () => this.host.linkLost(),
    });
  }

  /**
   * Takes over what a killed predecessor left, says what is wrong with the configured apps, then dials. Throws when another
   * agent has the state folder, or it cannot be written to.
   */
  async start(): Promise<void> {
    const { config, log } = this.#options;
    this.#takeFolder(config.state_folder);
    await this.#journal.open();
    this.host.tidy();
    await this.host.open();
    for (const app of config.apps) {
      const problem = await launchProblem(app);
      if (problem !== undefined) log.error({ app: app.rc_name, problem }, 'this app cannot be launched');
    }
    const { hostname, protocol } = new URL(config.coordinator);
    if (protocol === 'ws:' && !['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) {
      log.warn({ url: config.coordinator }, 'the key travels unencrypted: use wss:// or https://');
    }
    if (this.#stopping === undefined) this.link.start();
  }

  /** Ends every session, tells the coordinator, and hangs up. Resolves when nothing is left. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.host.stop('host_stopped').then(() => this.#close('the agent stops'));
    return this.#stopping;
  }

  /**
   * Ends this agent and nothing else: apps, signalling and streams go on, the journal has them, and an agent that is started
   * on the same state folder adopts them. Idempotent, and after `stop` the same as that.
   */
  handOver(): Promise<void> {
    this.#stopping ??= this.host.release().then(() => this.#close('the agent hands over'));
    return this.#stopping;
  }

  /** Two agents on one journal would adopt each other's sessions. */
  #takeFolder(folder: string): void {
    const lock = lockFolder(folder);
    if ('holder' in lock) throw new Error(`another agent runs on ${folder}: ${lock.holder}`);
    this.#lock = lock;
  }

  async #close(reason: string): Promise<void> {
    await this.link.stop(reason);
    await this.#journal.close();
    this.#lock?.release();
  }

  /** Kills what a stop under way still waits for. */
  force(): void {
    this.host.force();
  }

  #relayed(bytes: Uint8Array): void {
    const frame = decodeRelayFrame(bytes);
    if (frame === undefined)
      this.#options.log.warn({ bytes: bytes.length }, 'a binary frame that is no relay frame');
    else this.host.frame(frame);
  }
}
