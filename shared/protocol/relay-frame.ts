/**
 * Binary frames on the agent link: `u8 kind, u32 channel (big-endian), payload`. The payload of `data` is one player
 * WebSocket message as UTF-8 text, copied and never parsed; of `close`, a u16 close code and a UTF-8 reason. A channel is opened
 * by CONNECT_USER_TO_SESSION (text frames and binary frames of one connection keep their order).
 */
export const RELAY_FRAME_VERSION = 1;

export type RelayFrame =
  | { kind: 'data'; channel: number; payload: Uint8Array }
  | { kind: 'close'; channel: number; code: number; reason: string };

const DATA = 1;
const CLOSE = 2;
const HEADER_BYTES = 5;

export const encodeRelayFrame = (frame: RelayFrame): Uint8Array => {
  const body = frame.kind === 'data' ? frame.payload : new TextEncoder().encode(frame.reason);
  const code_bytes = frame.kind === 'close' ? 2 : 0;
  const bytes = new Uint8Array(HEADER_BYTES + code_bytes + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, frame.kind === 'data' ? DATA : CLOSE);
  view.setUint32(1, frame.channel);
  if (frame.kind === 'close') view.setUint16(HEADER_BYTES, frame.code);
  bytes.set(body, HEADER_BYTES + code_bytes);
  return bytes;
};

/** The frame, or undefined when the bytes are none: too short, unknown kind, channel 0, reason that is not UTF-8. */
export const decodeRelayFrame = (bytes: Uint8Array): RelayFrame | undefined => {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = view.getUint8(0);
  const channel = view.getUint32(1);
  if (channel === 0) return undefined;
  if (kind === DATA) return { kind: 'data', channel, payload: bytes.subarray(HEADER_BYTES) };
  if (kind !== CLOSE || bytes.length < HEADER_BYTES + 2) return undefined;
  try {
    const reason = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      bytes.subarray(HEADER_BYTES + 2),
    );
    return { kind: 'close', channel, code: view.getUint16(HEADER_BYTES), reason };
  } catch {
    return undefined;
  }
};
