import { createConnection, type Socket } from 'node:net';
import { systemClock } from '../../shared/clock.ts';

const patience_ms = 30_000;
const key = 'dGhlIHNhbXBsZSBub25jZQ==';

/** A TCP connection that speaks WebSocket only as well as it is told to. */
export interface Raw {
  socket: Socket;
  /** All that came so far. */
  received(): Buffer;
  write(bytes: string | Uint8Array): void;
  /** Resolves when so many bytes have come, or the connection has ended. */
  until(bytes: number): Promise<Buffer>;
  /** Resolves when the server has ended the connection. */
  ended: Promise<void>;
  open: boolean;
}

/** Connects. The caller destroys the socket. */
export const raw = (port: number): Promise<Raw> =>
  new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    const chunks: Buffer[] = [];
    const ended = Promise.withResolvers<void>();
    const client: Raw = {
      socket,
      open: true,
      received: () => Buffer.concat(chunks),
      write: (bytes) => void (client.open && socket.write(bytes)),
      until: (bytes) =>
        new Promise((enough, never) => {
          const settle = (run: () => void) => {
            socket.off('data', look);
            cancel();
            run();
          };
          const look = () => {
            if (client.received().length >= bytes || !client.open) settle(() => enough(client.received()));
          };
          const cancel = systemClock.after(patience_ms, () =>
            settle(() => never(new Error(`waited too long for ${bytes} bytes`))),
          );
          socket.on('data', look);
          ended.promise.then(look);
          look();
        }),
      ended: ended.promise,
    };
    const over = () => {
      client.open = false;
      ended.resolve();
    };
    socket.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
    socket.on('end', over);
    socket.on('close', over);
    socket.once('connect', () => resolve(client));
    socket.on('error', (error) => {
      reject(error);
      over();
    });
  });

/** A request to become a WebSocket; lines of `headers` replace those of the same name, undefined removes one. */
export const upgradeRequest = (
  headers: Record<string, string | undefined> = {},
  line = 'GET / HTTP/1.1',
): string => {
  const all: Record<string, string | undefined> = {
    Host: '127.0.0.1',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': key,
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return `${[line, ...lines].join('\r\n')}\r\n\r\n`;
};

export interface FrameShape {
  opcode?: number;
  fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  reserved?: number;
  masked?: boolean;
  /** What the header says instead of the payload's true length. */
  length?: number | bigint;
  /** How many bytes the length takes: 1, 2 or 8; the shortest if left out. */
  lengthBytes?: 1 | 2 | 8;
}

const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);

/** A frame, correct but for what the shape says. */
export const frame = (payload: string | Uint8Array, shape: FrameShape = {}): Buffer => {
  const { opcode = 1, fin = true, reserved = 0, masked = true } = shape;
  const data = Buffer.from(payload);
  const length = BigInt(shape.length ?? data.length);
  const bytes = shape.lengthBytes ?? (length < 126n ? 1 : length < 65_536n ? 2 : 8);
  const code = bytes === 1 ? Number(length) : bytes === 2 ? 126 : 127;
  const head = Buffer.from([(fin ? 0x80 : 0) | (reserved << 4) | opcode, (masked ? 0x80 : 0) | code]);
  const extended = Buffer.alloc(bytes === 1 ? 0 : bytes);
  if (bytes === 2) extended.writeUInt16BE(Number(length));
  if (bytes === 8) extended.writeBigUInt64BE(length);
  if (!masked) return Buffer.concat([head, extended, data]);
  const hidden = data.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([head, extended, mask, hidden]);
};

/** A connection that has become a WebSocket and has read its greeting. */
export const rawSocket = async (
  port: number,
  request: string | Uint8Array = upgradeRequest(),
): Promise<Raw> => {
  const client = await raw(port);
  client.write(request);
  while (client.open && !client.received().includes('protocolVersion')) {
    await client.until(client.received().length + 1);
  }
  return client;
};
