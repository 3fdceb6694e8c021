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

/**
 * What is left of a view-only player's message. Its descriptions reject the data channel, so that the streamer opens
 * none; towards an SFU, which opens channels on request, the requests vanish. Undefined: nothing is left.
 */
export const viewOnly = (message: Relayed): Relayed | undefined => {
  if (message.type === 'dataChannelRequest' || message.type === 'peerDataChannelsReady') return undefined;
  if (message.type !== 'answer' && message.type !== 'offer') return message;
  const sdp = withoutDataChannel(message.sdp);
  return sdp === undefined ? undefined : { ...message, sdp };
};
