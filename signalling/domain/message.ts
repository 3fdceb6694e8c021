import type { MessageOf } from '../../shared/protocol/message.ts';
import type { fromPlayer, fromSfu, fromStreamer } from '../../shared/protocol/pixel-streaming.ts';

/** The streamer's message of that type; the others alike. */
export type StreamerMessage<T extends keyof typeof fromStreamer> = Extract<
  MessageOf<typeof fromStreamer>,
  { type: T }
>;
export type PlayerMessage<T extends keyof typeof fromPlayer> = Extract<
  MessageOf<typeof fromPlayer>,
  { type: T }
>;
export type SfuMessage<T extends keyof typeof fromSfu> = Extract<MessageOf<typeof fromSfu>, { type: T }>;

/** What a streamer says to one of its players. */
export type Negotiation = StreamerMessage<'offer' | 'answer' | 'iceCandidate'>;

/** What a player says to the streamer or SFU that it is subscribed to. */
export type Relayed = PlayerMessage<
  'offer' | 'answer' | 'iceCandidate' | 'layerPreference' | 'dataChannelRequest' | 'peerDataChannelsReady'
>;
