import { refuse } from '../shared/errors.ts';
import type { toAgent } from '../shared/protocol/agent-link.ts';
import type { MessageOf } from '../shared/protocol/message.ts';
import type { RelayFrame } from '../shared/protocol/relay-frame.ts';
import type { EndReason } from '../shared/protocol/session.ts';
import { Channels } from './channels.ts';
import type { AgentConfig } from './config.ts';
import type { CreateSession, SessionHost } from './launch.ts';
import { pruneOutputs } from './processes/output.ts';
import { RunningSession } from './session.ts';
import type { InstanceStatus } from './status.ts';

/** Output files of sessions gone by that are kept, beside those of as many sessions as may run. */
const KEPT_OUTPUTS = 400;
const OUTPUTS_PER_SESSION = 4;

type ConnectUser = MessageOf<Pick<typeof toAgent, 'CONNECT_USER_TO_SESSION'>>;
type DisconnectUser = MessageOf<Pick<typeof toAgent, 'DISCONNECT_USER'>>;
type WarmWishes = MessageOf<Pick<typeof toAgent, 'WARM'>>['apps'];
type EndSession = MessageOf<Pick<typeof toAgent, 'END_SESSION'>>;
type Verdicts = MessageOf<Pick<typeof toAgent, 'WELCOME'>>['sessions'];

export interface HostOptions extends Omit<SessionHost, 'closeChannels'> {
  relay(frame: RelayFrame): boolean;
}

/** An inventory entry of HELLO. */
export interface InventoryEntry {
  session_id: string;
  generation: number;
  state: 'starting' | 'ready' | 'restarting';
}

/** The sessions and player channels of this machine. It obeys the coordinator within what config.json allows. */
export class Host {
  readonly #options: HostOptions;
  readonly #sessions = new Map<string, RunningSession>();
  readonly #channels: Channels;
  #stopping = false;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#channels = new Channels(options);
  }

  /** Everything that runs here. A session that is being stopped still does, and its end will be reported. */
  inventory(): InventoryEntry[] {
    return [...this.#sessions.values()].map(({ order, phase }) => ({
      session_id: order.session_id,
      generation: order.generation,
      state:
        phase === 'ready' ? 'ready' : phase === 'signalling' || phase === 'app' ? 'starting' : 'restarting',
    }));
  }

  /** What runs here, as `status` shows it. */
  describe(): InstanceStatus[] {
    return [...this.#sessions.values()].map(({ order, phase }) => ({
      instance_id: order.session_id,
      rc_name: order.rc_name,
      card: order.card ?? 0,
      phase,
      session_id: order.session_id,
      since: 0,
      restarts: 0,
    }));
  }

  /** Launches from now on follow this configuration; what runs goes on as it was started. */
  reconfigure(config: AgentConfig): void {
    this.#options.config = config;
    this.#options.ports.move(config.ports);
  }

  /** Makes the log folder if need be and keeps it bounded. Throws when it cannot be written to. */
  tidy(): void {
    const { log_folder, seats } = this.#options.config;
    pruneOutputs(log_folder, KEPT_OUTPUTS + seats * OUTPUTS_PER_SESSION);
  }

  /** Launches a session, or answers at once with SESSION_ENDED and the reason why not. */
  create(order: CreateSession) {
    const known = this.#sessions.get(order.session_id);
    if (known !== undefined) return this.#again(known, order);
    const { config, log } = this.#options;
    const app = config.apps.find(({ rc_name }) => rc_name === order.rc_name);
    if (app === undefined) {
      return this.#refuse(order, 'app_not_found', `config.json of this host has no app "${order.rc_name}"`);
    }
    if (this.#stopping) return this.#refuse(order, 'host_stopped', 'the agent is being stopped');
    if (this.#sessions.size >= config.seats) {
      return this.#refuse(order, 'host_refused', `all ${config.seats} seats are in use`);
    }
    const session = new RunningSession(order, app, {
      ...this.#options,
      closeChannels: (session_id) => this.#channels.closeSession(session_id, refuse('session_ended')),
    });
    this.#sessions.set(order.session_id, session);
    session.over
      .then(() => {
        this.#sessions.delete(order.session_id);
        this.tidy();
      })
      .catch((error: unknown) => log.error({ error }, 'a session could not be closed'));
  }

  /** An order for a session that runs already: repeated (nothing to do), stale, or a newer life of it. */
  #again(known: RunningSession, order: CreateSession) {
    const { session_id, generation } = order;
    const { log } = this.#options;
    if (generation === known.order.generation) return log.debug({ session: session_id }, 'repeated order');
    if (generation < known.order.generation) {
      return log.warn({ session: session_id, generation }, 'an order of an older generation is ignored');
    }
    known.end({ reason: 'coordinator_forgot', detail: `generation ${generation} was ordered` });
    this.#refuse(order, 'host_refused', `generation ${known.order.generation} is still being stopped`);
  }

  /** Opens a player channel, or closes it towards the player with the reason. */
  connectUser(order: ConnectUser) {
    const { session_id, generation, channel, user_id, ice_servers, code, view_only = false } = order;
    const session = this.#sessions.get(session_id);
    if (session === undefined || session.order.generation !== generation) {
      return this.#channels.refuse(channel, refuse('session_unknown'));
    }
    if (session.order.code !== code) return this.#channels.refuse(channel, refuse('code_unknown'));
    const url = session.playerUrl(user_id, ice_servers, view_only);
    if (url === undefined) {
      const ending = session.phase === 'stopping' || session.phase === 'ended';
      return this.#channels.refuse(channel, refuse(ending ? 'session_ended' : 'session_not_ready'));
    }
    const WebRTC_connection_data = `http://127.0.0.1:${session.playerPort}`;
    this.#channels.open(channel, session_id, url, () =>
      this.#options.send({
        msg: 'SESSION_CONNECTION_ESTABLISHED',
        session_id,
        generation,
        channel,
        WebRTC_connection_data,
      }),
    );
  }

  /** Closes the participant's player connections. */
  disconnectUser({ session_id, user_id }: DisconnectUser): void {
    this.#options.log.debug({ session: session_id, user_id }, 'to be built: channels');
  }

  /** How many instances of each app the coordinator wants to be started ahead. */
  keepWarm(wishes: WarmWishes): void {
    this.#options.log.debug({ wishes }, 'to be built: warm pool');
  }

  /** Ends a session. One that is not here is gone already, and that is the answer. */
  endSession({ session_id, generation, reason }: EndSession): void {
    const session = this.#sessions.get(session_id);
    if (session === undefined) {
      this.#options.send({ msg: 'SESSION_ENDED', session_id, generation, reason });
    } else if (generation < session.order.generation) {
      this.#options.log.warn({ session: session_id, generation }, 'an end of an older generation is ignored');
    } else session.end({ reason });
  }

  /** The coordinator's word on each session of the inventory. What it does not mention goes on. */
  reconcile(verdicts: Verdicts): void {
    for (const { session_id, generation, action } of verdicts) {
      const session = this.#sessions.get(session_id);
      if (action === 'stop' && session?.order.generation === generation) {
        session.end({ reason: 'coordinator_forgot' });
      }
    }
  }

  /** A relay frame from the link. */
  frame(frame: RelayFrame): void {
    if (frame.kind === 'data') this.#channels.frame(frame.channel, frame.payload);
    else this.#channels.closedByPlayer(frame.channel, frame.code, frame.reason);
  }

  /** Players' legs are gone with the link; sessions go on. */
  linkLost(): void {
    this.#channels.linkLost();
  }

  /** Ends every session; resolves when no process of any is left. */
  async stop(reason: EndReason): Promise<void> {
    this.#stopping = true;
    const sessions = [...this.#sessions.values()];
    for (const session of sessions) session.end({ reason });
    await Promise.all(sessions.map(({ over }) => over));
  }

  /** Kills what is left of sessions that are being stopped. */
  force(): void {
    for (const session of this.#sessions.values()) session.force();
  }

  #refuse({ session_id, generation }: CreateSession, reason: EndReason, detail: string): void {
    this.#options.log.warn({ session: session_id, reason, detail }, 'order refused');
    this.#options.send({ msg: 'SESSION_ENDED', session_id, generation, reason, detail });
  }
}
