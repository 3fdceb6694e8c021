import { mkdirSync } from 'node:fs';
import type { Cancel, Clock } from '../shared/clock.ts';
import type { Ids } from '../shared/ids.ts';
import { type Lock, lockFolder } from '../shared/lock.ts';
import type { Log } from '../shared/log.ts';
import { AGENT_LINK_VERSION, type Draining, toAgent } from '../shared/protocol/agent-link.ts';
import type { Handlers } from '../shared/protocol/message.ts';
import { decodeRelayFrame } from '../shared/protocol/relay-frame.ts';
import { door, type Frame } from '../shared/socket.ts';
import { watchAlone } from './alone.ts';
import { cardsOf, needsOf } from './cards.ts';
import { type AgentConfig, launchProblem } from './config.ts';
import type { DialledWire } from './dial.ts';
import { Figures } from './figures.ts';
import { Host } from './host.ts';
import { Journal, type OpenFile } from './journal.ts';
import { Link } from './link.ts';
import { createPorts } from './ports.ts';
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
  /** Opens the journal's files. */
  openFile?: OpenFile;
  config: AgentConfig;
  /** This program's release. */
  version: string;
  signalling: [string, ...string[]];
  environment: Record<string, string>;
  /** The HTTP proxy on the way to an address. */
  proxyFor?: (address: string) => string | undefined;
  clock: Clock;
  ids: Ids;
  log: Log;
}

const handlers: Handlers<typeof toAgent, Agent> = {
  WELCOME: ({ heartbeat_ms, protocol = 1, sessions, answers, draining }, agent) => {
    if (!agent.link.welcomed(heartbeat_ms, protocol, answers)) return;
    agent.draining = draining;
    agent.host.reconcile(sessions);
  },
  DRAINING: ({ draining }, agent) => {
    agent.draining = draining;
  },
  // That it came is all that it says, and the link has seen it.
  HEARTBEAT: () => {},
  CREATE_SESSION: (order, { host }) => host.create(order),
  CONNECT_USER_TO_SESSION: (order, { host }) => host.connectUser(order),
  DISCONNECT_USER: (order, { host }) => host.disconnectUser(order),
  WARM: ({ apps }, { host }) => host.keepWarm(apps),
  END_SESSION: (order, { host }) => host.endSession(order),
};

/** What HELLO says of the host that config.json decides. */
const described = ({ server_name, seats, apps }: AgentConfig) => ({
  server_name,
  seats,
  apps: apps.map(({ rc_name }) => rc_name),
});

/** Whether the coordinator has to be told, or dialled, anew. */
const needsRedial = (before: AgentConfig, after: AgentConfig): boolean => {
  const said = (config: AgentConfig) =>
    JSON.stringify([
      described(config),
      cardsOf(config),
      needsOf(config),
      config.placing,
      config.coordinator,
      config.key,
      config.ca_file,
    ]);
  return said(before) !== said(after);
};

/** The whole program without its process: one link, one host. */
export class Agent {
  readonly link: Link;
  readonly host: Host;
  readonly figures: Figures;
  readonly #options: AgentOptions;
  readonly #journal: Journal;
  #lock: Lock | undefined;
  /** What takes no new sessions, as the coordinator said last; undefined before it said so. */
  draining: Draining | undefined;
  /** Drawn by each process: two that alternate are one identity on two machines. */
  readonly life: string;
  #config: AgentConfig;
  #stopping: Promise<void> | undefined;
  #stopWatching: Cancel = () => {};

  constructor(options: AgentOptions) {
    this.#options = options;
    const { config, version, signalling, environment, clock, ids, log, around = (tools) => tools } = options;
    this.#journal = new Journal(config.state_folder, log, options.openFile);
    this.#config = config;
    this.life = ids.id();
    const self = this;
    this.figures = new Figures({ environment, clock, log });
    this.host = new Host({
      ...around({ journal: this.#journal, start: startProgram }),
      ...{ config, signalling, environment, clock, ids, log },
      ports: createPorts(config.ports),
      send: (message) => this.link.send(message),
      relay: (frame) => this.link.relay(frame),
    });
    let taken: { wire: DialledWire; take: (frame: Frame) => void } | undefined;
    this.link = new Link({
      get url() {
        return self.#config.coordinator;
      },
      get key() {
        return self.#config.key;
      },
      clock,
      ids,
      log,
      hello: () => ({
        verb: 'HELLO',
        protocol: AGENT_LINK_VERSION,
        ...described(this.#config),
        sessions: this.host.inventory(),
        cards: cardsOf(this.#config),
        placing: this.#config.placing,
        needs: needsOf(this.#config),
        warm: this.host.warm(),
        version,
        life: this.life,
        answers: true,
        drains: true,
      }),
      heartbeat: () => {
        const figures = this.figures.last();
        return { warm: this.host.warm(), ...(figures === undefined ? {} : { figures }) };
      },
      frame: (frame, wire) => {
        if (typeof frame !== 'string') return this.#relayed(frame);
        if (taken?.wire !== wire) {
          taken = { wire, take: door({ family: toAgent, handlers, context: this, wire, clock, log }) };
        }
        taken.take(frame);
      },
      lost: () => this.host.linkLost(),
      awaited: () => this.host.awaited(),
      get proxy() {
        return options.proxyFor?.(self.#config.coordinator);
      },
      get ca_file() {
        return self.#config.ca_file;
      },
    });
  }

  /**
   * Takes over what a killed predecessor left, says what is wrong with the configured apps, then dials. Throws when another
   * agent has the state folder, or it cannot be written to; a full disk is no such reason.
   */
  async start(): Promise<void> {
    const { config, log } = this.#options;
    this.#takeFolder(config.state_folder);
    await this.#journal.open();
    this.host.tidy();
    await this.host.open();
    await this.#checkApps();
    const { hostname, protocol } = new URL(config.coordinator);
    if (protocol === 'ws:' && !['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) {
      log.warn({ url: config.coordinator }, 'the key travels unencrypted: use wss:// or https://');
    }
    if (this.#stopping !== undefined) return;
    this.figures.start();
    this.link.start();
    const minutes = () => this.#config.alone_minutes;
    this.#stopWatching = watchAlone({
      clock: this.#options.clock,
      link: () => this.link.state(),
      minutes,
      alone: () => this.host.alone(minutes()),
    });
  }

  /**
   * Takes a new config.json into force: launches from now on follow it, live sessions stay as they are, and the link is
   * dialled anew when it has to be.
   */
  async reconfigure(config: AgentConfig): Promise<void> {
    const before = this.#config;
    this.#config = config;
    this.host.reconfigure(config);
    if (needsRedial(before, config)) this.link.redial();
    await this.#checkApps();
  }

  async #checkApps(): Promise<void> {
    for (const app of this.#config.apps) {
      const problem = await launchProblem(app, this.#config.apps_folders);
      if (problem !== undefined) {
        this.#options.log.error({ app: app.rc_name, problem }, 'this app cannot be launched');
      }
    }
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
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lock = lockFolder(folder, this.#options.log);
    if ('holder' in lock) throw new Error(`another agent runs on ${folder}: ${lock.holder}`);
    this.#lock = lock;
  }

  async #close(reason: string): Promise<void> {
    this.figures.stop();
    this.#stopWatching();
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
