import type { ConnectionId } from './effect.ts';

/** Where each connection came from and what it showed at the door. */
export interface Origin {
  readonly connection: ConnectionId;
  /** The peer's address. */
  readonly remote: string;
  /** What a streamer showed; a later connection that shows the same may take its id back. */
  readonly token?: string;
  /** A player that may watch but not steer. */
  readonly view_only?: boolean;
}

export interface Streamer extends Origin {
  readonly kind: 'Streamer' | 'SFU';
  /** What players subscribe to; unique among streamers. */
  id: string;
  /** Listed for players. */
  streaming: boolean;
  /** Players and SFUs, by connection, in order of subscription. */
  readonly subscribers: Set<ConnectionId>;
}

export interface Player extends Origin {
  readonly kind: 'Player' | 'SFU';
  /** The streamer's connection. */
  subscribed?: ConnectionId;
}

/**
 * Everything the server knows about its connections. An SFU stands in both maps under one connection. Decisions change
 * it in place, because copying a thousand players for each candidate would cost more than the relay itself.
 */
export interface Registry {
  readonly streamers: Map<ConnectionId, Streamer>;
  readonly players: Map<ConnectionId, Player>;
  /** Streamer id to connection. */
  readonly names: Map<string, ConnectionId>;
  readonly rules: Rules;
  connections: number;
}

export interface Rules {
  /** Players that one streamer serves; 0 = no limit. SFUs are neither limited nor counted. */
  readonly max_players: number;
  /** Attach a player that negotiates without having subscribed to the first streamer, as UE 4.27 pages need. */
  readonly legacy_auto_subscribe: boolean;
}

export const createRegistry = (rules: Rules): Registry => ({
  streamers: new Map(),
  players: new Map(),
  names: new Map(),
  rules,
  connections: 0,
});

/** A number that no connection had before. */
export const nextConnection = (registry: Registry): ConnectionId => String(++registry.connections);

/** The streamer's subscribers of one kind. */
export const subscribersOf = (registry: Registry, streamer: Streamer, kind: Player['kind']): Player[] =>
  [...streamer.subscribers].flatMap((connection) => {
    const player = registry.players.get(connection);
    return player?.kind === kind ? [player] : [];
  });
