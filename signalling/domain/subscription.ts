import { tellStreamer, understands } from './dialect.ts';
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

/** The player has said something that a page of 5.0 or 5.1 never says before it is offered a stream. */
export const heard = (registry: Registry, connection: ConnectionId): void => {
  const player = registry.players.get(connection);
  if (player !== undefined) player.page = 'speaks';
};

/** Detaches a player from its streamer, if it has one. */
export const unsubscribe = (registry: Registry, connection: ConnectionId): Effect[] => {
  const player = registry.players.get(connection);
  const streamer = player?.subscribed === undefined ? undefined : registry.streamers.get(player.subscribed);
  if (player === undefined || streamer === undefined) return [];
  delete player.subscribed;
  streamer.subscribers.delete(connection);
  return tellStreamer(registry, streamer.connection, { type: 'playerDisconnected', playerId: connection });
};

/**
 * A streamer that is announced the player makes an offer. One that is to answer the player's own is told so if it is of the
 * second plugin; the first one makes a session of the offer itself, and 4.27 would close on the announcement.
 */
const attach = (registry: Registry, player: Player, streamer: Streamer, offers: boolean): Effect[] => {
  if (player.kind === 'Player' && isFull(registry, streamer)) {
    return failed(player, `Streamer ${streamer.id} is full. Max players = ${registry.rules.max_players}.`);
  }
  player.subscribed = streamer.connection;
  streamer.subscribers.add(player.connection);
  if (offers && !streamer.versioned) return [];
  return tellStreamer(registry, streamer.connection, {
    type: 'playerConnected',
    dataChannel: true,
    sfu: player.kind === 'SFU',
    playerId: player.connection,
    ...(offers ? { sendOffer: false } : {}),
  });
};

/** Whether the streamer makes offers; Unreal 4.27 does not. */
const offersItself = (registry: Registry, streamer: Streamer): boolean =>
  understands(registry, streamer, 'playerConnected');

const notOffered = (player: Player, { id }: Streamer): Effect[] =>
  failed(
    player,
    `Streamer ${id} only answers offers, as Unreal 4.27 does. Let the page offer: ?BrowserSendOffer=true, in pages of 5.0 to 5.4 ?OfferToReceive=true.`,
  );

/** Attaches a player or SFU to the streamer with that id; a previous subscription ends first. */
export const subscribe = (registry: Registry, connection: ConnectionId, streamerId: string): Effect[] => {
  heard(registry, connection);
  const player = registry.players.get(connection);
  if (player === undefined) return [];
  const streamer = registry.streamers.get(registry.names.get(streamerId) ?? '');
  if (streamer === undefined) return failed(player, `Streamer ${streamerId.slice(0, 100)} does not exist.`);
  if (streamer.connection === connection) return [];
  if (!offersItself(registry, streamer)) return notOffered(player, streamer);
  return [...unsubscribe(registry, connection), ...attach(registry, player, streamer, false)];
};

/**
 * Attaches a player that never subscribes to the first streamer that can play to it: a page of UE 4.27 offers, others wait
 * for an offer. Without any streamer it is closed.
 */
export const subscribeToFirst = (registry: Registry, player: Player, offers: boolean): Effect[] => {
  const streamers = [...registry.streamers.values()];
  const able = streamers.find((streamer) =>
    offers ? streamer.kind === 'Streamer' : offersItself(registry, streamer),
  );
  if (able !== undefined) return attach(registry, player, able, offers);
  const [other] = streamers;
  if (other !== undefined)
    return offers ? failed(player, `Streamer ${other.id} does not take offers.`) : notOffered(player, other);
  registry.players.delete(player.connection);
  return [streamGone(player.connection)];
};

/** Attaches the players that wait in silence for an offer, as pages of 5.0 and 5.1 do, once there is a streamer. */
export const attachSilent = (registry: Registry): Effect[] => {
  if (!registry.rules.legacy_auto_subscribe || registry.streamers.size === 0) return [];
  return [...registry.players.values()]
    .filter(({ page, subscribed }) => page === 'silent' && subscribed === undefined)
    .flatMap((player) => subscribeToFirst(registry, player, false));
};

/** A player has said nothing for so long that it will not: it waits for an offer. Without a streamer it goes on waiting. */
export const silent = (registry: Registry, connection: ConnectionId): Effect[] => {
  const player = registry.players.get(connection);
  if (player === undefined || player.page !== undefined) return [];
  player.page = 'silent';
  return attachSilent(registry);
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
