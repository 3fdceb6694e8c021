import type { ServerMessage } from '../../shared/protocol/pixel-streaming.ts';

/**
 * A connection's number, as text. It is also the `playerId` on the wire: many older Unreal plugins turn player ids
 * into integers, so the ids have to look like integers.
 */
export type ConnectionId = string;

/** What a decision wants done, in order: a message sent, or a connection closed that the registry has forgotten. */
export type Effect =
  | { to: ConnectionId; message: ServerMessage }
  | { close: ConnectionId; code: number; reason: string };

export const tell = (to: ConnectionId, message: ServerMessage): Effect => ({ to, message });

/**
 * The streamer is gone or stopped. Epic's server says nothing in its close frame, and Epic's page then reconnects by
 * itself, which an 1001 would prevent.
 */
export const streamGone = (close: ConnectionId): Effect => ({ close, code: 1000, reason: '' });
