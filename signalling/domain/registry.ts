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
  /** The id that it asked for last. */
  wanted: string;
  /** Listed for players. */
  streaming: boolean;
  /** It told its protocol version: Pixel Streaming 2 does, the first plugin does not. */
  versioned: boolean;
  /** Players and SFUs, by connection, in order of subscription. */
  readonly subscribers: Set<ConnectionId>;
}

export interface Player extends Origin {
  readonly kind: 'Player' | 'SFU';
  /** The streamer's connection. */
  subscribed?: ConnectionId;
  /** Whether it has said what only some pages say, or was silent for so long that it will not; undefined at first. */
  page?: 'speaks' | 'silent';
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
  /** Types of messages that a streamer closed on, by what it is known by (`dialect.ts`). */
  readonly refusals: Map<string, ReadonlySet<string>>;
  readonly rules: Rules;
  connections: number;
}

export interface Rules {
  /** Players that one streamer serves; 0 = no limit. SFUs are neither limited nor counted. */
  readonly max_players: number;
  /** Attach players that never subscribe to the first streamer, as pages of UE 4.27, 5.0 and 5.1 need. */
  readonly legacy_auto_subscribe: boolean;
  /** The engine of streamers that do not tell their protocol version, "4.27"; absent or '' when nobody says. */
  readonly engine?: string;
}

export const createRegistry = (rules: Rules): Registry => ({
  streamers: new Map(),
  players: new Map(),
  names: new Map(),
  refusals: new Map(),
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
