import { createHash, createHmac, randomBytes } from 'node:crypto';

/** The two halves of a TURN credential. */
export interface Credential {
  username: string;
  password: string;
}

/** What the server says: the relay's address, or an error code like 401. */
export type Allocated = { relayed: string } | { error: number };

interface Answer {
  readonly type: number;
  readonly attributes: ReadonlyMap<number, Buffer>;
}

const cookie = 0x2112a442;
const binding = 0x0001;
const allocate = 0x0003;
const allocated = 0x0103;
const create_permission = 0x0008;
const permitted = 0x0108;
const username = 0x0006;
const integrity = 0x0008;
const error_code = 0x0009;
const peer_address = 0x0012;
const realm = 0x0014;
const nonce = 0x0015;
const relayed_address = 0x0016;
const requested_transport = 0x0019;
/** How often a request is repeated, and how many times: UDP may lose it, and the server may still be starting. */
const repeat_ms = 100;
const repeats = 300;

const attribute = (type: number, value: Buffer): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
};

const message = (type: number, transaction: Buffer, attributes: Buffer, more = 0): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(attributes.length + more, 2);
  head.writeUInt32BE(cookie, 4);
  return Buffer.concat([head, transaction, attributes]);
};

const parse = (bytes: Buffer): Answer => {
  const attributes = new Map<number, Buffer>();
  for (let at = 20; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 2);
    attributes.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return { type: bytes.readUInt16BE(0), attributes };
};

type Ask = (type: number, attributes: (transaction: Buffer) => Buffer) => Promise<Answer>;

/** Runs `talk` with one socket: what the server hands out is good for the address it was asked from. */
const withSocket = async <T>(port: number, talk: (ask: Ask) => Promise<T>): Promise<T> => {
  const waiting = new Map<string, (answer: Answer) => void>();
  const socket = await Bun.udpSocket({
    connect: { hostname: '127.0.0.1', port },
    socket: {
      data: (_, bytes) => waiting.get(bytes.toString('hex', 8, 20))?.(parse(bytes)),
      // Nobody listens yet: the next repetition may be heard.
      error: () => {},
    },
  });
  const ask: Ask = async (type, attributes) => {
    const transaction = randomBytes(12);
    const request = message(type, transaction, attributes(transaction));
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    waiting.set(transaction.toString('hex'), resolve);
    let left = repeats;
    const send = () => {
      if (left === 0) reject(new Error(`no TURN server answers on port ${port}`));
      left -= 1;
      socket.send(request);
    };
    const timer = setInterval(send, repeat_ms);
    send();
    return promise.finally(() => clearInterval(timer));
  };
  try {
    return await talk(ask);
  } finally {
    socket.close();
  }
};

const errorOf = ({ attributes }: Answer): number => {
  const value = attributes.get(error_code);
  return value === undefined ? 0 : (value[2] ?? 0) * 100 + (value[3] ?? 0);
};

/** "127.0.0.1:49152": the address is sent mixed with the cookie. */
const addressOf = (value: Buffer): string => {
  const bytes = [...value.subarray(4, 8)].map((byte, at) => byte ^ ((cookie >>> (24 - 8 * at)) & 0xff));
  return `${bytes.join('.')}:${value.readUInt16BE(2) ^ (cookie >>> 16)}`;
};

const udp = attribute(requested_transport, Buffer.from([17, 0, 0, 0]));

/** Resolves when a STUN server answers on the port of this machine. */
export const stunAnswers = (port: number): Promise<Answer> =>
  withSocket(port, (ask) => ask(binding, () => Buffer.alloc(0)));

const signed = (challenge: Answer, { username: user, password }: Credential, type: number, body: Buffer) => {
  const realm_text = challenge.attributes.get(realm) ?? Buffer.alloc(0);
  const nonce_text = challenge.attributes.get(nonce) ?? Buffer.alloc(0);
  const key = createHash('md5').update(`${user}:${realm_text}:${password}`).digest();
  return (transaction: Buffer): Buffer => {
    const attributes = Buffer.concat([
      body,
      attribute(username, Buffer.from(user)),
      attribute(realm, realm_text),
      attribute(nonce, nonce_text),
    ]);
    // The length that is signed counts the signature in: 24 bytes.
    const text = message(type, transaction, attributes, 24);
    return Buffer.concat([attributes, attribute(integrity, createHmac('sha1', key).update(text).digest())]);
  };
};

/** Asks for a relay address with long-term credentials (RFC 8489), as a browser does. */
export const allocateRelay = (port: number, credential: Credential): Promise<Allocated> =>
  withSocket(port, async (ask) => {
    const challenge = await ask(allocate, () => udp);
    const answer = await ask(allocate, signed(challenge, credential, allocate, udp));
    if (answer.type !== allocated) return { error: errorOf(answer) };
    return { relayed: addressOf(answer.attributes.get(relayed_address) ?? Buffer.alloc(8)) };
  });

/** An address as it stands in a message, mixed with the cookie and for IPv6 with the transaction. Port 9. */
const peerOf = (address: string, transaction: Buffer): Buffer => {
  const mask = Buffer.concat([Buffer.from([0x21, 0x12, 0xa4, 0x42]), transaction]);
  const bytes = address.includes(':')
    ? address
        .split(':')
        .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff])
    : address.split('.').map(Number);
  const head = Buffer.from([0, address.includes(':') ? 2 : 1, 0, 0]);
  head.writeUInt16BE(9 ^ (cookie >>> 16), 2);
  return Buffer.concat([head, Buffer.from(bytes.map((byte, at) => byte ^ (mask[at] ?? 0)))]);
};

/** Which of the peers (IPv4, or IPv6 with all eight groups) the relay would send to: 0, or the error by which it refuses. */
export const permitPeers = (
  port: number,
  credential: Credential,
  peers: readonly string[],
): Promise<Map<string, number>> =>
  withSocket(port, async (ask) => {
    const challenge = await ask(allocate, () => udp);
    const relay = await ask(allocate, signed(challenge, credential, allocate, udp));
    if (relay.type !== allocated) throw new Error(`no relay: ${errorOf(relay)}`);
    const found = new Map<string, number>();
    for (const peer of peers) {
      const answer = await ask(create_permission, (transaction) => {
        const body = attribute(peer_address, peerOf(peer, transaction));
        return signed(challenge, credential, create_permission, body)(transaction);
      });
      found.set(peer, answer.type === permitted ? 0 : errorOf(answer));
    }
    return found;
  });
