import type { Relayed } from './message.ts';

/** The line that opens a section: media, port, protocol and formats. */
const mediaLine = /^m=([a-z]+) \d+(\/\d+)? (.+)$/;

/**
 * The description with its data-channel section rejected: port 0, and its mid taken out of the BUNDLE
 * group. Of the section's other lines nothing stays: `a=bundle-only` would bring it back to life. Undefined
 * when a line that opens a section cannot be read: what is not understood is not passed on.
 */
export const withoutDataChannel = (sdp: string): string | undefined => {
  const lines = sdp.split(/\r\n|\r|\n/);
  const rejected = new Set<string>();
  const kept: string[] = [];
  let inData = false;
  for (const line of lines) {
    if (/^\s*m\s*=/i.test(line)) {
      const [, media, , rest] = mediaLine.exec(line) ?? [];
      if (media === undefined) return undefined;
      inData = media !== 'audio' && media !== 'video';
      kept.push(inData ? `m=${media} 0 ${rest}` : line);
    } else if (!inData || line.startsWith('c=') || line === '') kept.push(line);
    else if (line.startsWith('a=mid:')) {
      rejected.add(line.slice('a=mid:'.length));
      kept.push(line);
    }
  }
  const withoutRejected = (line: string) =>
    line
      .split(' ')
      .filter((word) => !rejected.has(word))
      .join(' ');
  return kept.map((line) => (line.startsWith('a=group:') ? withoutRejected(line) : line)).join('\r\n');
};

const candidateFields = ['candidate', 'sdpMid', 'sdpMLineIndex', 'usernameFragment'];

/** All that a streamer needs to read of each message. */
const fields: Record<Relayed['type'], readonly string[]> = {
  offer: ['type', 'sdp', 'playerId'],
  answer: ['type', 'sdp', 'playerId', 'minBitrateBps', 'maxBitrateBps'],
  iceCandidate: ['type', 'candidate', 'playerId'],
  layerPreference: ['type', 'spatialLayer', 'temporalLayer', 'playerId'],
  dataChannelRequest: ['type', 'playerId'],
  peerDataChannelsReady: ['type', 'playerId'],
};

const only = <T extends object>(message: T, names: readonly string[]): T =>
  Object.fromEntries(Object.entries(message).filter(([name]) => names.includes(name))) as T;

/** The names that mean something somewhere, as a reader takes them that does not tell capitals from small letters. */
const meaningful = new Map(
  [...Object.values(fields).flat(), ...candidateFields].map((name) => [name.toLowerCase(), name]),
);

/**
 * The message without fields that differ from one of Epic's in their capitals only, such as `PlayerId`. Unreal's JSON
 * reader does not tell them apart and takes the last one.
 */
export const withoutLookalikes = <T extends object>(message: T): T => {
  const names = Object.keys(message);
  const honest = names.filter((name) => (meaningful.get(name.toLowerCase()) ?? name) === name);
  return honest.length === names.length ? message : only(message, honest);
};

/**
 * What is left of a view-only player's message. Its descriptions reject the data channel, so that the streamer opens
 * none; towards an SFU, which opens channels on request, the requests vanish. Fields that Epic does not know go, because
 * nobody knows what reads them. Undefined: nothing is left.
 */
export const viewOnly = (message: Relayed): Relayed | undefined => {
  if (message.type === 'dataChannelRequest' || message.type === 'peerDataChannelsReady') return undefined;
  const known = only(message, fields[message.type]);
  if (known.type === 'iceCandidate') return { ...known, candidate: only(known.candidate, candidateFields) };
  if (known.type !== 'answer' && known.type !== 'offer') return known;
  const sdp = withoutDataChannel(known.sdp);
  return sdp === undefined ? undefined : { ...known, sdp };
};
