import { expect, test } from 'bun:test';
import { once } from 'node:events';
import {
  type BaseMessage,
  type IMessageType,
  Logger,
  LogLevel,
  MessageHelpers,
  Messages,
  SignallingProtocol,
  WebSocketTransportNJS,
} from '@epicgames-ps/lib-pixelstreamingcommon-ue5.7';
import { z } from 'zod';
import type { Family } from '../shared/protocol/message.ts';
import {
  fromPlayer,
  fromSfu,
  fromStreamer,
  toPlayer,
  toSfu,
  toStreamer,
} from '../shared/protocol/pixel-streaming.ts';
import { samples } from '../shared/testing/samples.ts';
import type { Role } from './http/gate.ts';
import { exchanges, readExchange } from './testing/exchange.ts';
import { live } from './testing/live.ts';

Logger.InitLogging(LogLevel.Error, false);

type EpicType = IMessageType<BaseMessage>;

const isEpicType = (value: unknown): value is EpicType =>
  typeof value === 'object' && value !== null && 'typeName' in value && 'fields' in value;

const epicTypes = new Map(
  Object.values<unknown>(Messages)
    .filter(isEpicType)
    .map((type) => [type.typeName, type]),
);
const epicType = (name: string): EpicType => {
  const type = epicTypes.get(name);
  if (type === undefined) throw new Error(`Epic knows no ${name}`);
  return type;
};

/** What Epic's server adds or takes away although its description does not say so. */
const undeclared: Record<string, readonly string[]> = {
  dataChannelRequest: ['playerId'],
  peerDataChannelsReady: ['playerId'],
  streamerDataChannels: ['playerId'],
  // Ours, for our own page; and of Epic's servers of 5.2 to 5.4.
  config: ['browserSendOffer'],
  playerConnected: ['sendOffer'],
};
const takenAway: Record<string, readonly string[]> = { peerDataChannels: ['playerId'] };

const incoming: Record<Role, Family> = { player: fromPlayer, streamer: fromStreamer, sfu: fromSfu };
const outgoing: Record<Role, Family> = { player: toPlayer, streamer: toStreamer, sfu: toSfu };
const roles = ['player', 'streamer', 'sfu'] as const;

const fieldsOf = (schema: z.ZodType | undefined): string[] =>
  schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];

/** What Epic would say against a message of ours: fields missing, fields unknown. A value of another kind throws. */
const objections = (message: BaseMessage): string[] => {
  const { fields, typeName } = epicType(message.type);
  const names = fields.map(({ name }) => name);
  const missing = fields
    .filter(({ opt, name }) => opt !== true && !(name in message))
    .filter(({ name }) => takenAway[typeName]?.includes(name) !== true);
  const unknown = Object.keys(message).filter(
    (name) => !names.includes(name) && undeclared[typeName]?.includes(name) !== true,
  );
  // Epic declares 32 bits for the time, and sends milliseconds.
  const readable = 'time' in message ? { ...message, time: 1 } : message;
  epicType(typeName).fromJson(JSON.parse(JSON.stringify(readable)), { ignoreUnknownFields: true });
  return [
    ...missing.map(({ name }) => `${typeName} lacks ${name}`),
    ...unknown.map((name) => `${typeName} has ${name}, which Epic does not declare`),
  ];
};

for (const role of roles) {
  test(`epicTypes() and ours declare the same fields: to ${role}`, () => {
    for (const [name, schema] of Object.entries(outgoing[role])) {
      const declared = epicType(name).fields.map((field) => field.name);
      const expected = [...declared, ...(undeclared[name] ?? [])].sort();
      const ours = [
        ...fieldsOf(schema),
        ...(fieldsOf(schema).includes('playerId') ? [] : (takenAway[name] ?? [])),
      ];
      expect({ name, fields: ours.sort() }).toEqual({ name, fields: expected });
    }
  });

  test(`epicTypes() and ours declare the same fields: from ${role}`, () => {
    for (const [name, schema] of Object.entries(incoming[role])) {
      const declared = epicType(name).fields.map((field) => field.name);
      const ours = fieldsOf(schema).filter((field) => undeclared[name]?.includes(field) !== true);
      // `stats` is read and forgotten, whatever it holds.
      const expected = name === 'stats' ? ['type'] : declared;
      expect({ name, fields: ours.sort() }).toEqual({ name, fields: expected.toSorted() });
    }
  });
}

test('readExchange() holds every message that a player gets, and all are as Epic declares them', async () => {
  const seen = new Set<string>();
  for (const name of exchanges()) {
    for (const step of (await readExchange(name)).steps) {
      if (!('to' in step)) continue;
      const message: BaseMessage = JSON.parse(step.frame);
      if (step.role === 'player') seen.add(message.type);
      expect(objections(message)).toEqual([]);
    }
  }
  expect([...seen].sort()).toEqual(Object.keys(toPlayer).sort());
});

/** A peer made of Epic's own library; keeps what it gets. */
const epicPeer = async (url: string) => {
  const transport = new WebSocketTransportNJS();
  const protocol = new SignallingProtocol(transport);
  const got: BaseMessage[] = [];
  const waiting = new Map<string, (message: BaseMessage) => void>();
  transport.addListener('message', (message: BaseMessage) => {
    got.push(message);
    waiting.get(message.type)?.(message);
    waiting.delete(message.type);
  });
  protocol.connect(url);
  const socket = transport.webSocket;
  if (socket === undefined) throw new Error('Epic made no socket');
  await once(socket, 'open');
  const send = (name: string, params: object = {}) =>
    protocol.sendMessage(MessageHelpers.createMessage(epicType(name), params));
  /** The next message of that type after `act`. */
  const after = (type: string, act: () => void): Promise<BaseMessage> =>
    new Promise((resolve) => {
      waiting.set(type, resolve);
      act();
    });
  return {
    got,
    send,
    after,
    ping: () => after('pong', () => send('ping', { time: 1 })),
    closed: once(socket, 'close'),
    close: () => protocol.disconnect(),
  };
};

const body = (sample: Record<string, unknown>): Record<string, unknown> => {
  const { type: _, ...params } = sample;
  // Epic declares the time as 32 bits.
  return 'time' in params ? { ...params, time: 1 } : params;
};

for (const role of roles) {
  test(`createMessage() of Epic's encodes what the server takes from a ${role}`, async () => {
    await using server = await live();
    const peer = await epicPeer(server.urls[role]);
    for (const [name, sample] of Object.entries<Record<string, unknown>>(samples[role])) {
      peer.send(name, body(sample));
      // With everything unset; a candidate is a message of its own and then left out, which nobody sends.
      if (name !== 'iceCandidate') peer.send(name);
      await peer.ping();
    }
    expect(server.signalling.metrics.page(server.signalling.registry, 0)).not.toContain(
      'signalling_bad_messages_total{',
    );
    expect(peer.got.flatMap(objections)).toEqual([]);
    peer.close();
    await peer.closed;
  });
}

test('SignallingProtocol() of Epic understands all that the server sends', async () => {
  await using server = await live(['--max_players', '1']);
  const streamer = await epicPeer(server.urls.streamer);
  await streamer.after('endpointIdConfirm', () =>
    streamer.send('endpointId', { id: 'Foo', protocolVersion: '1.3.0' }),
  );
  const player = await epicPeer(server.urls.player);
  await player.after('streamerList', () => player.send('listStreamers'));
  const { playerId = '' } = await streamer.after('playerConnected', () =>
    player.send('subscribe', { streamerId: 'Foo' }),
  );
  const late = await epicPeer(server.urls.player);
  await late.after('subscribeFailed', () => late.send('subscribe', { streamerId: 'Foo' }));
  const candidate = { candidate: 'c', sdpMid: '0', sdpMLineIndex: 0 };
  await player.after('offer', () => streamer.send('offer', { sdp: 'o', playerId }));
  await player.after('answer', () => streamer.send('answer', { sdp: 'a', playerId }));
  await player.after('iceCandidate', () => streamer.send('iceCandidate', { candidate, playerId }));
  await player.after('streamerIdChanged', () =>
    streamer.send('endpointId', { id: 'Bar', protocolVersion: '1.3.0' }),
  );
  await player.ping();

  /** Everything that a player may say to whom it watches, streamer or SFU. */
  const talk = async (to: typeof streamer) => {
    await to.after('offer', () => player.send('offer', { sdp: 'o' }));
    await to.after('answer', () => player.send('answer', { sdp: 'a', minBitrateBps: 1, maxBitrateBps: 2 }));
    await to.after('iceCandidate', () => player.send('iceCandidate', { candidate }));
    await to.after('layerPreference', () => player.send('layerPreference', { spatialLayer: 1 }));
    await to.after('dataChannelRequest', () => player.send('dataChannelRequest'));
    await to.after('peerDataChannelsReady', () => player.send('peerDataChannelsReady'));
  };
  await talk(streamer);

  const sfu = await epicPeer(server.urls.sfu);
  await sfu.after('endpointIdConfirm', () => sfu.send('endpointId', { id: 'Edge' }));
  await sfu.after('streamerList', () => sfu.send('listStreamers'));
  await streamer.after('playerConnected', () => sfu.send('subscribe', { streamerId: 'Bar' }));
  await streamer.after('streamerDataChannels', () =>
    sfu.send('streamerDataChannels', { sendStreamId: 1, recvStreamId: 2 }),
  );
  await streamer.after('playerDisconnected', () => player.send('subscribe', { streamerId: 'Edge' }));
  await talk(sfu);
  await player.after('peerDataChannels', () =>
    sfu.send('peerDataChannels', { playerId, sendStreamId: 1, recvStreamId: 2 }),
  );
  await sfu.after('streamerIdChanged', () =>
    streamer.send('endpointId', { id: 'Baz', protocolVersion: '1.3.0' }),
  );

  const behind = await epicPeer(server.urls.sfu);
  await behind.after('endpointIdConfirm', () => behind.send('endpointId', { id: 'Far' }));
  const { playerId: far = '' } = await sfu.after('playerConnected', () =>
    behind.send('subscribe', { streamerId: 'Edge' }),
  );
  await sfu.after('streamerDataChannels', () =>
    behind.send('streamerDataChannels', { sendStreamId: 1, recvStreamId: 2 }),
  );
  await behind.after('peerDataChannels', () =>
    sfu.send('peerDataChannels', { playerId: far, sendStreamId: 1, recvStreamId: 2 }),
  );
  await sfu.after('playerDisconnected', () => behind.close());
  await sfu.ping();
  await streamer.ping();
  await sfu.after('streamerDisconnected', () => streamer.close());
  await player.closed;

  const types = (...peers: (typeof sfu)[]) =>
    [...new Set(peers.flatMap(({ got }) => got.map(({ type }) => type)))].sort();
  expect(types(player, late)).toEqual(Object.keys(toPlayer).sort());
  expect(types(streamer)).toEqual(Object.keys(toStreamer).sort());
  expect(types(sfu, behind)).toEqual(Object.keys(toSfu).sort());
  for (const peer of [player, late, streamer, sfu, behind]) expect(peer.got.flatMap(objections)).toEqual([]);
});
