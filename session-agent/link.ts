import type { Cancel, Clock } from '../shared/clock.ts';
import { errors, explain, refuse } from '../shared/errors.ts';
import type { Ids } from '../shared/ids.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { AGENT_LINK_OLDEST, AGENT_LINK_VERSION, fromAgent } from '../shared/protocol/agent-link.ts';
import { forCoordinator } from '../shared/protocol/agent-link-versions.ts';
import { encode, type MessageOf } from '../shared/protocol/message.ts';
import { encodeRelayFrame, type RelayFrame } from '../shared/protocol/relay-frame.ts';
import type { Frame } from '../shared/socket.ts';
import { readText } from '../shared/text-file.ts';
import { type DialledWire, dial } from './dial.ts';
import { backoff, good_link_ms } from './domain/backoff.ts';

type FromAgent = MessageOf<typeof fromAgent>;

const CONNECT_MS = 10_000;
/** Redials that such a refusal jumps to: the longest wait, so that two agents do not push each other out all day. */
const PATIENT_ATTEMPT = 10;
const PATIENT_CODES: readonly number[] = [errors.agent_superseded.close, errors.host_quarantined.close];
/** From here on the link takes no more player frames; control messages may use the rest. */
const RELAY_BACKLOG_BYTES = limits.link_backlog_bytes / 2;

const isRefusal = (close_code: number): boolean =>
  close_code === errors.agent_version.close || close_code === errors.unauthorized.close;

/** How the connection is. `since` is epoch ms, over all attempts while it is not connected; `detail` says why it is not connected, in words for an operator. */
export interface LinkState {
  state: 'connected' | 'dialling' | 'waiting' | 'stopped';
  since: number;
  detail?: string;
}

/** What an operator has to do about a refusal, by close code. */
const refusals: ReadonlyMap<number, string> = new Map([
  [
    errors.agent_key_wrong.close,
    'the coordinator refused this agent: key or server_name is not that of its catalogue. Enrol this host anew',
  ],
  [errors.agent_version.close, 'agent and coordinator speak different versions: update the older one'],
  [
    errors.agent_superseded.close,
    'another agent with the same server_name and key has taken over: is one key on two machines?',
  ],
  [
    errors.host_quarantined.close,
    'this host is locked: two machines used its key. Stop the agent on all but one, and enrol that one anew',
  ],
]);

export interface LinkOptions {
  /** Read anew at every dial, as the key is. */
  url: string;
  key: string;
  clock: Clock;
  ids: Ids;
  log: Log;
  hello(): MessageOf<Pick<typeof fromAgent, 'HELLO'>>;
  /** What HEARTBEAT tells beside the time. */
  heartbeat(): Omit<MessageOf<Pick<typeof fromAgent, 'HEARTBEAT'>>, 'verb' | 'time'>;
  /** What the coordinator sends, and where answers to this very connection would go. */
  frame(frame: Frame, wire: DialledWire): void;
  lost(): void;
  /** Whether players wait for the link. */
  awaited?(): boolean;
  /** The HTTP proxy to go through. */
  proxy?: string | undefined;
  /** PEM; with it only its authorities are trusted. Read before each dial. */
  ca_file?: string | undefined;
}

/** The agent's one connection to the coordinator: dialled, kept alive, redialled until `stop`. */
export class Link {
  readonly #options: LinkOptions;
  #wire: DialledWire | undefined;
  #welcomed_at: number | undefined;
  /** The version of the protocol that is spoken: that of the last WELCOME, or the one to try next. */
  #protocol = AGENT_LINK_VERSION;
  #stopHeartbeat: Cancel = () => {};
  #cancelWait: Cancel = () => {};
  #tellsAnswers = false;
  #heard = 0;
  #stopped = false;
  #loop: Promise<void> | undefined;
  #wake = () => {};
  #state: LinkState;
  #detail: string | undefined;
  #redialling = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#state = { state: 'dialling', since: options.clock.now() };
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  state(): LinkState {
    return this.#state;
  }

  /** Connects anew and without a wait: where to, by which key, or what HELLO says has changed. */
  redial(): void {
    if (this.#stopped) return;
    this.#redialling = true;
    this.#cancelWait();
    this.#wake();
    this.#wire?.close(1000, 'the configuration has changed');
  }

  /**
   * Whether the message was taken. Before WELCOME nothing is: a coordinator that is about to refuse this agent would never
   * read it, and HELLO tells how things stand.
   */
  send(message: FromAgent): boolean {
    return this.#welcomed_at !== undefined && this.#say(message);
  }

  #say(message: FromAgent): boolean {
    // A coordinator that did not ask for it does not know the message.
    if ('msg' in message && message.msg === 'PLAYER_ANSWERED' && !this.#tellsAnswers) return true;
    const known = forCoordinator(this.#protocol, message);
    if (known === undefined) return true;
    return this.#wire?.send(encode(fromAgent, known)) ?? false;
  }

  /** Whether the frame was taken. A full link takes no more player data, so that control messages still get through. */
  relay(frame: RelayFrame): boolean {
    if (this.#wire === undefined) return false;
    if (frame.kind === 'data' && this.#wire.backlog() > RELAY_BACKLOG_BYTES) return false;
    return this.#wire.send(encodeRelayFrame(frame));
  }

  /**
   * WELCOME has come: the coordinator accepted this agent and says how often it wants to hear from it, in ms, and which
   * version of the protocol holds, and whether it wants to hear of players' answers. False, and the connection is closed, when that version is not spoken here.
   */
  welcomed(heartbeat_ms: number, protocol: number, answers = false): boolean {
    const { clock, log } = this.#options;
    if (protocol < AGENT_LINK_OLDEST || protocol > AGENT_LINK_VERSION) {
      this.#wire?.close(errors.agent_version.close, explain(refuse('agent_version')));
      return false;
    }
    this.#protocol = protocol;
    this.#tellsAnswers = answers;
    this.#welcomed_at = clock.monotonic();
    this.#detail = undefined;
    this.#became('connected');
    log.info({ heartbeat_ms, protocol }, 'connected to the coordinator');
    this.#beat(heartbeat_ms);
    return true;
  }

  /** Closes the connection and dials no more. Idempotent. */
  async stop(reason: string): Promise<void> {
    this.#stopped = true;
    this.#cancelWait();
    this.#wake();
    this.#wire?.close(1000, reason);
    await this.#loop;
    this.#became('stopped');
  }

  #became(state: LinkState['state']): void {
    const { state: before, since: then } = this.#state;
    const away = [before, state].every((one) => one === 'dialling' || one === 'waiting');
    const since = away ? then : this.#options.clock.now();
    this.#state = { state, since, ...(this.#detail === undefined ? {} : { detail: this.#detail }) };
  }

  async #run(): Promise<void> {
    const { clock, ids, log } = this.#options;
    for (let attempt = 0; !this.#stopped; attempt++) {
      this.#redialling = false;
      this.#became('dialling');
      const { good, patient } = await this.#once(await this.#authorities());
      if (this.#stopped) return;
      if (good) attempt = 0;
      if (patient) attempt = PATIENT_ATTEMPT;
      if (this.#redialling) {
        attempt = -1;
        continue;
      }
      this.#became('waiting');
      const hurried = !patient && (this.#options.awaited?.() ?? false);
      const wait_ms = backoff(attempt, ids.below, hurried);
      log.info({ wait_ms }, 'dialling the coordinator again');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#cancelWait = clock.after(wait_ms, resolve);
      });
    }
  }

  /** The certificates of `ca_file`; nothing is trusted while they cannot be read. */
  async #authorities(): Promise<string | undefined> {
    const { ca_file, log } = this.#options;
    if (ca_file === undefined) return undefined;
    const text = await readText(ca_file).catch(String);
    if (!text.includes('-----BEGIN CERTIFICATE-----')) {
      log.error({ ca_file, problem: text.slice(0, 200) }, 'ca_file holds no certificate: nobody is trusted');
    }
    return text;
  }

  /** One connection, from dialling to its end. */
  #once(ca: string | undefined): Promise<{ good: boolean; patient: boolean }> {
    const { url, key, proxy, clock, log } = this.#options;
    if (this.#stopped) return Promise.resolve({ good: false, patient: false });
    return new Promise((resolve) => {
      this.#welcomed_at = undefined;
      const wire = dial(
        {
          url,
          headers: { Authorization: `Bearer ${key}` },
          proxy,
          ca,
          frame_bytes: limits.link_frame_bytes,
          backlog_bytes: limits.link_backlog_bytes,
          connect_ms: CONNECT_MS,
          clock,
          log,
        },
        {
          open: () => {
            this.#heard = clock.monotonic();
            this.#beat(limits.heartbeat_ms);
            this.#say(this.#options.hello());
          },
          frame: (frame) => {
            this.#heard = clock.monotonic();
            this.#options.frame(frame, wire);
          },
          closed: (code, reason) => {
            this.#stopHeartbeat();
            this.#wire = undefined;
            this.#options.lost();
            if (!this.#stopped && !this.#redialling) this.#explain(code, reason);
            this.#chooseVersion(code);
            const lived = this.#welcomed_at === undefined ? 0 : clock.monotonic() - this.#welcomed_at;
            resolve({
              good: lived >= good_link_ms,
              patient: PATIENT_CODES.includes(code),
            });
          },
        },
      );
      this.#wire = wire;
    });
  }

  /**
   * Which version the next HELLO is said in: our own, as the coordinator may have been updated meanwhile. One that does not
   * understand our HELLO refuses it, or waits for one in vain, and both look like a wrong key: then the neighbouring version
   * is tried, and our own again after it.
   */
  #chooseVersion(close_code: number): void {
    const refused = this.#welcomed_at === undefined && isRefusal(close_code);
    this.#protocol =
      refused && this.#protocol === AGENT_LINK_VERSION ? AGENT_LINK_OLDEST : AGENT_LINK_VERSION;
  }

  /** Says HEARTBEAT and looks whether the coordinator has been heard of late. */
  #beat(heartbeat_ms: number): void {
    const { clock } = this.#options;
    this.#stopHeartbeat();
    this.#stopHeartbeat = clock.every(heartbeat_ms, () => {
      const silent_ms = clock.monotonic() - this.#heard;
      if (silent_ms >= limits.link_silence_ms) this.#wire?.abandon(`silent for ${Math.round(silent_ms)} ms`);
      else if (this.#welcomed_at !== undefined) {
        this.send({ verb: 'HEARTBEAT', time: clock.now(), ...this.#options.heartbeat() });
      }
    });
  }

  #explain(close_code: number, reason: string) {
    const { log, url } = this.#options;
    const refusal = refusals.get(close_code);
    const lost = this.#welcomed_at !== undefined;
    this.#detail = refusal ?? `${lost ? 'the link was lost' : 'cannot be reached'}: ${reason || close_code}`;
    const facts = { url, close_code, reason };
    if (refusal !== undefined) log.error(facts, refusal);
    else if (lost) log.warn(facts, 'the link to the coordinator was lost');
    else log.warn(facts, 'the coordinator cannot be reached');
  }
}
