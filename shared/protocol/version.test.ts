import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { wireProtocols, wireSchema } from '../testing/wire.ts';
import { encodeChannelFrame, PLAYER_CHANNEL_VERSION } from './player-channel.ts';
import { decodeRelayFrame, encodeRelayFrame, RELAY_FRAME_VERSION } from './relay-frame.ts';

interface Pin {
  version: string | number;
  hash: string;
}

/**
 * What is on the wire today. When a test here fails, the wire has changed: decide whether an older peer still
 * understands it. If it does not, raise the protocol's version; then write the new hash here.
 */
const pinned: Record<string, Pin> = {
  accounts: { version: 2, hash: '147cb9ddf7c2ab3d' },
  queue: { version: 2, hash: '05d132b0d988acee' },
  bookings: { version: 2, hash: '1076cac1fc2d834e' },
  'agent-link': { version: 2, hash: 'd6886cfb6ff88a01' },
  'client-verbs': { version: 1, hash: '60eb1c4005eeb028' },
  http: { version: 2, hash: '2a971a31b4064477' },
  peers: { version: 1, hash: '4f97f31d300f2a5c' },
  'pixel-streaming': { version: '1.3.0', hash: 'edb132b3de5c78b1' },
  'player-channel': { version: 1, hash: '71d2388846b34358' },
  'relay-frame': { version: 1, hash: 'e0b77520f06feead' },
  webhooks: { version: 3, hash: '0d69be0e903ff3f2' },
};

/** Pinned by the bytes that they lay out. */
const binary = ['player-channel', 'relay-frame'];

const unpinned: Pin = { version: 0, hash: '' };

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** JSON with the keys of every object sorted: the order in which a schema was written does not count. */
const stableJson = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

const protocols = await wireProtocols();

describe('wireProtocols()', () => {
  test('wireProtocols() finds exactly the protocols that are pinned', () => {
    expect(protocols.map(({ name }) => name)).toEqual(Object.keys(pinned).sort());
  });

  for (const { name, version, families, bodies } of protocols.filter(({ name }) => !binary.includes(name))) {
    test(`wireProtocols() shows ${name} as it was pinned with version ${version}`, () => {
      const wire = {
        families: Object.fromEntries(
          families.map(([direction, family]) => [
            direction,
            Object.fromEntries(
              Object.entries(family).map(([message, schema]) => [message, wireSchema(schema)]),
            ),
          ]),
        ),
        bodies: Object.fromEntries(bodies.map(([body, schema]) => [body, wireSchema(schema)])),
      };
      const found: Pin = { version, hash: hashOf(stableJson(wire)) };
      expect(found).toEqual(pinned[name] ?? unpinned);
    });
  }

  for (const { name, families } of protocols) {
    for (const [direction, family] of families) {
      test(`wireProtocols() has each message of ${name} ${direction} under its own tag`, () => {
        const tags = Object.entries(family).map(([key, schema]) => {
          const { properties = {} } = wireSchema(schema);
          const { type, verb, msg } = properties as Record<string, { const?: string }>;
          return [key, type?.const ?? verb?.const ?? msg?.const];
        });
        expect(tags).toEqual(Object.keys(family).map((key) => [key, key]));
      });
    }
  }
});

test('encodeRelayFrame() lays its bytes out as they were pinned', () => {
  const frames = [
    encodeRelayFrame({ kind: 'data', channel: 0x01020304, payload: Uint8Array.of(1, 2, 3) }),
    encodeRelayFrame({ kind: 'close', channel: 1, code: 4404, reason: 'é' }),
  ];
  expect(frames.map((bytes) => decodeRelayFrame(bytes) !== undefined)).toEqual([true, true]);
  const found: Pin = {
    version: RELAY_FRAME_VERSION,
    hash: hashOf(Buffer.concat(frames).toString('hex')),
  };
  expect(found).toEqual(pinned['relay-frame'] ?? unpinned);
});

test('encodeChannelFrame() lays its bytes out as they were pinned', () => {
  const frames = [
    encodeChannelFrame({ kind: 'open' }),
    encodeChannelFrame({ kind: 'resume', received: 0x01020304 }),
    encodeChannelFrame({ kind: 'resumed', received: 2 }),
    encodeChannelFrame({ kind: 'data', seq: 0x01020304, ack: 3, text: 'é' }),
    encodeChannelFrame({ kind: 'ack', ack: 4 }),
    encodeChannelFrame({ kind: 'ping', ack: 5 }),
    encodeChannelFrame({ kind: 'end', code: 4404, reason: 'é' }),
  ];
  const found: Pin = {
    version: PLAYER_CHANNEL_VERSION,
    hash: hashOf(Buffer.concat(frames).toString('hex')),
  };
  expect(found).toEqual(pinned['player-channel'] ?? unpinned);
});
