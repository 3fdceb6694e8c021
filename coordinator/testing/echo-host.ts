import { AGENT_LINK_VERSION, fromAgent, toAgent } from '../../shared/protocol/agent-link.ts';
import { encode, type MessageOf } from '../../shared/protocol/message.ts';
import { decodeRelayFrame, encodeRelayFrame } from '../../shared/protocol/relay-frame.ts';

/** A host whose sessions are ready at once, and which says back what begins with "echo"; the rest it only counts. */
export interface EchoHost {
  /** Bytes that players have sent. */
  bytes(): number;
  /** How the link has ended; undefined while it is open. */
  ended(): number | undefined;
  stop(): void;
}

/** Dials the coordinator at `url` and is welcomed. */
export const startEchoHost = async (
  url: string,
  key: string,
  hello: { server_name: string; seats: number; apps: string[] },
): Promise<EchoHost> => {
  const socket = new WebSocket(url, { headers: { Authorization: `Bearer ${key}` } });
  socket.binaryType = 'nodebuffer';
  const welcomed = Promise.withResolvers<void>();
  let bytes = 0;
  let ended: number | undefined;
  const say = (message: MessageOf<typeof fromAgent>) => void socket.send(encode(fromAgent, message));
  const obey = (text: string) => {
    const message: unknown = JSON.parse(text);
    if (toAgent.WELCOME.safeParse(message).success) welcomed.resolve();
    const order = toAgent.CREATE_SESSION.safeParse(message);
    if (!order.success) return;
    const { session_id, generation, code } = order.data;
    say({ verb: 'CONNECT_TO_SESSION', session_id, generation, code, ip: '127.0.0.1', port: '1' });
  };
  socket.onopen = () => say({ verb: 'HELLO', protocol: AGENT_LINK_VERSION, sessions: [], ...hello });
  socket.onclose = ({ code }) => {
    ended = code;
    welcomed.reject(new Error(`the link ended: ${code}`));
  };
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string') return obey(data);
    const frame = decodeRelayFrame(new Uint8Array(data));
    if (frame?.kind !== 'data') return;
    bytes += frame.payload.length;
    if (Buffer.from(frame.payload.subarray(0, 4)).toString() === 'echo') socket.send(encodeRelayFrame(frame));
  };
  await welcomed.promise;
  return { bytes: () => bytes, ended: () => ended, stop: () => socket.close() };
};
