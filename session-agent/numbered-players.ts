import { ChannelEnd, type Leg } from '../shared/channel-end.ts';
import { errors, explain, isRefusal, type Refusal } from '../shared/errors.ts';
import { Negotiation } from '../shared/negotiation.ts';
import type { Frame } from '../shared/socket.ts';
import type { LocalPlayer } from './local-player.ts';
import {
  type Line,
  type LocalTools,
  type Owner,
  openLocal,
  type Player,
  type PlayerOrder,
} from './player-line.ts';

/** Channels of one participant; beyond it the one that has waited longest for its page is ended. */
const CHANNELS_PER_USER = 8;

interface Numbered extends Owner {
  readonly end: ChannelEnd;
  local: LocalPlayer | undefined;
  readonly negotiation: Negotiation;
  /** The order whose line carries the channel now, while it has not been told of the answer. */
  untold: PlayerOrder | undefined;
}

const toText = (frame: Frame): string =>
  typeof frame === 'string' ? frame : new TextDecoder().decode(frame);

/** Tells of the answer once both are there: the answer, and a page that has found its channel again. */
const tellAnswered = (numbered: Numbered): void => {
  const { untold, negotiation, end } = numbered;
  if (untold === undefined || !negotiation.over || !end.attached) return;
  numbered.untold = undefined;
  untold.answered();
};

/**
 * Channels whose other end is this agent, because their signalling server knows none: it is not ours, or was started by an agent
 * before this rule. Each outlives its lines and waits for its page, and is known by session, participant and the name that the
 * page has chosen. They die with the agent.
 */
export class NumberedPlayers {
  readonly #tools: LocalTools;
  readonly #all = new Map<string, Numbered>();

  constructor(tools: LocalTools) {
    this.#tools = tools;
  }

  /** The line carries that channel from now on: the one that the page means, or a new one where it is not known. */
  open(order: PlayerOrder, name: string, line: Line): Player {
    const numbered = this.#find(order, name);
    const { end } = numbered;
    numbered.untold = order;
    const leg: Leg = {
      send: line.send,
      drop: (why, ended) => line.close(ended ? 1000 : errors.too_slow.close, why),
    };
    end.attach(leg);
    return {
      take(payload) {
        end.frame(leg, payload);
        tellAnswered(numbered);
      },
      gone: () => end.detach(leg),
      // Its turn comes with the channel itself.
      end: () => {},
    };
  }

  end(concerned: (owner: Owner) => boolean, refusal: Refusal): void {
    for (const [key, one] of [...this.#all]) {
      if (concerned(one)) this.#finish(key, one, errors[refusal.refused].close, explain(refusal));
    }
  }

  /** Channels whose page is away: they last for a short while only. */
  waiting(): number {
    return [...this.#all.values()].filter(({ end }) => !end.attached).length;
  }

  #find(order: PlayerOrder, name: string): Numbered {
    const { session_id, user_id } = order;
    const key = [session_id, user_id, name].join(' ');
    const known = this.#all.get(key);
    if (known !== undefined) {
      this.#tools.log.info({ session: session_id, channel: order.channel }, 'a player came back');
      return known;
    }
    this.#makeRoom(order);
    const end = new ChannelEnd('agent', this.#tools.clock, {
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
    const made: Numbered = { session_id, user_id, end, local: undefined, negotiation, untold: undefined };
    this.#all.set(key, made);
    return made;
  }

  #makeRoom({ session_id, user_id }: Owner): void {
    const own = [...this.#all].filter(([, one]) => one.session_id === session_id && one.user_id === user_id);
    const [key, oldest] = own.find(([, { end }]) => !end.attached) ?? own[0] ?? [];
    if (own.length < CHANNELS_PER_USER || key === undefined || oldest === undefined) return;
    this.#finish(key, oldest, errors.channel_lost.close, errors.channel_lost.text);
  }

  /** The page has begun the channel: from now on there is a player for signalling. */
  #begin(order: PlayerOrder, key: string, made: Numbered): void {
    const url = order.url();
    if (isRefusal(url)) {
      this.#finish(key, made, errors[url.refused].close, explain(url));
      return;
    }
    made.local = openLocal(order, url, this.#tools, {
      open: order.established,
      frame: (frame) => {
        const text = toText(frame);
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
  #finish(key: string, one: Numbered, code: number, reason: string): void {
    this.#all.delete(key);
    one.local?.close(code, reason);
    one.end.end(code, reason);
  }
}
