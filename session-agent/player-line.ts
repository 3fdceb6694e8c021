import type { Clock } from '../shared/clock.ts';
import { errors, explain, type Refusal } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { type LocalPlayer, type LocalPlayerEvents, openLocalPlayer } from './local-player.ts';

/** What a player's connection is for. */
export interface PlayerOrder {
  /** The link's number for it. */
  channel: number;
  session_id: string;
  user_id: string;
  /** The page's name for a channel to which it may come back; a plain one without it. */
  resumable: string | undefined;
  /** Signalling is the other end of such a channel and keeps the player; otherwise this agent is. */
  kept: boolean;
  /** Signalling's address for this player, or why there is none now. Asked when a connection has to be made. */
  url(): string | Refusal;
  /** The player is connected. */
  established(): void;
  /** The stream was answered on the connection, or had been before its page came back. */
  answered(): void;
}

/** Whose a connection is. */
export interface Owner {
  readonly session_id: string;
  readonly user_id: string;
}

/** One number of the present link: the way to a page, until either end closes it or the link goes. */
export interface Line {
  /** Whether the link took it. */
  send(payload: Uint8Array): boolean;
  /** Closes the page's leg. Idempotent, and nothing once the link is gone. */
  close(code: number, reason: string): void;
}

/** What stands behind a line. */
export interface Player {
  /** A frame from the page. */
  take(payload: Uint8Array): void;
  /** The page's leg is gone; there is no line any more. */
  gone(code: number, reason: string): void;
  /** The whole connection is to end. */
  end(refusal: Refusal): void;
}

export interface LocalTools {
  clock: Clock;
  log: Log;
}

/** Opens the order's connection to its signalling server. */
export const openLocal = (
  { session_id: session, channel }: PlayerOrder,
  url: string,
  { clock, log }: LocalTools,
  events: LocalPlayerEvents,
): LocalPlayer => openLocalPlayer(url, { clock, log: log.child({ session, channel }) }, events);

/** Tells the page why it has no connection, or no longer. */
export const closeLine = (line: Line, refusal: Refusal): void =>
  line.close(errors[refusal.refused].close, explain(refusal));
