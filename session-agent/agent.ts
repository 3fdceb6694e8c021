import type { Clock } from '../shared/clock.ts';
import type { Ids } from '../shared/ids.ts';
import type { Log } from '../shared/log.ts';
import { AGENT_LINK_VERSION, toAgent } from '../shared/protocol/agent-link.ts';
import type { Handlers } from '../shared/protocol/message.ts';
import { decodeRelayFrame } from '../shared/protocol/relay-frame.ts';
import { door, type Frame } from '../shared/socket.ts';
import { cardsOf, needsOf } from './cards.ts';
import { type AgentConfig, launchProblem } from './config.ts';
import type { DialledWire } from './dial.ts';
import { Figures } from './figures.ts';
import { Host } from './host.ts';
import { hostMark } from './launch.ts';
import { Link } from './link.ts';
import { createPorts } from './ports.ts';
import { endLeftovers } from './processes/leftovers.ts';

/** What only the main program may know, and what tests replace. */
export interface AgentOptions {
  config: AgentConfig;
  signalling: [string, ...string[]];
  environment: Record<string, string>;
  clock: Clock;
  ids: Ids;
  log: Log;
  /** This program's release. */
  version: string;
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
  readonly figures: Figures;
  readonly #options: AgentOptions;
  #stopping: Promise<void> | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { config, clock, ids, log, version } = options;
    const life = ids.id();
    this.figures = new Figures(options);
    this.host = new Host({
      ...options,
      ports: createPorts(config.ports),
      send: (message) => void this.link.send(message),
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
        cards: cardsOf(config),
        placing: config.placing,
        needs: needsOf(config),
        version,
        life,
      }),
      heartbeat: () => {
        const figures = this.figures.last();
        return figures === undefined ? {} : { figures };
      },
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

  /** Ends what a killed predecessor left, says what is wrong with the configured apps, then dials. */
  async start(): Promise<void> {
    const { config, clock, log } = this.#options;
    this.host.tidy();
    await endLeftovers(`VITRINA_HOST=${hostMark(config)}`, clock, log);
    for (const app of config.apps) {
      const problem = await launchProblem(app);
      if (problem !== undefined) log.error({ app: app.rc_name, problem }, 'this app cannot be launched');
    }
    const { hostname, protocol } = new URL(config.coordinator);
    if (protocol === 'ws:' && !['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) {
      log.warn({ url: config.coordinator }, 'the key travels unencrypted: use wss:// or https://');
    }
    this.figures.start();
    this.link.start();
  }

  /** Ends every session, tells the coordinator, and hangs up. Resolves when nothing is left. Idempotent. */
  stop(): Promise<void> {
    this.figures.stop();
    this.#stopping ??= this.host.stop('host_stopped').then(() => this.link.stop('the agent stops'));
    return this.#stopping;
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
