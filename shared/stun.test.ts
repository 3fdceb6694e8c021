import { describe, expect, test } from 'bun:test';
import {
  attributes,
  decodeStun,
  encodeStun,
  errorOf,
  isSigned,
  isSuccess,
  longTermKey,
  mixAddress,
  mixedAddress,
  otherAddress,
  requests,
} from './stun.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** RFC 5769, section 2. */
const transaction = hex('b7e7a701 bc34d686 fa87dfae');
const short_key = Buffer.from('VOkJxbRl1RmTxUk/WvJxBt');
const request = hex(`
  00010058 2112a442 b7e7a701bc34d686fa87dfae 80220010 5354554e207465737420636c69656e74 00240004 6e0001ff
  80290008 932ff9b151263b36 00060009 6576746a3a68367659202020 00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
  80280004 e57a3bcf`);
const response_4 = hex(`
  0101003c 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220 00200008 0001a147e112a643
  00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96`);
const response_6 = hex(`
  01010048 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220
  00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9 00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
  80280004 c8fb0b4c`);
const long_request = hex(`
  00010060 2112a442 78ad3433c6ad72c029da412e 00060012 e3839ee38388e383aae38383e382afe382b90000
  0015001c 662f2f3439396b39353464364f4c33346f4c39465354767936347341 0014000b 6578616d706c652e6f726700
  00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666`);
const user = '\u30de\u30c8\u30ea\u30c3\u30af\u30b9';
const long_key = longTermKey(user, 'example.org', 'TheMatrIX');

const read = (bytes: Uint8Array) => {
  const message = decodeStun(bytes);
  if (message === undefined) throw new Error('not a message');
  return message;
};

describe('decodeStun()', () => {
  test('decodeStun() reads the sample request of RFC 5769', () => {
    const message = read(request);
    expect([message.type, Buffer.from(message.transaction)]).toEqual([requests.binding, transaction]);
    expect(Buffer.from(message.attributes.get(attributes.username) ?? []).toString()).toBe('evtj:h6vY');
  });

  test('decodeStun() takes nothing that is cut, longer, of another protocol, or damaged', () => {
    for (let length = 0; length < request.length; length++) {
      expect(decodeStun(request.subarray(0, length))).toBeUndefined();
    }
    expect(decodeStun(Buffer.concat([request, Buffer.alloc(4)]))).toBeUndefined();
    // Up to the fingerprint itself, which is one attribute of many.
    for (let at = 0; at < request.length - 8; at++) {
      const damaged = Buffer.from(request);
      damaged[at] = (damaged[at] ?? 0) ^ 0x80;
      expect([at, decodeStun(damaged)]).toEqual([at, undefined]);
    }
    const long_attribute = Buffer.from(long_request);
    long_attribute.writeUInt16BE(0xffff, 22);
    expect(decodeStun(long_attribute)).toBeUndefined();
  });
});

describe('isSigned()', () => {
  test('isSigned() agrees with the samples of RFC 5769', () => {
    for (const bytes of [request, response_4, response_6]) {
      expect([isSigned(bytes, short_key), isSigned(bytes, long_key)]).toEqual([true, false]);
    }
    expect([isSigned(long_request, long_key), isSigned(long_request, short_key)]).toEqual([true, false]);
    expect(isSigned(encodeStun(requests.binding, transaction, []), short_key)).toBe(false);
  });
});

describe('encodeStun()', () => {
  test('encodeStun() writes the sample request of RFC 5769, but for its padding', () => {
    const given = [...read(request).attributes].filter(
      ([type]) => type !== attributes.integrity && type !== attributes.fingerprint,
    );
    const written = encodeStun(requests.binding, transaction, given, short_key);
    // The sample pads the name with blanks, and its signature covers them.
    expect(written.subarray(0, 69)).toEqual(request.subarray(0, 69));
    expect([written.length, isSigned(written, short_key)]).toEqual([request.length, true]);
  });

  test('encodeStun() writes long-term credentials as RFC 5769 does', () => {
    const given = [...read(long_request).attributes].filter(([type]) => type !== attributes.integrity);
    const written = encodeStun(requests.binding, read(long_request).transaction, given, long_key);
    expect(written.subarray(20, long_request.length)).toEqual(long_request.subarray(20));
    expect(isSigned(written, long_key)).toBe(true);
    expect(decodeStun(written)?.attributes.size).toBe(5);
  });
});

describe('mixedAddress()', () => {
  test('mixedAddress() unmixes what RFC 5769 gives, and mixAddress() mixes it again', () => {
    const rows = [
      [response_4, { address: '192.0.2.1', port: 32_853 }],
      [response_6, { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 }],
    ] as const;
    for (const [bytes, address] of rows) {
      const answer = read(bytes);
      expect(mixedAddress(answer, attributes.xor_mapped_address)).toEqual(address);
      expect(mixAddress(address, transaction)).toEqual(
        Buffer.from(answer.attributes.get(attributes.xor_mapped_address) ?? []),
      );
      expect(isSuccess(answer, requests.binding)).toBe(true);
      expect([isSuccess(answer, requests.allocate), otherAddress(answer)]).toEqual([false, undefined]);
    }
  });
});

test('otherAddress() is what the server says plainly', () => {
  const other = encodeStun(0x0101, transaction, [[attributes.other_address, hex('00010d97 c0000202')]]);
  expect(otherAddress(read(other))).toEqual({ address: '192.0.2.2', port: 3_479 });
  const short = encodeStun(0x0101, transaction, [[attributes.other_address, hex('00010d97 c000')]]);
  expect(otherAddress(read(short))).toBeUndefined();
});

test('errorOf() is the number and the text of a refusal', () => {
  const answer = (value: Buffer) => read(encodeStun(0x0113, transaction, [[attributes.error_code, value]]));
  expect(errorOf(answer(Buffer.concat([hex('00000401'), Buffer.from('Unauthorized')])))).toEqual({
    code: 401,
    text: 'Unauthorized',
  });
  expect([errorOf(answer(hex('0000'))), errorOf(read(request))]).toEqual([undefined, undefined]);
});
