import { channelDue, stepChannel } from './channel.ts';
import {
  type Channel,
  type ChannelEffect,
  type ChannelEvent,
  type ChannelRole,
  newChannel,
} from './channel-state.ts';
import type { Cancel, Clock } from './clock.ts';
import { decodeChannelFrame, encodeChannelFrame } from './protocol/player-channel.ts';

/** One connection that carries a channel for a while. */
export interface Leg {
  /** Whether the frame was taken. */
  send(frame: Uint8Array<ArrayBuffer>): boolean;
  /** The channel has no more use for the leg. `ended` says that the channel is over, too, and has said so on it. */
  drop(why: string, ended: boolean): void;
}

export interface ChannelEvents {
  /** The agent's: the page began the channel. */
  begin?: () => void;
  text: (text: string) => void;
  /** The channel has ended otherwise than by `end`. Called once, and nothing after it. */
  over: (code: number, reason: string) => void;
}

/** One end of a resumable player channel over the legs that come and go. `end` is for who made it to call; or `over` comes. */
export class ChannelEnd {
  readonly #clock: Clock;
  readonly #events: ChannelEvents;
  #channel: Channel;
  #leg: Leg | undefined;
  #cancel: Cancel = () => {};
  #armed: number | null = null;

  /** `window_ms`: how long it waits for a new leg. */
  constructor(role: ChannelRole, clock: Clock, events: ChannelEvents, window_ms?: number) {
    this.#clock = clock;
    this.#events = events;
    this.#channel = newChannel(role, clock.monotonic(), window_ms);
    this.#arm();
  }

  /** Whether both ends have found each other on the present leg. */
  get attached(): boolean {
    return this.#channel.phase === 'attached';
  }

  get isOver(): boolean {
    return this.#channel.phase === 'over';
  }

  /** Goes on over another leg, and drops the one before it. */
  attach(leg: Leg): void {
    const former = this.#leg;
    this.#leg = leg;
    former?.drop('replaced by a newer connection', false);
    this.#step({ type: 'attached' });
  }

  /** The leg is gone; another one may come in time. */
  detach(leg: Leg): void {
    if (this.#leg !== leg) return;
    this.#leg = undefined;
    this.#step({ type: 'detached' });
  }

  /** Bytes that came over the leg; those of an older one count no more. */
  frame(leg: Leg, bytes: Uint8Array): void {
    if (this.#leg !== leg) return;
    const frame = decodeChannelFrame(bytes);
    if (frame === undefined) this.#drop('not a channel frame');
    else this.#step({ type: 'frame', frame });
  }

  say(text: string): void {
    this.#step({ type: 'say', text, bytes: new TextEncoder().encode(text).length });
  }

  /** Ends the channel for both ends. Idempotent. */
  end(code: number, reason: string): void {
    this.#step({ type: 'end', code, reason });
  }

  #step(event: ChannelEvent): void {
    if (this.isOver) return;
    const { channel, effects } = stepChannel(this.#channel, event, this.#clock.monotonic());
    this.#channel = channel;
    this.#arm();
    for (const effect of effects) this.#run(effect);
    if (!this.isOver) return;
    const leg = this.#leg;
    this.#leg = undefined;
    leg?.drop('the channel is over', true);
  }

  #run(effect: ChannelEffect) {
    switch (effect.type) {
      case 'send':
        if (this.#leg?.send(encodeChannelFrame(effect.frame)) === false) this.#drop('the connection is full');
        return;
      case 'deliver':
        return this.#events.text(effect.text);
      case 'begin':
        return this.#events.begin?.();
      case 'drop':
        return this.#drop(effect.why);
      case 'over':
        return this.#events.over(effect.code, effect.reason);
    }
  }

  #drop(why: string): void {
    const leg = this.#leg;
    if (leg === undefined) return;
    leg.drop(why, false);
    this.detach(leg);
  }

  /** A timer that comes too early costs little, so it is moved only to an earlier instant. */
  #arm(): void {
    const due = channelDue(this.#channel);
    if (due !== null && this.#armed !== null && this.#armed <= due) return;
    this.#cancel();
    this.#armed = due;
    if (due === null) return;
    this.#cancel = this.#clock.after(Math.max(0, due - this.#clock.monotonic()), () => {
      this.#armed = null;
      this.#step({ type: 'tick' });
    });
  }
}
