import { z } from 'zod';
import { loose, type MessageOf } from './message.ts';

/**
 * Epic's Pixel Streaming signalling messages (UE 4.27 to 5.8), one JSON object per WebSocket text frame. Fields stand in
 * Epic's order, which is also the order in which they are serialised. Unknown fields are kept: relays pass them on.
 * What an endpoint may leave out although Epic's description requires it is optional here.
 */
export const PIXEL_STREAMING_VERSION = '1.3.0';

/** Older Unreal plugins turn the id into an integer; the server's ids are numbers written as text for their sake. */
const playerIdSchema = z.union([z.string(), z.int().transform(String)]);
const playerId = playerIdSchema.optional();
const streamId = z.int();
const time = z.number().optional();

const iceCandidateDataSchema = z.looseObject({
  candidate: z.string(),
  sdpMid: z.string().nullish(),
  sdpMLineIndex: z.int().nullish(),
  usernameFragment: z.string().nullish(),
});

const offer = loose('type', 'offer', {
  sdp: z.string(),
  playerId,
  /** Comes from an SFU: the player asks for its data channels afterwards. */
  sfu: z.boolean().optional(),
  /** To an SFU: the streamer carries all players' data in one channel. */
  multiplex: z.boolean().optional(),
  scalabilityMode: z.string().optional(),
});
const answer = loose('type', 'answer', {
  sdp: z.string(),
  playerId,
  minBitrateBps: z.number().optional(),
  maxBitrateBps: z.number().optional(),
});
const iceCandidate = loose('type', 'iceCandidate', { candidate: iceCandidateDataSchema, playerId });
const layerPreference = loose('type', 'layerPreference', {
  spatialLayer: z.int(),
  temporalLayer: z.int(),
  playerId,
});
const peerDataChannels = loose('type', 'peerDataChannels', {
  playerId,
  sendStreamId: streamId,
  recvStreamId: streamId,
});
const streamerDataChannels = loose('type', 'streamerDataChannels', {
  sfuId: z.string().optional(),
  sendStreamId: streamId,
  recvStreamId: streamId,
  playerId,
});
const dataChannelRequest = loose('type', 'dataChannelRequest', { playerId });
const peerDataChannelsReady = loose('type', 'peerDataChannelsReady', { playerId });

/** Missing or empty asks the server to choose. */
const endpointId = loose('type', 'endpointId', {
  id: z.string().optional(),
  protocolVersion: z.string().optional(),
});
const listStreamers = loose('type', 'listStreamers', {});
const subscribe = loose('type', 'subscribe', { streamerId: z.string() });
const unsubscribe = loose('type', 'unsubscribe', {});
/** A missing time is answered with 0. */
const ping = loose('type', 'ping', { time });
const pong = loose('type', 'pong', { time });

/** What a streamer (Unreal) may send. */
export const fromStreamer = {
  endpointId,
  offer,
  answer,
  iceCandidate,
  /** Passed on to every SFU that is subscribed to the streamer. */
  layerPreference,
  disconnectPlayer: loose('type', 'disconnectPlayer', {
    playerId: playerIdSchema,
    reason: z.string().optional(),
  }),
  ping,
  pong,
} as const;

/** What a player (browser) may send. */
export const fromPlayer = {
  listStreamers,
  subscribe,
  unsubscribe,
  offer,
  answer,
  iceCandidate,
  layerPreference,
  dataChannelRequest,
  peerDataChannelsReady,
  /** Deprecated; pages of UE 4.27 send it every second. Read and forgotten. */
  stats: loose('type', 'stats', {}),
  ping,
  pong,
} as const;

/** What an SFU may send: it is a player towards the streamer and a streamer towards its players. */
export const fromSfu = {
  endpointId,
  listStreamers,
  subscribe,
  unsubscribe,
  startStreaming: loose('type', 'startStreaming', {}),
  stopStreaming: loose('type', 'stopStreaming', {}),
  offer,
  answer,
  /** Not relayed: an SFU puts its candidates into its offer. */
  iceCandidate,
  peerDataChannels,
  streamerDataChannels,
  ping,
  pong,
} as const;

const config = loose('type', 'config', {
  /** An RTCConfiguration. The page needs an object here, and arrays in `iceServers[].urls`. */
  peerConnectionOptions: z.looseObject({}),
  protocolVersion: z.string(),
  /** To players, ours: the streamer only answers offers (UE 4.27), so the page has to make one and subscribes to nothing. */
  browserSendOffer: z.literal(true).optional(),
});
const identify = loose('type', 'identify', {});
const endpointIdConfirm = loose('type', 'endpointIdConfirm', { committedId: z.string() });
const playerConnected = loose('type', 'playerConnected', {
  dataChannel: z.boolean(),
  sfu: z.boolean(),
  playerId: z.string(),
  /** False where the player makes the offer; Epic's servers of 5.2 to 5.4 send it. */
  sendOffer: z.boolean().optional(),
});
const playerDisconnected = loose('type', 'playerDisconnected', { playerId: z.string() });
const streamerIdChanged = loose('type', 'streamerIdChanged', { newID: z.string() });
const streamerList = loose('type', 'streamerList', { ids: z.array(z.string()) });

/** What a streamer may be sent. Older Unreal plugins close the socket on any other type. */
export const toStreamer = {
  identify,
  config,
  endpointIdConfirm,
  playerConnected,
  playerDisconnected,
  offer,
  answer,
  iceCandidate,
  layerPreference,
  dataChannelRequest,
  peerDataChannelsReady,
  streamerDataChannels,
  pong,
} as const;

/** What a player may be sent; `config` first, and once. */
export const toPlayer = {
  config,
  streamerList,
  subscribeFailed: loose('type', 'subscribeFailed', { message: z.string() }),
  streamerIdChanged,
  offer,
  answer,
  iceCandidate,
  peerDataChannels: loose('type', 'peerDataChannels', { sendStreamId: streamId, recvStreamId: streamId }),
  pong,
} as const;

/** What an SFU may be sent. */
export const toSfu = {
  identify,
  config,
  endpointIdConfirm,
  streamerList,
  streamerIdChanged,
  /** The streamer that the SFU was subscribed to is gone. */
  streamerDisconnected: loose('type', 'streamerDisconnected', {}),
  playerConnected,
  playerDisconnected,
  offer,
  answer,
  iceCandidate,
  layerPreference,
  dataChannelRequest,
  peerDataChannelsReady,
  /** Between SFUs, where one is subscribed to another: from upstream. */
  peerDataChannels: loose('type', 'peerDataChannels', { sendStreamId: streamId, recvStreamId: streamId }),
  /** From downstream. */
  streamerDataChannels,
  pong,
} as const;

/** Everything that the signalling server sends. */
export type ServerMessage =
  | MessageOf<typeof toStreamer>
  | MessageOf<typeof toPlayer>
  | MessageOf<typeof toSfu>;
