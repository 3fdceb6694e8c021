import { engineNumber, onlyAnswers } from '../../shared/engine.ts';
import type { MessageOf } from '../../shared/protocol/message.ts';
import { toStreamer } from '../../shared/protocol/pixel-streaming.ts';
import { type ConnectionId, type Effect, tell } from './effect.ts';
import type { Registry, Streamer } from './registry.ts';

type ToStreamer = MessageOf<typeof toStreamer>;
type Type = ToStreamer['type'];

/** Streamers of which it is remembered what they refused. The one that refused longest ago is forgotten first. */
const refusals_max = 1_000;

/**
 * The plugin of Unreal 4.27 closes its socket on any other message, and so does that of 5.0, which knows `playerConnected`
 * besides. Both are sent no more than that: the close would cost every viewer the stream.
 */
const known_to_all: readonly Type[] = [
  ...(['identify', 'config', 'playerDisconnected', 'pong'] as const),
  ...(['offer', 'answer', 'iceCandidate'] as const),
];
/** 5.2 and later open data channels for the players of an SFU. */
const first_with_sfu_channels = engineNumber('5.2');

/** What a streamer that tells no protocol version understands, by what the operator says of the engine ('' is nothing). */
const knownBefore = (type: Type, engine = ''): boolean =>
  known_to_all.includes(type) ||
  (type === 'playerConnected' && !onlyAnswers(engine)) ||
  (type === 'streamerDataChannels' && engineNumber(engine) >= first_with_sfu_channels);

/** A streamer is known again by what it showed at the door and the id that it wants. */
const keyOf = ({ token, remote, wanted }: Streamer): string => `${token ?? remote} ${wanted}`;

/**
 * Whether the streamer may be sent that message. Pixel Streaming 2 tells its protocol version and takes everything; the first
 * plugin, of whatever age, tells none. An SFU knows all that it is sent.
 */
export const understands = (registry: Registry, streamer: Streamer, type: Type): boolean => {
  if (streamer.kind === 'SFU' || known_to_all.includes(type)) return true;
  if (registry.refusals.get(keyOf(streamer))?.has(type) === true) return false;
  return streamer.versioned || knownBefore(type, registry.rules.engine);
};

/** Sends a message to a streamer that understands it; others are sent nothing. */
export const tellStreamer = (registry: Registry, connection: ConnectionId, message: ToStreamer): Effect[] => {
  const streamer = registry.streamers.get(connection);
  return streamer !== undefined && understands(registry, streamer, message.type)
    ? [tell(connection, message)]
    : [];
};

/** Whether pages have to offer: no streamer here, or that is awaited, makes an offer of its own. */
export const pagesOffer = (registry: Registry): boolean => {
  const streamers = [...registry.streamers.values()];
  if (streamers.length === 0) return onlyAnswers(registry.rules.engine ?? '');
  return streamers.every((streamer) => !understands(registry, streamer, 'playerConnected'));
};

/** How the old plugins close: 4001, or 4000, "Unsupported message received: TYPE". */
const refusedType = (code: number, reason: string): string | undefined =>
  code === 4000 || code === 4001 ? /unsupported message\W.*?\b(\w+)\W*$/i.exec(reason)?.[1] : undefined;

/**
 * A streamer closed its socket. Answers the type of the message that it did not understand, if that is why: neither it nor its
 * next connection is sent that type again. Nobody can tell Unreal 4.27 from 5.0 but by this.
 */
export const learnRefusal = (
  registry: Registry,
  connection: ConnectionId,
  code: number,
  reason: string,
): string | undefined => {
  const { streamers, refusals } = registry;
  const streamer = streamers.get(connection);
  const type = refusedType(code, reason);
  if (streamer?.kind !== 'Streamer' || type === undefined || !Object.hasOwn(toStreamer, type))
    return undefined;
  const key = keyOf(streamer);
  const types = new Set(refusals.get(key)).add(type);
  refusals.delete(key);
  refusals.set(key, types);
  for (const oldest of refusals.keys()) {
    if (refusals.size <= refusals_max) break;
    refusals.delete(oldest);
  }
  return type;
};
