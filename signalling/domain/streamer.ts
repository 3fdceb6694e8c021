import { tellStreamer } from './dialect.ts';
import { type ConnectionId, type Effect, tell } from './effect.ts';
import type { Negotiation, StreamerMessage } from './message.ts';
import { type Origin, type Player, type Registry, type Streamer, subscribersOf } from './registry.ts';
import { cleanId, commitId, harmless, unknown_streamer_id } from './streamer-id.ts';
import { attachSilent, dropSubscribers, unsubscribe } from './subscription.ts';

/** Enters a streamer under a temporary id. It is not listed until it has said who it is. */
export const addStreamer = (registry: Registry, origin: Origin, kind: Streamer['kind']): void => {
  const id = commitId(unknown_streamer_id, registry.names, origin.connection);
  registry.names.set(id, origin.connection);
  registry.streamers.set(origin.connection, {
    ...origin,
    kind,
    id,
    wanted: unknown_streamer_id,
    streaming: false,
    versioned: false,
    subscribers: new Set(),
  });
};

/**
 * A streamer showing the token of the one that holds the id is that one, come back while its old connection has not yet
 * been found dead: the old connection gives way.
 */
const evictPredecessor = (registry: Registry, streamer: Streamer, wanted: string): Effect[] => {
  const holder = registry.streamers.get(registry.names.get(cleanId(wanted)) ?? '');
  if (holder === undefined || holder === streamer) return [];
  if (streamer.token === undefined || holder.token !== streamer.token) return [];
  return [
    ...removeStreamer(registry, holder.connection),
    { close: holder.connection, code: 4409, reason: 'Another streamer took this id with the same token.' },
  ];
};

/**
 * Gives the streamer its id, lists it, and tells those who knew it by another. May be repeated to rename. `version` is the
 * protocol version that it told.
 */
export const identify = (
  registry: Registry,
  connection: ConnectionId,
  wanted: string,
  version?: string,
): Effect[] => {
  const streamer = registry.streamers.get(connection);
  if (streamer === undefined) return [];
  const evicted = evictPredecessor(registry, streamer, wanted);
  const id = commitId(wanted, registry.names, connection);
  const changed = id !== streamer.id;
  registry.names.delete(streamer.id);
  registry.names.set(id, connection);
  streamer.id = id;
  streamer.wanted = cleanId(wanted);
  streamer.streaming = true;
  streamer.versioned ||= version !== undefined && version !== '';
  return [
    ...evicted,
    ...(changed ? [...streamer.subscribers] : []).map((to) =>
      tell(to, { type: 'streamerIdChanged', newID: id }),
    ),
    ...tellStreamer(registry, connection, { type: 'endpointIdConfirm', committedId: id }),
    ...attachSilent(registry),
  ];
};

/** The player of that id, if it is this streamer's own: nobody addresses the players of others. */
export const ownPlayer = (
  registry: Registry,
  connection: ConnectionId,
  playerId: string | undefined,
): Player | undefined => {
  const player = playerId === undefined ? undefined : registry.players.get(playerId);
  return player?.subscribed === connection ? player : undefined;
};

/** Passes an offer, answer or candidate to the player that it names, as received. */
export const relayToPlayer = (
  registry: Registry,
  connection: ConnectionId,
  message: Negotiation,
): Effect[] => {
  const player = ownPlayer(registry, connection, message.playerId);
  return player === undefined ? [] : [tell(player.connection, message)];
};

/** Passes a layer preference to every SFU that is subscribed to the streamer. */
export const relayToSfus = (
  registry: Registry,
  connection: ConnectionId,
  message: StreamerMessage<'layerPreference'>,
): Effect[] => {
  const streamer = registry.streamers.get(connection);
  if (streamer === undefined) return [];
  return subscribersOf(registry, streamer, 'SFU').map((sfu) => tell(sfu.connection, message));
};

/** Closes one of the streamer's own players. */
export const disconnectPlayer = (
  registry: Registry,
  connection: ConnectionId,
  { playerId, reason = '' }: StreamerMessage<'disconnectPlayer'>,
): Effect[] => {
  const player = ownPlayer(registry, connection, playerId);
  if (player === undefined) return [];
  const sfu = registry.streamers.get(player.connection);
  const gone = [
    ...unsubscribe(registry, player.connection),
    ...(sfu === undefined ? [] : removeStreamer(registry, sfu.connection)),
  ];
  registry.players.delete(player.connection);
  return [...gone, { close: player.connection, code: 1011, reason: harmless(reason) }];
};

/** Forgets a streamer; its players are closed. Unknown connections change nothing. */
export const removeStreamer = (registry: Registry, connection: ConnectionId): Effect[] => {
  const streamer = registry.streamers.get(connection);
  if (streamer === undefined) return [];
  registry.streamers.delete(connection);
  registry.names.delete(streamer.id);
  return dropSubscribers(registry, streamer);
};
