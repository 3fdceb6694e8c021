import type { Cancel, Clock } from '../shared/clock.ts';
import { errors } from '../shared/errors.ts';
import type { Ids } from '../shared/ids.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { fromAgent } from '../shared/protocol/agent-link.ts';
import { encode, type MessageOf } from '../shared/protocol/message.ts';
import { encodeRelayFrame, type RelayFrame } from '../shared/protocol/relay-frame.ts';
import type { Frame } from '../shared/socket.ts';
import { type DialledWire, dial } from './dial.ts';
import { backoff, good_link_ms } from './domain/backoff.ts';

type FromAgent = MessageOf<typeof fromAgent>;

const CONNECT_MS = 10_000;
/** Redials that a refusal as superseded jumps to: the longest wait, so that two agents do not push each other out all day. */
const PATIENT_ATTEMPT = 10;
/** From here on the link takes no more player frames; control messages may use the rest. */
const RELAY_BACKLOG_BYTES = limits.link_backlog_bytes / 2;

export interface LinkOptions {
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
}

/** The agent's one connection to the coordinator: dialled, kept alive, redialled until `stop`. */
export class Link {
  readonly #options: LinkOptions;
  #wire: DialledWire | undefined;
  #welcomed_at: number | undefined;
  #stopHeartbeat: Cancel = () => {};
  #cancelWait: Cancel = () => {};
  #heard = 0;
  #stopped = false;
  #loop: Promise<void> | undefined;
  #wake = () => {};

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Whether the message was taken; while the link is down nothing is: HELLO tells the coordinator how things stand. */
  send(message: FromAgent): boolean {
    return this.#wire?.send(encode(fromAgent, message)) ?? false;
  }

  /** Whether the frame was taken. A full link takes no more player data, so that control messages still get through. */
  relay(frame: RelayFrame): boolean {
    if (this.#wire === undefined) return false;
    if (frame.kind === 'data' && this.#wire.backlog() > RELAY_BACKLOG_BYTES) return false;
    return this.#wire.send(encodeRelayFrame(frame));
  }

  /** WELCOME has come: the coordinator accepted this agent and says how often it wants to hear from it. */
  welcomed(heartbeat_ms: number): void {
    const { clock, log } = this.#options;
    this.#welcomed_at = clock.monotonic();
    log.info({ heartbeat_ms }, 'connected to the coordinator');
    this.#beat(heartbeat_ms);
  }

  /** Closes the connection and dials no more. Idempotent. */
  async stop(reason: string): Promise<void> {
    this.#stopped = true;
    this.#cancelWait();
    this.#wake();
    this.#wire?.close(1000, reason);
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock, ids, log } = this.#options;
    for (let attempt = 0; !this.#stopped; attempt++) {
      const { good, superseded } = await this.#once();
      if (this.#stopped) return;
      if (good) attempt = 0;
      if (superseded) attempt = PATIENT_ATTEMPT;
      const wait_ms = backoff(attempt, ids.below);
      log.info({ wait_ms }, 'dialling the coordinator again');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#cancelWait = clock.after(wait_ms, resolve);
      });
    }
  }

  /** One connection, from dialling to its end. */
  #once(): Promise<{ good: boolean; superseded: boolean }> {
    const { url, key, clock, log } = this.#options;
    return new Promise((resolve) => {
      this.#welcomed_at = undefined;
      const wire = dial(
        {
          url,
          headers: { Authorization: `Bearer ${key}` },
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
            this.send(this.#options.hello());
          },
          frame: (frame) => {
            this.#heard = clock.monotonic();
            this.#options.frame(frame, wire);
          },
          closed: (code, reason) => {
            this.#stopHeartbeat();
            this.#wire = undefined;
            this.#options.lost();
            if (!this.#stopped) this.#explain(code, reason);
            const lived = this.#welcomed_at === undefined ? 0 : clock.monotonic() - this.#welcomed_at;
            resolve({
              good: lived >= good_link_ms,
              superseded: code === errors.agent_superseded.close,
            });
          },
        },
      );
      this.#wire = wire;
    });
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
    const facts = { url, close_code, reason };
    switch (close_code) {
      case errors.agent_key_wrong.close:
        return log.error(
          facts,
          'the coordinator refused this agent: key or server_name is not that of its servers.json',
        );
      case errors.agent_version.close:
        return log.error(facts, 'agent and coordinator speak different versions: update the older one');
      case errors.agent_superseded.close:
        return log.error(
          facts,
          'another agent with the same server_name and key has taken over: is one key on two machines?',
        );
      default:
        if (this.#welcomed_at === undefined) log.warn(facts, 'the coordinator cannot be reached');
        else log.warn(facts, 'the link to the coordinator was lost');
    }
  }
}
