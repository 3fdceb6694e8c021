import type { Clock } from '../shared/clock.ts';
import { errors, explain, type Refusal, refuse } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import type { RelayFrame } from '../shared/protocol/relay-frame.ts';
import { closeReason } from '../shared/socket.ts';
import { type DialledWire, dial } from './dial.ts';

const CONNECT_MS = 5_000;

export interface ChannelsOptions {
  clock: Clock;
  log: Log;
  /** Towards the player, over the link; says whether the link took it. */
  relay(frame: RelayFrame): boolean;
}

interface Channel {
  session_id: string;
  wire: DialledWire;
  /** What the player sent before the local socket was open; undefined afterwards. */
  waiting: Uint8Array[] | undefined;
  waiting_bytes: number;
}

/** The player connections of this host: each a local WebSocket to its session's signalling server, copied both ways. */
export class Channels {
  readonly #options: ChannelsOptions;
  readonly #open = new Map<number, Channel>();

  constructor(options: ChannelsOptions) {
    this.#options = options;
  }

  /** Opens the local connection; `established` is called when it is up. A failure closes the channel towards the player. */
  open(channel: number, session_id: string, url: string, established: () => void): void {
    const { clock, log } = this.#options;
    if (this.#open.has(channel)) return;
    const wire = dial(
      {
        url,
        frame_bytes: limits.frame_bytes,
        backlog_bytes: limits.browser_backlog_bytes,
        connect_ms: CONNECT_MS,
        clock,
        log: log.child({ session: session_id, channel }),
      },
      {
        open: () => {
          const opened = this.#open.get(channel);
          if (opened === undefined) return;
          const waiting = opened.waiting ?? [];
          opened.waiting = undefined;
          established();
          for (const payload of waiting) wire.send(toText(payload));
        },
        frame: (frame) => {
          const payload = typeof frame === 'string' ? Buffer.from(frame) : frame;
          if (!this.#open.has(channel)) return;
          if (!this.#options.relay({ kind: 'data', channel, payload }))
            this.#fail(channel, refuse('too_slow'));
        },
        closed: (code, reason) => this.#closedBySignalling(channel, code, reason),
      },
    );
    this.#open.set(channel, { session_id, wire, waiting: [], waiting_bytes: 0 });
  }

  /** A frame from the player. One for a channel that is not open is dropped: its close frame is on the way. */
  frame(channel: number, payload: Uint8Array) {
    const found = this.#open.get(channel);
    if (found === undefined) return;
    if (found.waiting === undefined) {
      found.wire.send(toText(payload));
      return;
    }
    found.waiting_bytes += payload.length;
    if (found.waiting_bytes > limits.browser_backlog_bytes) return this.#fail(channel, refuse('too_slow'));
    found.waiting.push(payload.slice());
  }

  /** The player has gone: the local connection goes too, with the player's code. */
  closedByPlayer(channel: number, code: number, reason: string): void {
    const found = this.#open.get(channel);
    if (found === undefined) return;
    this.#open.delete(channel);
    if (found.waiting === undefined) found.wire.close(code, reason);
    else found.wire.abandon(reason);
  }

  /** Closes all channels of a session on both sides. */
  closeSession(session_id: string, refusal: Refusal): void {
    for (const [channel, open] of [...this.#open]) {
      if (open.session_id === session_id) this.#fail(channel, refusal);
    }
  }

  /** The link is gone and with it every player's leg: the local connections go too. */
  linkLost(): void {
    for (const channel of [...this.#open.keys()]) this.#fail(channel, refuse('host_offline'));
  }

  /** Tells the player that its channel is not, or no longer, there. */
  refuse(channel: number, refusal: Refusal): void {
    this.#options.relay({
      kind: 'close',
      channel,
      code: errors[refusal.refused].close,
      reason: closeReason(explain(refusal)),
    });
  }

  #fail(channel: number, refusal: Refusal): void {
    this.closedByPlayer(channel, errors[refusal.refused].close, explain(refusal));
    this.refuse(channel, refusal);
  }

  #closedBySignalling(channel: number, code: number, reason: string): void {
    const found = this.#open.get(channel);
    if (found === undefined) return;
    this.#open.delete(channel);
    if (found.waiting === undefined) this.#options.relay({ kind: 'close', channel, code, reason });
    else this.refuse(channel, refuse('channel_refused', reason));
  }
}

const toText = (payload: Uint8Array): string => new TextDecoder().decode(payload);
