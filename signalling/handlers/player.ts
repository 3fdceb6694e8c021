import type { Handlers } from '../../shared/protocol/message.ts';
import type { fromPlayer } from '../../shared/protocol/pixel-streaming.ts';
import type { Relayed } from '../domain/message.ts';
import { listStreamers, relayToStreamer } from '../domain/player.ts';
import { heard, subscribe, unsubscribe } from '../domain/subscription.ts';
import { answerPing, type Context, ignore } from './context.ts';

const relay = (message: Relayed, { registry, connection, apply }: Context): void =>
  apply(relayToStreamer(registry, connection, message));

/** One row for each message of a player. */
export const playerHandlers: Handlers<typeof fromPlayer, Context> = {
  listStreamers: (_, { registry, connection, apply }) => apply(listStreamers(registry, connection)),
  subscribe: ({ streamerId }, { registry, connection, apply }) =>
    apply(subscribe(registry, connection, streamerId)),
  unsubscribe: (_, { registry, connection, apply }) => {
    heard(registry, connection);
    apply(unsubscribe(registry, connection));
  },
  offer: relay,
  answer: relay,
  iceCandidate: relay,
  layerPreference: relay,
  dataChannelRequest: relay,
  peerDataChannelsReady: relay,
  stats: ignore,
  ping: answerPing,
  pong: ignore,
};
