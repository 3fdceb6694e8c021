import type { Handlers } from '../../shared/protocol/message.ts';
import type { fromStreamer } from '../../shared/protocol/pixel-streaming.ts';
import type { Negotiation } from '../domain/message.ts';
import { disconnectPlayer, identify, relayToPlayer, relayToSfus } from '../domain/streamer.ts';
import { answerPing, type Context, ignore } from './context.ts';

const relay = (message: Negotiation, { registry, connection, apply }: Context): void =>
  apply(relayToPlayer(registry, connection, message));

/** One row for each message of a streamer. */
export const streamerHandlers: Handlers<typeof fromStreamer, Context> = {
  endpointId: ({ id = '', protocolVersion }, { registry, connection, apply }) =>
    apply(identify(registry, connection, id, protocolVersion)),
  offer: relay,
  answer: relay,
  iceCandidate: relay,
  layerPreference: (message, { registry, connection, apply }) =>
    apply(relayToSfus(registry, connection, message)),
  disconnectPlayer: (message, { registry, connection, apply }) =>
    apply(disconnectPlayer(registry, connection, message)),
  ping: answerPing,
  pong: ignore,
};
