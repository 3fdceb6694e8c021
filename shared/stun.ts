import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Messages of STUN (RFC 8489) and TURN (RFC 8656) as bytes: what a client needs to ask for its address and for a relay. */

/** Requests by their type; the answer's type tells how it went: see `isSuccess`. */
export const requests = { binding: 0x0001, allocate: 0x0003, refresh: 0x0004, create_permission: 0x0008 };

export const attributes = {
  username: 0x0006,
  integrity: 0x0008,
  error_code: 0x0009,
  lifetime: 0x000d,
  xor_peer_address: 0x0012,
  realm: 0x0014,
  nonce: 0x0015,
  xor_relayed_address: 0x0016,
  requested_transport: 0x0019,
  xor_mapped_address: 0x0020,
  fingerprint: 0x8028,
  other_address: 0x802c,
};

export type StunAttribute = readonly [type: number, value: Uint8Array];

export interface StunMessage {
  readonly type: number;
  /** 12 bytes. */
  readonly transaction: Uint8Array;
  /** The first of each type. */
  readonly attributes: ReadonlyMap<number, Uint8Array>;
}

export interface Address {
  /** IPv4, or IPv6 with all eight groups. */
  readonly address: string;
  readonly port: number;
}

const head_bytes = 20;
const cookie = Buffer.from([0x21, 0x12, 0xa4, 0x42]);
const fingerprint_mask = 0x5354554e;
const integrity_bytes = 24;
const fingerprint_bytes = 8;

const encodeAttribute = ([type, value]: StunAttribute): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
};

/** What is signed counts the signature's own bytes into the length. */
const withLength = (bytes: Uint8Array, length: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy.writeUInt16BE(length - head_bytes, 2);
  return copy;
};

const integrityOf = (before: Uint8Array, key: Uint8Array): Buffer =>
  createHmac('sha1', key)
    .update(withLength(before, before.length + integrity_bytes))
    .digest();

const fingerprintOf = (before: Uint8Array): Buffer => {
  const value = Buffer.alloc(4);
  const sum = crc32(withLength(before, before.length + fingerprint_bytes));
  value.writeUInt32BE((sum ^ fingerprint_mask) >>> 0);
  return value;
};

/** A message with a fingerprint, and signed before that when there is a key. */
export const encodeStun = (
  type: number,
  transaction: Uint8Array,
  given: readonly StunAttribute[],
  key?: Uint8Array,
): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  const plain = Buffer.concat([head, cookie, transaction, ...given.map(encodeAttribute)]);
  const signed =
    key === undefined
      ? plain
      : Buffer.concat([plain, encodeAttribute([attributes.integrity, integrityOf(plain, key)])]);
  const whole = Buffer.concat([signed, encodeAttribute([attributes.fingerprint, fingerprintOf(signed)])]);
  return withLength(whole, whole.length);
};

/** Each attribute with where it begins; undefined when the bytes are no STUN message. */
const walk = (bytes: Uint8Array): { type: number; value: Buffer; at: number }[] | undefined => {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (all.length < head_bytes || !all.subarray(4, 8).equals(cookie)) return undefined;
  if (all.readUInt16BE(0) >= 0x4000 || all.readUInt16BE(2) !== all.length - head_bytes) return undefined;
  const found: { type: number; value: Buffer; at: number }[] = [];
  for (let at = head_bytes; at < all.length; ) {
    if (at + 4 > all.length) return undefined;
    const end = at + 4 + all.readUInt16BE(at + 2);
    if (end > all.length) return undefined;
    found.push({ type: all.readUInt16BE(at), value: all.subarray(at + 4, end), at });
    at = end + ((4 - (end % 4)) % 4);
  }
  return found;
};

/** The message, or undefined for bytes that are none, or whose fingerprint is wrong. */
export const decodeStun = (bytes: Uint8Array): StunMessage | undefined => {
  const found = walk(bytes);
  if (found === undefined) return undefined;
  const mark = found.find(({ type }) => type === attributes.fingerprint);
  if (mark !== undefined && !mark.value.equals(fingerprintOf(bytes.subarray(0, mark.at)))) return undefined;
  const first = new Map<number, Uint8Array>();
  for (const { type, value } of found) if (!first.has(type)) first.set(type, value);
  const [high = 0, low = 0] = bytes;
  return { type: high * 256 + low, transaction: bytes.subarray(8, head_bytes), attributes: first };
};

/** Whether the message is signed with this key. */
export const isSigned = (bytes: Uint8Array, key: Uint8Array): boolean => {
  const mark = walk(bytes)?.find(({ type }) => type === attributes.integrity);
  if (mark === undefined || mark.value.length !== integrity_bytes - 4) return false;
  return timingSafeEqual(mark.value, integrityOf(bytes.subarray(0, mark.at), key));
};

/** The key of long-term credentials. */
export const longTermKey = (username: string, realm: string, password: string): Buffer =>
  createHash('md5').update(`${username}:${realm}:${password}`).digest();

export const isSuccess = (answer: StunMessage, request: number): boolean =>
  answer.type === (request | 0x0100);

/** The server's "no": its number, and what it says about it. */
export const errorOf = ({ attributes: given }: StunMessage): { code: number; text: string } | undefined => {
  const value = given.get(attributes.error_code);
  if (value === undefined || value.length < 4) return undefined;
  const text = new TextDecoder().decode(value.subarray(4)).replace(/\p{Cc}/gu, '');
  return { code: ((value[2] ?? 0) & 7) * 100 + (value[3] ?? 0), text: text.slice(0, 100) };
};

/** Addresses travel mixed with the cookie, IPv6 with the transaction too, so that no router changes them. */
const maskOf = (transaction: Uint8Array): Buffer => Buffer.concat([cookie, transaction]);

const formatAddress = (bytes: readonly number[]): string =>
  bytes.length === 4
    ? bytes.join('.')
    : Array.from({ length: 8 }, (_, i) =>
        ((bytes[2 * i] ?? 0) * 256 + (bytes[2 * i + 1] ?? 0)).toString(16),
      ).join(':');

const readAddress = (value: Uint8Array | undefined, mask: Uint8Array): Address | undefined => {
  if (value === undefined || value.length !== (value[1] === 2 ? head_bytes : 8)) return undefined;
  const port = ((value[2] ?? 0) ^ (mask[0] ?? 0)) * 256 + ((value[3] ?? 0) ^ (mask[1] ?? 0));
  const bytes = Array.from(value.subarray(4), (byte, at) => byte ^ (mask[at] ?? 0));
  return { address: formatAddress(bytes), port };
};

/** An attribute of the answer that holds an address in the mixed form; undefined when there is none. */
export const mixedAddress = (answer: StunMessage, type: number): Address | undefined =>
  readAddress(answer.attributes.get(type), maskOf(answer.transaction));

/** The server's other address, of RFC 5780; undefined when it has none. */
export const otherAddress = (answer: StunMessage): Address | undefined =>
  readAddress(answer.attributes.get(attributes.other_address), Buffer.alloc(16));

/** The value of an attribute that names a peer. */
export const mixAddress = ({ address, port }: Address, transaction: Uint8Array): Buffer => {
  const mask = maskOf(transaction);
  const six = address.includes(':');
  const bytes = six
    ? address.split(':').flatMap((group) => {
        const number = Number.parseInt(group, 16);
        return [number >> 8, number & 0xff];
      })
    : address.split('.').map(Number);
  const head = Buffer.from([0, six ? 2 : 1, 0, 0]);
  head.writeUInt16BE(port ^ mask.readUInt16BE(0), 2);
  return Buffer.concat([head, Buffer.from(bytes.map((byte, at) => byte ^ (mask[at] ?? 0)))]);
};
