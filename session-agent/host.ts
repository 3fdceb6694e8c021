import { counted } from '../shared/counted.ts';
import { refuse } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { toAgent } from '../shared/protocol/agent-link.ts';
import type { MessageOf } from '../shared/protocol/message.ts';
import type { RelayFrame } from '../shared/protocol/relay-frame.ts';
import type { EndReason } from '../shared/protocol/session.ts';
import { Channels } from './channels.ts';
import type { AgentConfig } from './config.ts';
import type { WarmWish } from './domain/pool.ts';
import type { Instance } from './instance.ts';
import { Instances } from './instances.ts';
import { type CreateSession, hostMark, type InstanceHost } from './launch.ts';
import { pruneOutputs } from './processes/output.ts';
import { UnreportedEnds } from './reports.ts';
import type { InstanceStatus, WarmStatus } from './status.ts';

/** What HELLO takes. */
const INVENTORY_MAX = 1_000;
/** Output files of sessions gone by that are kept, beside those of as many sessions as may run. */
const KEPT_OUTPUTS = 400;
const OUTPUTS_PER_SESSION = 4;

type ConnectUser = MessageOf<Pick<typeof toAgent, 'CONNECT_USER_TO_SESSION'>>;
type DisconnectUser = MessageOf<Pick<typeof toAgent, 'DISCONNECT_USER'>>;
type EndSession = MessageOf<Pick<typeof toAgent, 'END_SESSION'>>;
type Verdicts = MessageOf<Pick<typeof toAgent, 'WELCOME'>>['sessions'];

export interface HostOptions extends Omit<InstanceHost, 'closeChannels' | 'mark'> {
  relay(frame: RelayFrame): boolean;
}

/** An inventory entry of HELLO. */
export interface InventoryEntry {
  session_id: string;
  generation: number;
  state: 'starting' | 'ready' | 'restarting';
  card?: number;
}

const prune = ({ log_folder, seats }: AgentConfig, log: Log): void =>
  pruneOutputs(log_folder, KEPT_OUTPUTS + seats * OUTPUTS_PER_SESSION, log);

const stateOf = ({ phase }: Instance): InventoryEntry['state'] => {
  if (phase === 'ready' || phase === 'missing') return 'ready';
  return phase === 'signalling' || phase === 'app' ? 'starting' : 'restarting';
};

/** The sessions and player channels of this machine. It obeys the coordinator within what config.json allows. */
export class Host {
  readonly #host: InstanceHost;
  readonly #instances: Instances;
  readonly #channels: Channels;
  readonly #unreported = new UnreportedEnds();
  #stopping = false;

  constructor(options: HostOptions) {
    this.#channels = new Channels(options);
    this.#host = {
      ...options,
      send: (message) => {
        const taken = options.send(message);
        if (!taken) this.#unreported.keep(message);
        return taken;
      },
      mark: hostMark(options.config),
      closeChannels: (session_id) => this.#channels.closeSession(session_id, refuse('session_ended')),
    };
    this.#instances = new Instances(this.#host);
  }

  /**
   * Everything that runs here for a session. One that is being stopped still does, and its end will be reported; so will that
   * of one which ended while the link was down.
   */
  inventory(): InventoryEntry[] {
    const running = this.#instances.sessions().flatMap((instance) => {
      const { order, birth } = instance;
      if (order === undefined) return [];
      const { session_id, generation } = order;
      return [{ session_id, generation, state: stateOf(instance), card: birth.card }];
    });
    return [...running, ...this.#unreported.sessions()].slice(0, INVENTORY_MAX);
  }

  /** Warm instances that a session could have at once, by app and card. */
  warm(): { rc_name: string; card: number; ready: number }[] {
    return this.#instances.warm();
  }

  /** Every instance, for the operator. */
  describe(): InstanceStatus[] {
    return this.#instances.describe();
  }

  /** What is kept warm, and what goes wrong with it, for the operator. */
  describeWarm(): WarmStatus[] {
    return this.#instances.describeWarm();
  }

  /** Takes over what an agent before this one left; the journal is open. Then warm instances are started. */
  async open(): Promise<void> {
    await this.#instances.open();
    if (this.#instances.sessions().length > 0) this.#channels.expect();
  }

  /**
   * What is launched from now on follows this configuration; what runs goes on, also that of an app that is not listed any
   * more. With fewer seats nothing new is started until there are fewer. The state folder and the server's name stay. Throws when
   * the log folder cannot be written to; then nothing has changed.
   */
  reconfigure(config: AgentConfig): void {
    // First what may fail: the log folder may be another.
    prune(config, this.#host.log);
    this.#instances.reconfigure(config);
  }

  /** Makes the log folder if need be and keeps it bounded. One that cannot be made or read is said: sessions are worth more. */
  tidy(): void {
    const { config, log } = this.#host;
    try {
      prune(config, log);
    } catch (error) {
      log.error({ error, folder: config.log_folder }, 'the log folder cannot be kept tidy');
    }
  }

  /** Launches a session, or answers at once with SESSION_ENDED and the reason why not. */
  create(order: CreateSession) {
    const known = this.#session(order.session_id);
    if (known?.order !== undefined) return this.#again(known, known.order, order);
    const { config, journal } = this.#host;
    const past = journal.account.over.get(order.session_id);
    if (past !== undefined && order.generation <= past.generation) {
      return this.#refuse(order, past.reason, 'this session has ended here already');
    }
    const app = config.apps.find(({ rc_name }) => rc_name === order.rc_name);
    if (app === undefined) {
      return this.#refuse(order, 'app_not_found', `config.json of this host has no app "${order.rc_name}"`);
    }
    if (this.#stopping) return this.#refuse(order, 'host_stopped', 'the agent is being stopped');
    const instance = this.#instances.take(order, app);
    if ('detail' in instance) return this.#refuse(order, 'host_refused', instance.detail);
    void instance.over.then(() => this.tidy());
  }

  #session(session_id: string): Instance | undefined {
    return this.#instances.sessions().find(({ order }) => order?.session_id === session_id);
  }

  /** An order for a session that runs already: repeated (nothing to do), stale, or a newer life of it. */
  #again(known: Instance, { generation: has }: CreateSession, order: CreateSession) {
    const { session_id, generation } = order;
    const { log } = this.#host;
    if (generation === has) return log.debug({ session: session_id }, 'repeated order');
    if (generation < has) {
      return log.warn({ session: session_id, generation }, 'an order of an older generation is ignored');
    }
    known.end({ reason: 'coordinator_forgot', detail: `generation ${generation} was ordered` });
    this.#refuse(order, 'host_refused', `generation ${has} is still being stopped`);
  }

  /** Opens a player channel, or closes it towards the player with the reason. */
  connectUser(order: ConnectUser) {
    const { session_id, generation, channel, user_id, ice_servers, code, view_only = false } = order;
    const session = this.#session(session_id);
    if (session?.order?.generation !== generation) {
      return this.#channels.refuse(channel, refuse('session_unknown'));
    }
    if (session.order.code !== code) return this.#channels.refuse(channel, refuse('code_unknown'));
    const named = session.keepsPlayers && order.resumable !== undefined ? { resumable: order.resumable } : {};
    this.#channels.open({
      channel,
      session_id,
      user_id,
      resumable: order.resumable,
      kept: session.keepsPlayers,
      url: () => {
        const url = session.playerUrl({ participant: user_id, ice_servers, view_only, ...named });
        if (url !== undefined) return url;
        const ending = session.phase === 'stopping' || session.phase === 'ended';
        return refuse(ending ? 'session_ended' : 'session_not_ready');
      },
      established: () =>
        this.#host.send({
          msg: 'SESSION_CONNECTION_ESTABLISHED',
          session_id,
          generation,
          channel,
          WebRTC_connection_data: `http://127.0.0.1:${session.playerPort}`,
        }),
      answered: () => this.#host.send({ msg: 'PLAYER_ANSWERED', session_id, generation, channel }),
    });
  }

  /** The participant has left: its player connections are closed, those that wait for its page, too. */
  disconnectUser({ session_id, generation, user_id }: DisconnectUser): void {
    const session = this.#session(session_id);
    if (session?.order === undefined || generation < session.order.generation) return;
    this.#channels.disconnectUser(session_id, user_id, refuse('forbidden'));
    void session.dismiss(user_id);
  }

  /** Whether pages wait to come back to their players, for which the link is needed soon. */
  awaited(): boolean {
    return this.#channels.awaited();
  }

  /** How many instances of each app the coordinator wants to be started ahead. */
  keepWarm(wishes: readonly WarmWish[]): void {
    this.#instances.wish(wishes);
  }

  /** Ends a session. One that is not here is gone already, and that is the answer. */
  endSession({ session_id, generation, reason }: EndSession): void {
    const session = this.#session(session_id);
    if (session?.order === undefined) {
      this.#host.send({ msg: 'SESSION_ENDED', session_id, generation, reason });
    } else if (generation < session.order.generation) {
      this.#host.log.warn({ session: session_id, generation }, 'an end of an older generation is ignored');
    } else session.end({ reason });
  }

  /**
   * The coordinator's word on each session of the inventory. What it does not mention goes on. Then it is told how far each is:
   * HELLO said how things stood, and nothing that came after it was heard.
   */
  reconcile(verdicts: Verdicts): void {
    this.#instances.wake();
    this.#unreported.tell((message) => this.#host.send(message));
    for (const { session_id, generation, action } of verdicts) {
      const session = this.#session(session_id);
      if (action === 'stop' && session?.order?.generation === generation) {
        session.end({ reason: 'coordinator_forgot' });
      }
    }
    for (const session of this.#instances.sessions()) session.tell();
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

  /** No coordinator has been there for so long that those who used the sessions have gone. `reconcile` tells of their end. */
  alone(minutes: number): void {
    if (this.#stopping) return;
    const detail = `no connection to the coordinator for ${counted(minutes, 'minute')}`;
    this.#host.log.error({ minutes }, 'without a coordinator for too long: sessions and warm instances end');
    this.#instances.sleep({ reason: 'host_lost', detail });
  }

  /** Ends every session and every warm instance; resolves when no process of any is left. */
  async stop(reason: EndReason): Promise<void> {
    this.#stopping = true;
    await this.#instances.stop(reason);
  }

  /** Kills what is left of sessions that are being stopped. */
  force(): void {
    this.#instances.force();
  }

  /** Takes no more orders and lets go of everything that runs, for a later agent to adopt. */
  async release(): Promise<void> {
    this.#stopping = true;
    await this.#instances.release();
  }

  #refuse({ session_id, generation }: CreateSession, reason: EndReason, detail: string): void {
    this.#host.log.warn({ session: session_id, reason, detail }, 'order refused');
    this.#host.send({ msg: 'SESSION_ENDED', session_id, generation, reason, detail });
  }
}
