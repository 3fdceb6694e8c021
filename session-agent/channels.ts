import { channel_limits } from '../shared/channel-state.ts';
import type { Clock } from '../shared/clock.ts';
import { errors, type Refusal } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { RelayFrame } from '../shared/protocol/relay-frame.ts';
import { closeReason } from '../shared/socket.ts';
import { openCarried } from './carried-player.ts';
import { NumberedPlayers } from './numbered-players.ts';
import { openPlain } from './plain-player.ts';
import { closeLine, type Line, type Owner, type Player, type PlayerOrder } from './player-line.ts';

export interface ChannelsOptions {
  clock: Clock;
  log: Log;
  /** Towards the player, over the link; says whether the link took it. */
  relay(frame: RelayFrame): boolean;
}

interface Open extends Owner {
  readonly line: Line;
  readonly resumable: boolean;
  player: Player | undefined;
}

/**
 * The player connections of this host: each a local WebSocket to its session's signalling server, copied both ways. A plain
 * one ends with its leg. One that its page has named outlives it: the page may come back, over any link.
 */
export class Channels {
  readonly #options: ChannelsOptions;
  /** By the number on the present link. */
  readonly #open = new Map<number, Open>();
  readonly #numbered: NumberedPlayers;
  /** Until then pages may come back to players that signalling keeps; monotonic. */
  #expected_until = Number.NEGATIVE_INFINITY;

  constructor(options: ChannelsOptions) {
    this.#options = options;
    this.#numbered = new NumberedPlayers(options);
  }

  /** Connects a player, or reconnects one. What cannot be is said to the player. */
  open(order: PlayerOrder): void {
    const { channel, session_id, user_id, resumable, kept } = order;
    if (this.#open.has(channel)) return;
    const line = this.#line(channel);
    const open: Open = { session_id, user_id, line, resumable: resumable !== undefined, player: undefined };
    this.#open.set(channel, open);
    if (resumable === undefined) open.player = openPlain(order, line, this.#options);
    else if (kept) open.player = openCarried(order, line, this.#options);
    else open.player = this.#numbered.open(order, resumable, line);
  }

  /** A frame from the player. One for a channel that is not open is dropped: its close frame is on the way. */
  frame(channel: number, payload: Uint8Array): void {
    this.#open.get(channel)?.player?.take(payload);
  }

  /** The player's leg is closed. A plain connection goes with it, with the player's code. */
  closedByPlayer(channel: number, code: number, reason: string): void {
    const open = this.#open.get(channel);
    this.#open.delete(channel);
    open?.player?.gone(code, reason);
  }

  /** Closes what the participant has open, and what waits here for its page. */
  disconnectUser(session_id: string, user_id: string, refusal: Refusal): void {
    this.#end((owner) => owner.session_id === session_id && owner.user_id === user_id, refusal);
  }

  /** Closes all channels of a session on both sides. */
  closeSession(session_id: string, refusal: Refusal): void {
    this.#end((owner) => owner.session_id === session_id, refusal);
  }

  /** The link is gone and with it every player's leg: its numbers mean nothing from now on. */
  linkLost(): void {
    const all = [...this.#open.values()];
    this.#open.clear();
    if (all.some(({ resumable }) => resumable)) this.expect();
    const { close, text } = errors.host_offline;
    for (const { player } of all) player?.gone(close, text);
  }

  /** Pages will want to come back now: their legs were lost, with the link or with the agent before this one. */
  expect(): void {
    this.#expected_until = this.#options.clock.monotonic() + channel_limits.window_ms;
  }

  /** Whether pages wait to come back, which they do for a short while only. */
  awaited(): boolean {
    return this.waiting() > 0 || this.#options.clock.monotonic() < this.#expected_until;
  }

  /** Channels that wait here for their page. */
  waiting(): number {
    return this.#numbered.waiting();
  }

  /** Tells the player that its channel is not, or no longer, there. */
  refuse(channel: number, refusal: Refusal): void {
    closeLine({ send: () => false, close: (code, reason) => this.#close(channel, code, reason) }, refusal);
  }

  #line(channel: number): Line {
    const line: Line = {
      send: (payload) => this.#options.relay({ kind: 'data', channel, payload }),
      close: (code, reason) => {
        if (this.#open.get(channel)?.line === line) this.#close(channel, code, reason);
      },
    };
    return line;
  }

  #close(channel: number, code: number, reason: string): void {
    this.#open.delete(channel);
    this.#options.relay({ kind: 'close', channel, code, reason: closeReason(reason) });
  }

  #end(concerned: (owner: Owner) => boolean, refusal: Refusal): void {
    for (const open of [...this.#open.values()]) if (concerned(open)) open.player?.end(refusal);
    this.#numbered.end(concerned, refusal);
  }
}
