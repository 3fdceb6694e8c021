import { type FrameShape, frame, upgradeRequest } from './raw.ts';

/** Something that RFC 6455 forbids, as bytes. */
export interface Violation {
  name: string;
  bytes: string | Buffer;
}

const pingText = '{"type":"ping","time":1}';

const request = (name: string, headers: Record<string, string | undefined>, line?: string): Violation => ({
  name,
  bytes: upgradeRequest(headers, line),
});

/** Requests that become no WebSocket. */
export const badHandshakes: readonly Violation[] = [
  request('POST', {}, 'POST / HTTP/1.1'),
  request('HTTP/2.0', {}, 'GET / HTTP/2.0'),
  request('HTTP/9.9', {}, 'GET / HTTP/9.9'),
  request('no version of HTTP', {}, 'GET /'),
  request('no path', {}, 'GET HTTP/1.1'),
  request('a lower-case method', {}, 'get / HTTP/1.1'),
  request('no Upgrade', { Upgrade: undefined }),
  request('another Upgrade', { Upgrade: 'h2c' }),
  request('no Host', { Host: undefined }),
  request('version 8', { 'Sec-WebSocket-Version': '8' }),
  request('version 99', { 'Sec-WebSocket-Version': '99' }),
  request('two versions', { 'Sec-WebSocket-Version': '13, 8' }),
  request('no version', { 'Sec-WebSocket-Version': undefined }),
  request('a key that is not base64', { 'Sec-WebSocket-Key': '!'.repeat(24) }),
  request('an empty Upgrade', { Upgrade: '' }),
  request('no key', { 'Sec-WebSocket-Key': undefined }),
  request('an empty key', { 'Sec-WebSocket-Key': '' }),
  request('a short key', { 'Sec-WebSocket-Key': 'AAAA' }),
  request('a long key', { 'Sec-WebSocket-Key': 'A'.repeat(60) }),
  request('a header without a name', { '': 'x' }),
  request('a space before the colon', { 'Upgrade ': 'websocket', Upgrade: undefined }),
  request('NUL in a header', { 'X-A': 'a\u0000b' }),
  request('headers of 100 KiB', { 'X-A': 'a'.repeat(100_000) }),
  request(
    'a thousand headers',
    Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`X-${at}`, '1'])),
  ),
  request('a path of 100 KiB', {}, `GET /${'a'.repeat(100_000)} HTTP/1.1`),
  request('a body of a length that is no number', { 'Content-Length': '-1' }),
  request('a length and chunks at once', { 'Content-Length': '4', 'Transfer-Encoding': 'chunked' }),
  { name: 'a frame instead of a request', bytes: frame(pingText) },
  { name: 'TLS instead of a request', bytes: Buffer.from('16030100a5010000a10303', 'hex') },
  { name: 'line ends without CR', bytes: upgradeRequest().replaceAll('\r\n', '\n') },
  { name: 'noise', bytes: Buffer.from(Array.from({ length: 512 }, (_, at) => (at * 197 + 91) % 256)) },
];

/** Requests that Bun forgives: they become a WebSocket like any other. */
export const forgivenHandshakes: readonly Violation[] = [
  request('HTTP/1.0', {}, 'GET / HTTP/1.0'),
  request('no Connection', { Connection: undefined }),
  request('another Connection', { Connection: 'keep-alive' }),
  request('an extension that nobody knows', { 'Sec-WebSocket-Extensions': 'permessage-deflate; nonsense' }),
  request('a subprotocol that is no token', { 'Sec-WebSocket-Protocol': 'a b, c' }),
  request('subprotocols without a name', { 'Sec-WebSocket-Protocol': ',,,' }),
];

const one = (name: string, payload: string | Uint8Array, shape: FrameShape = {}): Violation => ({
  name,
  bytes: frame(payload, shape),
});
const several = (name: string, ...frames: Buffer[]): Violation => ({ name, bytes: Buffer.concat(frames) });

const closing = (code: number, reason: string | Uint8Array = ''): Buffer => {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
};

const notUtf8 = ['ff', 'c0af', 'eda080', 'f4908080', 'e28082c3', '80', 'f8888080'];

/** Frames after which the server ends the connection. */
export const badFrames: readonly Violation[] = [
  one('an unmasked text', pingText, { masked: false }),
  one('an unmasked binary', pingText, { masked: false, opcode: 2 }),
  one('an unmasked ping', 'x', { masked: false, opcode: 9 }),
  ...[1, 2, 3, 4, 5, 6, 7].map((reserved) => one(`reserved bits ${reserved}`, pingText, { reserved })),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => one(`opcode ${opcode}`, pingText, { opcode })),
  ...[8, 9, 10].map((opcode) => one(`control frame ${opcode} in fragments`, '', { opcode, fin: false })),
  ...[8, 9, 10].map((opcode) => one(`control frame ${opcode} of 126 bytes`, 'x'.repeat(126), { opcode })),
  one('a control frame of 64 KiB', 'x'.repeat(65_536), { opcode: 9 }),
  one('a control frame with a long length', 'x', { opcode: 9, lengthBytes: 8, length: 70_000 }),
  one('a length with the highest bit', '', { lengthBytes: 8, length: 2n ** 63n }),
  one('a length of all bits', '', { lengthBytes: 8, length: 2n ** 64n - 1n }),
  one('a length of 2 GiB', 'x', { lengthBytes: 8, length: 2n ** 31n }),
  one('a length of 4 GiB', 'x', { lengthBytes: 8, length: 2n ** 32n }),
  one('a frame over the limit', 'x'.repeat(65_537)),
  one('a continuation without a start', pingText, { opcode: 0 }),
  several('an unfinished text, then another', frame('{', { fin: false }), frame(pingText)),
  several('an unfinished text, then a binary', frame('{', { fin: false }), frame('x', { opcode: 2 })),
  several(
    'a continuation after the end',
    frame('{', { fin: false }),
    frame('}', { opcode: 0 }),
    frame('x', { opcode: 0 }),
  ),
  several(
    'fragments over the limit',
    frame('x'.repeat(40_000), { fin: false }),
    frame('x'.repeat(40_000), { opcode: 0 }),
  ),
  several(
    'a thousand fragments over the limit',
    frame('x'.repeat(100), { fin: false }),
    ...Array.from({ length: 1_000 }, () => frame('x'.repeat(100), { opcode: 0, fin: false })),
  ),
  ...notUtf8.map((hex) => one(`text that is not UTF-8: ${hex}`, Buffer.from(hex, 'hex'))),
  several(
    'a character split over fragments and never finished',
    frame(Buffer.from('e282', 'hex'), { fin: false }),
    frame('', { opcode: 0 }),
  ),
  one('a close of one byte', 'x', { opcode: 8 }),
  ...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map((code) =>
    one(`a close with ${code}`, closing(code), { opcode: 8 }),
  ),
  one('a close whose reason is not UTF-8', closing(1000, Buffer.from('ff', 'hex')), { opcode: 8 }),
  several('a message after the close', frame(closing(1000), { opcode: 8 }), frame(pingText)),
];
