import type { ChannelFrame } from './protocol/player-channel.ts';

/** The bounds of a channel, the same at both ends. Passing one of the first three ends it at both, as channel_lost. */
export const channel_limits = {
  /** Messages that wait for the other end to confirm them, and their bytes. */
  kept_messages: 256,
  kept_bytes: 256 * 1024,
  /** How long an end waits for a new leg, unless it was made with another time: a cut of 60 s, and what it takes to find each other again after it. */
  window_ms: 66_000,
  /** A confirmation waits so long for something to travel with, and for no more than so many messages or bytes. */
  ack_ms: 200,
  ack_messages: 16,
  ack_bytes: 32 * 1024,
  /** A leg on which the other end does not greet in time is given up. */
  greeting_ms: 10_000,
  /** The page asks for a sign of life this often, and gives the leg up when none comes in time. */
  ping_ms: 5_000,
  ping_answer_ms: 10_000,
} as const;

/** The page begins each leg, and looks whether it lives; in all else both ends are alike. */
export type ChannelRole = 'page' | 'agent';

/** One end of a resumable player channel. A value: every change makes a new one. Instants are monotonic ms. */
export interface Channel {
  readonly role: ChannelRole;
  /** How long it waits for a new leg. */
  readonly window_ms: number;
  /** `greeting`: there is a leg, but the other end has not said yet how far it has got. */
  readonly phase: 'detached' | 'greeting' | 'attached' | 'over';
  /** When the phase began. */
  readonly since: number;
  /** The other end has spoken, on this leg or an earlier one. */
  readonly heard: boolean;
  /** The last number given out, and those of messages that the other end has not confirmed, oldest first. */
  readonly sent: number;
  readonly kept: readonly Kept[];
  readonly kept_bytes: number;
  /** The last number that came, and what the other end has been told of it. */
  readonly received: number;
  readonly told: number;
  readonly untold_bytes: number;
  /** When the confirmation that waits is due; null when none does. */
  readonly ack_at: number | null;
  /** The page's: when to ask for a sign of life next, and since when an answer is missing. */
  readonly ping_at: number;
  readonly asked_at: number | null;
}

export interface Kept {
  readonly seq: number;
  readonly text: string;
  readonly bytes: number;
}

export type ChannelEvent =
  /** There is a new leg, in place of the last one; the leg is gone. */
  | { readonly type: 'attached' }
  | { readonly type: 'detached' }
  /** This side has something to send; `bytes` is its length in UTF-8. */
  | { readonly type: 'say'; readonly text: string; readonly bytes: number }
  | { readonly type: 'frame'; readonly frame: ChannelFrame }
  /** This side is done with the channel. */
  | { readonly type: 'end'; readonly code: number; readonly reason: string }
  | { readonly type: 'tick' };

export type ChannelEffect =
  | { readonly type: 'send'; readonly frame: ChannelFrame }
  | { readonly type: 'deliver'; readonly text: string }
  /** The agent's: the page began the channel, so there has to be something to deliver to. */
  | { readonly type: 'begin' }
  /** The leg is of no more use; another one may be. */
  | { readonly type: 'drop'; readonly why: string }
  /** The channel has ended, by the other end's word or because it cannot be resumed. Not after an `end` of this side. */
  | { readonly type: 'over'; readonly code: number; readonly reason: string };

export interface ChannelStep {
  readonly channel: Channel;
  readonly effects: readonly ChannelEffect[];
}

export const newChannel = (
  role: ChannelRole,
  now: number,
  window_ms: number = channel_limits.window_ms,
): Channel => ({
  role,
  window_ms,
  phase: 'detached',
  since: now,
  heard: false,
  sent: 0,
  kept: [],
  kept_bytes: 0,
  received: 0,
  told: 0,
  untold_bytes: 0,
  ack_at: null,
  ping_at: 0,
  asked_at: null,
});
