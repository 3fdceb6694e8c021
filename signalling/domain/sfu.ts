import { tellStreamer } from './dialect.ts';
import { type ConnectionId, type Effect, tell } from './effect.ts';
import type { SfuMessage } from './message.ts';
import { addPlayer, removePlayer } from './player.ts';
import type { Origin, Registry } from './registry.ts';
import { addStreamer, ownPlayer, removeStreamer } from './streamer.ts';
import { dropSubscribers } from './subscription.ts';

/** An SFU is a streamer to its players and a player to its streamer, on one connection. */
export const addSfu = (registry: Registry, origin: Origin): void => {
  addStreamer(registry, origin, 'SFU');
  addPlayer(registry, origin, 'SFU');
};

export const startStreaming = (registry: Registry, connection: ConnectionId): Effect[] => {
  const sfu = registry.streamers.get(connection);
  if (sfu !== undefined) sfu.streaming = true;
  return [];
};

/** Takes the SFU off the list and closes its players. */
export const stopStreaming = (registry: Registry, connection: ConnectionId): Effect[] => {
  const sfu = registry.streamers.get(connection);
  if (sfu === undefined) return [];
  sfu.streaming = false;
  return dropSubscribers(registry, sfu);
};

/** Passes an SFU's message to the player that it names; the name served the routing and does not travel on. */
export const relayFromSfu = (
  registry: Registry,
  connection: ConnectionId,
  message: SfuMessage<'offer' | 'peerDataChannels'>,
): Effect[] => {
  const { playerId, ...rest } = message;
  const player = ownPlayer(registry, connection, playerId);
  if (player === undefined) return [];
  if (player.view_only === true && message.type === 'peerDataChannels') return [];
  return [tell(player.connection, rest as typeof message)];
};

/** Answers the SFU's own streamer, in the SFU's name if it gave none. */
export const answerUpstream = (
  registry: Registry,
  connection: ConnectionId,
  message: SfuMessage<'answer'>,
): Effect[] => {
  const upstream = registry.players.get(connection)?.subscribed;
  return upstream === undefined
    ? []
    : tellStreamer(registry, upstream, { ...message, playerId: message.playerId ?? connection });
};

/** Asks the SFU's streamer to open data channels for one of the SFU's players. */
export const requestStreamerChannels = (
  registry: Registry,
  connection: ConnectionId,
  message: SfuMessage<'streamerDataChannels'>,
): Effect[] => {
  const upstream = registry.players.get(connection)?.subscribed;
  return upstream === undefined ? [] : tellStreamer(registry, upstream, { ...message, sfuId: connection });
};

/** Forgets an SFU: its streamer is told, its players are closed. */
export const removeSfu = (registry: Registry, connection: ConnectionId): Effect[] => [
  ...removePlayer(registry, connection),
  ...removeStreamer(registry, connection),
];
