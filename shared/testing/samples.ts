import type { z } from 'zod';
import type { Family } from '../protocol/message.ts';
import type { fromPlayer, fromSfu, fromStreamer } from '../protocol/pixel-streaming.ts';

type Samples<F extends Family> = { readonly [K in keyof F]: z.input<F[K]> };

const candidate = { candidate: 'candidate:1 1 udp 1 192.0.2.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0 };
const sdp =
  'v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\nm=application 9 UDP/DTLS/SCTP x\r\na=mid:1\r\n';
const ping = { type: 'ping', time: 1_700_000_000_000 } as const;
const pong = { type: 'pong', time: 1_700_000_000_000 } as const;
const endpointId = { type: 'endpointId', id: 'Foo', protocolVersion: '1.3.0' } as const;
const listStreamers = { type: 'listStreamers' } as const;
const subscribe = { type: 'subscribe', streamerId: 'Foo' } as const;
const unsubscribe = { type: 'unsubscribe' } as const;
const layerPreference = {
  type: 'layerPreference',
  spatialLayer: 1,
  temporalLayer: 0,
  playerId: '1',
} as const;

/** One valid message of every type that a streamer may send. */
const streamer: Samples<typeof fromStreamer> = {
  endpointId,
  offer: { type: 'offer', sdp, playerId: '1', multiplex: false, scalabilityMode: 'L1T1' },
  answer: { type: 'answer', sdp, playerId: '1' },
  iceCandidate: { type: 'iceCandidate', candidate, playerId: '1' },
  layerPreference,
  disconnectPlayer: { type: 'disconnectPlayer', playerId: '1', reason: 'bye' },
  ping,
  pong,
};

const player: Samples<typeof fromPlayer> = {
  listStreamers,
  subscribe,
  unsubscribe,
  offer: { type: 'offer', sdp },
  answer: { type: 'answer', sdp, minBitrateBps: 0, maxBitrateBps: 0 },
  iceCandidate: { type: 'iceCandidate', candidate },
  layerPreference,
  dataChannelRequest: { type: 'dataChannelRequest' },
  peerDataChannelsReady: { type: 'peerDataChannelsReady' },
  stats: { type: 'stats', data: 'x' },
  ping,
  pong,
};

const sfu: Samples<typeof fromSfu> = {
  endpointId,
  listStreamers,
  subscribe,
  unsubscribe,
  startStreaming: { type: 'startStreaming' },
  stopStreaming: { type: 'stopStreaming' },
  offer: { type: 'offer', sdp, playerId: '1', sfu: true, scalabilityMode: 'L3T3' },
  answer: { type: 'answer', sdp },
  iceCandidate: { type: 'iceCandidate', candidate },
  peerDataChannels: { type: 'peerDataChannels', playerId: '1', sendStreamId: 1, recvStreamId: 2 },
  streamerDataChannels: {
    type: 'streamerDataChannels',
    sfuId: '2',
    playerId: '1',
    sendStreamId: 1,
    recvStreamId: 2,
  },
  ping,
  pong,
};

/** One valid message of every type, by the role that sends it. */
export const samples = { streamer, player, sfu } as const;
