import { type ConnectionId, type Effect, streamGone, tell } from './effect.ts';
import { type Player, type Registry, type Streamer, subscribersOf } from './registry.ts';
import { harmless } from './streamer-id.ts';

const failed = (player: Player, message: string): Effect[] =>
  // An SFU never gets subscribeFailed: it lists streamers again after a while.
  player.kind === 'SFU'
    ? []
    : [tell(player.connection, { type: 'subscribeFailed', message: harmless(message) })];

const isFull = (registry: Registry, streamer: Streamer): boolean => {
  const { max_players } = registry.rules;
  return (
    max_players > 0 &&
    streamer.kind === 'Streamer' &&
    subscribersOf(registry, streamer, 'Player').length >= max_players
  );
};

/** Detaches a player from its streamer, if it has one. */
export const unsubscribe = (registry: Registry, connection: ConnectionId): Effect[] => {
  const player = registry.players.get(connection);
  const streamer = player?.subscribed === undefined ? undefined : registry.streamers.get(player.subscribed);
  if (player === undefined || streamer === undefined) return [];
  delete player.subscribed;
  streamer.subscribers.delete(connection);
  return [tell(streamer.connection, { type: 'playerDisconnected', playerId: connection })];
};

const attach = (registry: Registry, player: Player, streamer: Streamer): Effect[] => {
  if (player.kind === 'Player' && isFull(registry, streamer)) {
    return failed(player, `Streamer ${streamer.id} is full. Max players = ${registry.rules.max_players}.`);
  }
  player.subscribed = streamer.connection;
  streamer.subscribers.add(player.connection);
  const sfu = player.kind === 'SFU';
  return [
    tell(streamer.connection, {
      type: 'playerConnected',
      dataChannel: true,
      sfu,
      playerId: player.connection,
    }),
  ];
};

/** Attaches a player or SFU to the streamer with that id; a previous subscription ends first. */
export const subscribe = (registry: Registry, connection: ConnectionId, streamerId: string): Effect[] => {
  const player = registry.players.get(connection);
  if (player === undefined) return [];
  const streamer = registry.streamers.get(registry.names.get(streamerId) ?? '');
  if (streamer === undefined) return failed(player, `Streamer ${streamerId.slice(0, 100)} does not exist.`);
  if (streamer.connection === connection) return [];
  return [...unsubscribe(registry, connection), ...attach(registry, player, streamer)];
};

/** Attaches a player that never subscribes to the first streamer there is (UE 4.27 pages); without one it is closed. */
export const subscribeToFirst = (registry: Registry, player: Player): Effect[] => {
  const [streamer] = registry.streamers.values();
  if (streamer !== undefined) return attach(registry, player, streamer);
  registry.players.delete(player.connection);
  return [streamGone(player.connection)];
};

/**
 * Ends all subscriptions to a streamer that is gone or stopped: players are closed; an SFU is told, and its own players
 * are closed, because it has nothing to show them.
 */
export const dropSubscribers = (registry: Registry, streamer: Streamer): Effect[] =>
  [...streamer.subscribers].flatMap((connection): Effect[] => {
    const player = registry.players.get(connection);
    // Two SFUs may watch each other: whoever was dropped further down is not dropped again.
    if (!streamer.subscribers.delete(connection) || player === undefined) return [];
    delete player.subscribed;
    if (player.kind === 'Player') {
      registry.players.delete(connection);
      return [streamGone(connection)];
    }
    const sfu = registry.streamers.get(connection);
    if (sfu === undefined) return [];
    sfu.streaming = false;
    return [tell(connection, { type: 'streamerDisconnected' }), ...dropSubscribers(registry, sfu)];
  });
