import type { Handlers } from '../../shared/protocol/message.ts';
import type { fromSfu } from '../../shared/protocol/pixel-streaming.ts';
import { listStreamers } from '../domain/player.ts';
import {
  answerUpstream,
  relayFromSfu,
  requestStreamerChannels,
  startStreaming,
  stopStreaming,
} from '../domain/sfu.ts';
import { identify } from '../domain/streamer.ts';
import { subscribe, unsubscribe } from '../domain/subscription.ts';
import { answerPing, type Context, ignore } from './context.ts';

/** One row for each message of an SFU. */
export const sfuHandlers: Handlers<typeof fromSfu, Context> = {
  endpointId: ({ id = '', protocolVersion }, { registry, connection, apply }) =>
    apply(identify(registry, connection, id, protocolVersion)),
  listStreamers: (_, { registry, connection, apply }) => apply(listStreamers(registry, connection)),
  subscribe: ({ streamerId }, { registry, connection, apply }) =>
    apply(subscribe(registry, connection, streamerId)),
  unsubscribe: (_, { registry, connection, apply }) => apply(unsubscribe(registry, connection)),
  startStreaming: (_, { registry, connection, apply }) => apply(startStreaming(registry, connection)),
  stopStreaming: (_, { registry, connection, apply }) => apply(stopStreaming(registry, connection)),
  offer: (message, { registry, connection, apply }) => apply(relayFromSfu(registry, connection, message)),
  answer: (message, { registry, connection, apply }) => apply(answerUpstream(registry, connection, message)),
  iceCandidate: ignore,
  peerDataChannels: (message, { registry, connection, apply }) =>
    apply(relayFromSfu(registry, connection, message)),
  streamerDataChannels: (message, { registry, connection, apply }) =>
    apply(requestStreamerChannels(registry, connection, message)),
  ping: answerPing,
  pong: ignore,
};
