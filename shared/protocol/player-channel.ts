/**
 * Binary frames of a resumable player channel, from the page to its session's signalling server and back. Coordinator and agent
 * in between copy them (the payload of a relay frame, then a binary frame of the local socket) and read none; where signalling is
 * not ours the agent is the other end. We say agent for that end here. `u8 kind`, then, big-endian:
 * `open` nothing; `resume` and `resumed` u32 received; `data` u32 seq, u32 ack, UTF-8 text; `ack` and `ping` u32 ack; `end`
 * u16 close code, UTF-8 reason.
 *
 * Each direction is numbered from 1. A leg begins with the page's `open` (nothing was ever heard of the agent) or
 * `resume`; the agent answers `resumed`. Both say how far they have got, and what the other has not got is sent again. `ack`
 * counts everything up to that number. `ping` is the page's, answered by an `ack` at once. After `end`, from either, the
 * channel is over. The page names the channel in the address that it dials: `?ticket=...&resumable=<22 characters>`.
 */
export const PLAYER_CHANNEL_VERSION = 1;

/** The one text frame on a local socket that carries a channel, from signalling to the agent: the stream was answered. */
export const PLAYER_ANSWERED = JSON.stringify({ type: 'playerAnswered' });

export type ChannelFrame =
  | { readonly kind: 'open' }
  | { readonly kind: 'resume'; readonly received: number }
  | { readonly kind: 'resumed'; readonly received: number }
  | { readonly kind: 'data'; readonly seq: number; readonly ack: number; readonly text: string }
  | { readonly kind: 'ack'; readonly ack: number }
  | { readonly kind: 'ping'; readonly ack: number }
  | { readonly kind: 'end'; readonly code: number; readonly reason: string };

/** What a frame takes beside its text. */
export const channel_header_bytes = 9;

const kinds = { open: 1, resume: 2, resumed: 3, data: 4, ack: 5, ping: 6, end: 7 } as const;

/** A kind byte, and room for `numbers` and `text` behind it. */
const bytesOf = (kind: ChannelFrame['kind'], number_bytes: number, text = '') => {
  const body = new TextEncoder().encode(text);
  const bytes = new Uint8Array(1 + number_bytes + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kinds[kind]);
  bytes.set(body, 1 + number_bytes);
  return { bytes, view };
};

export const encodeChannelFrame = (frame: ChannelFrame): Uint8Array<ArrayBuffer> => {
  switch (frame.kind) {
    case 'open':
      return bytesOf('open', 0).bytes;
    case 'data': {
      const { bytes, view } = bytesOf('data', 8, frame.text);
      view.setUint32(1, frame.seq);
      view.setUint32(5, frame.ack);
      return bytes;
    }
    case 'end': {
      const { bytes, view } = bytesOf('end', 2, frame.reason);
      view.setUint16(1, frame.code);
      return bytes;
    }
    default: {
      const { bytes, view } = bytesOf(frame.kind, 4);
      view.setUint32(1, 'received' in frame ? frame.received : frame.ack);
      return bytes;
    }
  }
};

/** Exact: a byte order mark is copied like everything else. */
const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

/** The frame, or undefined when the bytes are none: unknown kind, wrong length, text that is not UTF-8. */
export const decodeChannelFrame = (bytes: Uint8Array): ChannelFrame | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = bytes[0];
  if (kind === kinds.open) return bytes.length === 1 ? { kind: 'open' } : undefined;
  if (kind === kinds.data) {
    const text = bytes.length < channel_header_bytes ? undefined : textOf(bytes.subarray(9));
    return text === undefined
      ? undefined
      : { kind: 'data', seq: view.getUint32(1), ack: view.getUint32(5), text };
  }
  if (kind === kinds.end) {
    const reason = bytes.length < 3 ? undefined : textOf(bytes.subarray(3));
    return reason === undefined ? undefined : { kind: 'end', code: view.getUint16(1), reason };
  }
  if (bytes.length !== 5) return undefined;
  const number = view.getUint32(1);
  switch (kind) {
    case kinds.resume:
      return { kind: 'resume', received: number };
    case kinds.resumed:
      return { kind: 'resumed', received: number };
    case kinds.ack:
      return { kind: 'ack', ack: number };
    case kinds.ping:
      return { kind: 'ping', ack: number };
    default:
      return undefined;
  }
};
