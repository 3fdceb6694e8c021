import type { Socket } from 'node:net';
import type { Clock } from './clock.ts';
import type { Ids } from './ids.ts';
import { type Address, decodeStun, encodeStun, errorOf, isSigned, type StunMessage } from './stun.ts';
import type { Ask } from './turn-client.ts';

/** What every socket for STUN needs. */
export interface StunNeeds {
  clock: Clock;
  ids: Ids;
  /** How long an answer may take, in ms. */
  patience_ms: number;
}

export interface StunSocket {
  ask: Ask;
  close(): void;
}

/** Over UDP a request or its answer may be lost: it is repeated this often, in ms. */
const repeat_ms = 250;

interface Waiting {
  key: Uint8Array | undefined;
  resolve(answer: StunMessage): void;
  reject(error: Error): void;
}

const drawTransaction = (ids: Ids): Buffer => Buffer.from(ids.id(), 'base64url').subarray(0, 12);

/** Pairs answers with requests by their transaction, whatever carries them. */
const createPairs = ({ clock, ids, patience_ms }: StunNeeds) => {
  const waiting = new Map<string, Waiting>();
  let broken: Error | undefined;

  const fail = (error: Error) => {
    broken ??= error;
    for (const { reject } of waiting.values()) reject(broken);
  };
  const take = (bytes: Uint8Array) => {
    const answer = decodeStun(bytes);
    if (answer === undefined) return;
    const found = waiting.get(Buffer.from(answer.transaction).toString('hex'));
    if (found === undefined) return;
    const trusted = found.key === undefined || errorOf(answer) !== undefined || isSigned(bytes, found.key);
    if (trusted) found.resolve(answer);
  };
  /** Undefined for `repeat_ms`: what carries the requests loses none. */
  const asker =
    (send: (request: Uint8Array) => void, repeat_ms?: number): Ask =>
    (type, given, key) => {
      if (broken !== undefined) return Promise.reject(broken);
      const transaction = drawTransaction(ids);
      const name = transaction.toString('hex');
      const request = encodeStun(
        type,
        transaction,
        typeof given === 'function' ? given(transaction) : given,
        key,
      );
      const { promise, resolve, reject } = Promise.withResolvers<StunMessage>();
      waiting.set(name, { key, resolve, reject });
      const late = clock.after(patience_ms, () => reject(new Error(`no answer within ${patience_ms} ms`)));
      const again = repeat_ms === undefined ? () => {} : clock.every(repeat_ms, () => send(request));
      send(request);
      return promise.finally(() => {
        late();
        again();
        waiting.delete(name);
      });
    };
  return { take, asker, fail };
};

export interface UdpStun {
  /** Asks that server; one socket may ask many. */
  askOf(server: Address): Ask;
  close(): void;
}

/** A UDP socket that asks STUN servers, each by its address. */
export const openUdpStun = async (needs: StunNeeds, family: 4 | 6 = 4): Promise<UdpStun> => {
  const pairs = createPairs(needs);
  const socket = await Bun.udpSocket({
    hostname: family === 6 ? '::' : '0.0.0.0',
    port: 0,
    socket: {
      data: (_, bytes) => pairs.take(bytes),
      // "Port unreachable" of one try: the next may be heard.
      error: () => {},
    },
  });
  return {
    askOf: ({ address, port }) =>
      pairs.asker((request) => void socket.send(request, port, address), repeat_ms),
    close: () => socket.close(),
  };
};

/** Cuts what arrives on a stream into messages, each as long as its head says. */
const splitter = (take: (message: Uint8Array) => void) => {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes: Uint8Array) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 20) {
      const length = 20 + rest.readUInt16BE(2);
      if (rest.length < length) return;
      take(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  };
};

/** Speaks STUN on a connected stream, TCP or TLS, and closes it in the end. */
export const streamStun = (stream: Socket, needs: StunNeeds): StunSocket => {
  const pairs = createPairs(needs);
  stream.on('data', splitter(pairs.take));
  stream.on('error', (error) => pairs.fail(error));
  stream.on('close', () => pairs.fail(new Error('the server closed the connection')));
  return { ask: pairs.asker((request) => void stream.write(request)), close: () => stream.destroy() };
};
