import { tellStreamer } from './dialect.ts';
import { type ConnectionId, type Effect, tell } from './effect.ts';
import type { Relayed } from './message.ts';
import type { Origin, Player, Registry } from './registry.ts';
import { heard, subscribeToFirst, unsubscribe } from './subscription.ts';
import { viewOnly, withoutLookalikes } from './view-only.ts';

export const addPlayer = (registry: Registry, origin: Origin, kind: Player['kind']): void => {
  registry.players.set(origin.connection, { ...origin, kind });
};

/** Players see the streamers that stream; an SFU sees all, itself included. In order of connection. */
export const listStreamers = (registry: Registry, connection: ConnectionId): Effect[] => {
  heard(registry, connection);
  const all = registry.players.get(connection)?.kind === 'SFU';
  const ids = [...registry.streamers.values()].filter((s) => all || s.streaming).map((s) => s.id);
  return [tell(connection, { type: 'streamerList', ids })];
};

/**
 * Passes a player's message to its streamer under the player's own id, whatever id it wrote, if the streamer understands it.
 * Without a subscription the message goes nowhere, unless legacy pages are allowed for. A view-only player's message loses
 * what would let it steer.
 */
export const relayToStreamer = (registry: Registry, connection: ConnectionId, message: Relayed): Effect[] => {
  const player = registry.players.get(connection);
  if (player === undefined) return [];
  heard(registry, connection);
  const attached =
    player.subscribed === undefined && registry.rules.legacy_auto_subscribe
      ? subscribeToFirst(registry, player, message.type === 'offer')
      : [];
  if (player.subscribed === undefined) return attached;
  const allowed = player.view_only === true ? viewOnly(message) : withoutLookalikes(message);
  if (allowed === undefined) return attached;
  return [...attached, ...tellStreamer(registry, player.subscribed, { ...allowed, playerId: connection })];
};

/** Forgets a player; its streamer is told. Unknown connections change nothing. */
export const removePlayer = (registry: Registry, connection: ConnectionId): Effect[] => {
  const effects = unsubscribe(registry, connection);
  registry.players.delete(connection);
  return effects;
};
