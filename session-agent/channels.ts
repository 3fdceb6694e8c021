import { ChannelEnd, type Leg } from '../shared/channel-end.ts';
import type { Clock } from '../shared/clock.ts';
import { errors, explain, isRefusal, type Refusal, refuse } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { RelayFrame } from '../shared/protocol/relay-frame.ts';
import { closeReason } from '../shared/socket.ts';
import { type LocalPlayer, openLocalPlayer } from './local-player.ts';
import { Negotiation } from './negotiation.ts';

/** Resumable channels of one participant; beyond it the one that has waited longest for its page is ended. */
const CHANNELS_PER_USER = 8;

export interface ChannelsOptions {
  clock: Clock;
  log: Log;
  /** Towards the player, over the link; says whether the link took it. */
  relay(frame: RelayFrame): boolean;
}

/** What a player's connection is for. */
export interface PlayerOrder {
  /** The link's number for it. */
  channel: number;
  session_id: string;
  user_id: string;
  /** The page's name for a channel to which it may come back; a plain one without it. */
  resumable: string | undefined;
  /** Signalling's address for this player, or why there is none now. Asked when a connection has to be made. */
  url(): string | Refusal;
  /** The player is connected. */
  established(): void;
  /** The stream was answered on the connection, or had been before its page came back. */
  answered(): void;
}

/** Whose a connection is. */
interface Owner {
  readonly session_id: string;
  readonly user_id: string;
}

/** What stands behind a number of the present link. */
interface Bound extends Owner {
  /** A frame from the player. */
  take(payload: Uint8Array): void;
  /** The player's leg is gone; there is no number any more. */
  gone(code: number, reason: string): void;
  /** The whole connection is to end. */
  end(refusal: Refusal): void;
}

/** A channel that outlives its legs. */
interface Resumable extends Owner {
  readonly end: ChannelEnd;
  local: LocalPlayer | undefined;
  readonly negotiation: Negotiation;
  /** The order whose number carries the channel now, while it has not been told of the answer. */
  untold: PlayerOrder | undefined;
}

/** Tells of the answer once both are there: the answer, and a page that has found its channel again. */
const tellAnswered = (resumable: Resumable): void => {
  const { untold, negotiation, end } = resumable;
  if (untold === undefined || !negotiation.over || !end.attached) return;
  resumable.untold = undefined;
  untold.answered();
};

/**
 * The player connections of this host: each a local WebSocket to its session's signalling server, copied both ways. A plain
 * one ends with its leg. A resumable one waits for its page, which may come back over any link, and is known by
 * session, participant and the id that the page has chosen: nobody else can get at it.
 */
export class Channels {
  readonly #options: ChannelsOptions;
  /** By the number on the present link. */
  readonly #bound = new Map<number, Bound>();
  readonly #resumable = new Map<string, Resumable>();

  constructor(options: ChannelsOptions) {
    this.#options = options;
  }

  /** Connects a player, or reconnects one. What cannot be is said to the player. */
  open(order: PlayerOrder): void {
    if (this.#bound.has(order.channel)) return;
    if (order.resumable === undefined) this.#openPlain(order);
    else this.#bind(order, this.#resume(order, order.resumable));
  }

  /** A frame from the player. One for a channel that is not open is dropped: its close frame is on the way. */
  frame(channel: number, payload: Uint8Array): void {
    this.#bound.get(channel)?.take(payload);
  }

  /** The player's leg is closed. A plain connection goes with it, with the player's code. */
  closedByPlayer(channel: number, code: number, reason: string): void {
    const bound = this.#bound.get(channel);
    this.#bound.delete(channel);
    bound?.gone(code, reason);
  }

  /** Closes what the participant has open, and what waits for its page. */
  disconnectUser(session_id: string, user_id: string, refusal: Refusal): void {
    this.#end((owner) => owner.session_id === session_id && owner.user_id === user_id, refusal);
  }

  /** Closes all channels of a session on both sides. */
  closeSession(session_id: string, refusal: Refusal): void {
    this.#end((owner) => owner.session_id === session_id, refusal);
  }

  /** The link is gone and with it every player's leg: its numbers mean nothing from now on. */
  linkLost(): void {
    const bound = [...this.#bound.values()];
    this.#bound.clear();
    const { close } = errors.host_offline;
    for (const one of bound) one.gone(close, errors.host_offline.text);
  }

  /** Channels whose page is away: they last for a short while only. */
  waiting(): number {
    return [...this.#resumable.values()].filter(({ end }) => !end.attached).length;
  }

  /** Tells the player that its channel is not, or no longer, there. */
  refuse(channel: number, refusal: Refusal): void {
    this.#close(channel, errors[refusal.refused].close, explain(refusal));
  }

  #close(channel: number, code: number, reason: string): void {
    this.#bound.delete(channel);
    this.#options.relay({ kind: 'close', channel, code, reason: closeReason(reason) });
  }

  #end(concerned: (owner: Owner) => boolean, refusal: Refusal): void {
    const { close } = errors[refusal.refused];
    for (const bound of [...this.#bound.values()]) if (concerned(bound)) bound.end(refusal);
    for (const [key, resumable] of [...this.#resumable]) {
      if (concerned(resumable)) this.#finish(key, resumable, close, explain(refusal));
    }
  }

  #local(order: PlayerOrder, url: string, events: Parameters<typeof openLocalPlayer>[2]): LocalPlayer {
    const { clock, log } = this.#options;
    const { session_id: session, channel } = order;
    return openLocalPlayer(url, { clock, log: log.child({ session, channel }) }, events);
  }

  #openPlain(order: PlayerOrder): void {
    const { channel, session_id, user_id } = order;
    const url = order.url();
    if (isRefusal(url)) {
      this.refuse(channel, url);
      return;
    }
    const fail = (refusal: Refusal) => {
      local.close(errors[refusal.refused].close, explain(refusal));
      this.refuse(channel, refusal);
    };
    const negotiation = new Negotiation(order.answered);
    const local = this.#local(order, url, {
      open: order.established,
      text: (text) => {
        negotiation.hears('host', text);
        if (!this.#options.relay({ kind: 'data', channel, payload: Buffer.from(text) }))
          fail(refuse('too_slow'));
      },
      closed: (how) => {
        if (isRefusal(how)) this.refuse(channel, how);
        else this.#close(channel, how.code, how.reason);
      },
    });
    const take = (payload: Uint8Array) => {
      const text = new TextDecoder().decode(payload);
      negotiation.hears('page', text);
      if (!local.send(text)) fail(refuse('too_slow'));
    };
    this.#bound.set(channel, { session_id, user_id, take, gone: local.close, end: fail });
  }

  /** The channel that the page means; a new one where it is not known. */
  #resume(order: PlayerOrder, id: string): Resumable {
    const { session_id, user_id } = order;
    const key = [session_id, user_id, id].join(' ');
    const known = this.#resumable.get(key);
    if (known !== undefined) {
      this.#options.log.info({ session: session_id, channel: order.channel }, 'a player came back');
      return known;
    }
    this.#makeRoom(order);
    const end = new ChannelEnd('agent', this.#options.clock, {
      begin: () => this.#begin(order, key, made),
      text: (text) => {
        made.negotiation.hears('page', text);
        if (made.local?.send(text) === false) {
          this.#finish(key, made, errors.too_slow.close, errors.too_slow.text);
        }
      },
      over: (code, reason) => this.#finish(key, made, code, reason),
    });
    const negotiation = new Negotiation(() => tellAnswered(made));
    const made: Resumable = {
      session_id,
      user_id,
      end,
      local: undefined,
      negotiation,
      untold: undefined,
    };
    this.#resumable.set(key, made);
    return made;
  }

  #makeRoom({ session_id, user_id }: Owner): void {
    const own = [...this.#resumable].filter(
      ([, one]) => one.session_id === session_id && one.user_id === user_id,
    );
    const [key, oldest] = own.find(([, { end }]) => !end.attached) ?? own[0] ?? [];
    if (own.length < CHANNELS_PER_USER || key === undefined || oldest === undefined) return;
    this.#finish(key, oldest, errors.channel_lost.close, errors.channel_lost.text);
  }

  /** The page has begun the channel: from now on there is a player for signalling. */
  #begin(order: PlayerOrder, key: string, made: Resumable): void {
    const url = order.url();
    if (isRefusal(url)) {
      this.#finish(key, made, errors[url.refused].close, explain(url));
      return;
    }
    made.local = this.#local(order, url, {
      open: order.established,
      text: (text) => {
        made.negotiation.hears('host', text);
        made.end.say(text);
      },
      closed: (how) => {
        const { code, reason } = isRefusal(how)
          ? { code: errors[how.refused].close, reason: explain(how) }
          : how;
        this.#finish(key, made, code, reason);
      },
    });
  }

  /** The channel is over: whoever does not know yet is told. */
  #finish(key: string, resumable: Resumable, code: number, reason: string): void {
    this.#resumable.delete(key);
    resumable.local?.close(code, reason);
    resumable.end.end(code, reason);
  }

  /** The order's number of the link carries the channel from now on. */
  #bind(order: PlayerOrder, resumable: Resumable): void {
    const { channel, session_id, user_id } = order;
    const { end } = resumable;
    resumable.untold = order;
    const leg: Leg = {
      send: (payload) => this.#options.relay({ kind: 'data', channel, payload }),
      drop: (why, ended) => {
        if (this.#bound.has(channel)) this.#close(channel, ended ? 1000 : errors.too_slow.close, why);
      },
    };
    this.#bound.set(channel, {
      session_id,
      user_id,
      take: (payload) => {
        end.frame(leg, payload);
        tellAnswered(resumable);
      },
      gone: () => end.detach(leg),
      // Its turn comes with the channel itself.
      end: () => {},
    });
    end.attach(leg);
  }
}
