import { expect, test } from 'bun:test';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { signAdmission } from '../shared/admission.ts';
import { fakeClock } from '../shared/testing/clock.ts';
import { connect, live } from './testing/live.ts';
import { rawSocket } from './testing/raw.ts';

const config = '{"type":"config","peerConnectionOptions":{},"protocolVersion":"1.3.0"}';

test('connect() greets each role as Epic does', async () => {
  await using server = await live();
  const player = await server.player('any/path?x=1');
  expect(await player.text()).toBe(config);
  for (const url of [server.urls.streamer, server.urls.sfu]) {
    const other = await connect(url);
    expect(await other.text()).toBe('{"type":"identify"}');
    expect(await other.text()).toBe(config);
  }
});

test('connect() carries a negotiation from subscribe to candidate', async () => {
  await using server = await live();
  const streamer = await server.streamer('Foo');
  const player = await server.player();
  await player.text();
  player.send({ type: 'listStreamers' });
  expect(await player.text()).toBe('{"type":"streamerList","ids":["Foo"]}');
  player.send({ type: 'subscribe', streamerId: 'Foo' });
  expect(await streamer.text()).toBe(
    '{"type":"playerConnected","dataChannel":true,"sfu":false,"playerId":"2"}',
  );
  streamer.send('{"playerId":2,"x":1,"sdp":"o","type":"offer"}');
  expect(await player.text()).toBe('{"type":"offer","sdp":"o","playerId":"2","x":1}');
  player.send({ type: 'answer', sdp: 'a', minBitrateBps: 0, maxBitrateBps: 0 });
  expect(await streamer.text()).toBe(
    '{"type":"answer","sdp":"a","minBitrateBps":0,"maxBitrateBps":0,"playerId":"2"}',
  );
  const candidate = { candidate: 'c', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'u' };
  streamer.send({ type: 'iceCandidate', playerId: '2', candidate });
  expect(await player.json()).toEqual({ type: 'iceCandidate', candidate, playerId: '2' });
});

test('connect() closes players when their streamer goes', async () => {
  await using server = await live();
  const streamer = await server.streamer('Foo');
  const player = await server.player();
  player.send({ type: 'subscribe', streamerId: 'Foo' });
  await streamer.text();
  streamer.close();
  expect(await player.closed).toEqual({ code: 1000, reason: '' });
});

test('connect() tells the streamer when a player goes', async () => {
  await using server = await live();
  const streamer = await server.streamer('Foo');
  const player = await server.player();
  player.send({ type: 'subscribe', streamerId: 'Foo' });
  await streamer.text();
  player.close();
  expect(await streamer.text()).toBe('{"type":"playerDisconnected","playerId":"2"}');
});

test('connect() tells streamers, connected and to come, the ICE servers that an admission brings for them', async () => {
  const secret = 'a-secret-for-tests-only';
  await using server = await live([], { env: { SIGNALLING_ADMISSION_SECRET: secret } });
  const streamer = await server.streamer('Foo');
  const ours = [{ urls: ['stun:ours.example'] }];
  const admission = { participant: 'agent', ice_servers: [], streamer_ice_servers: ours };
  const token = signAdmission({ ...admission, expires: Date.now() + 60_000 }, secret);
  const player = await server.player(`?token=${token}`);
  expect((await player.json()).peerConnectionOptions).toEqual({ iceServers: [] });
  const message = await streamer.json();
  expect(message).toMatchObject({ type: 'config', peerConnectionOptions: { iceServers: ours } });
  const late = await connect(server.urls.streamer);
  await late.text();
  expect((await late.json()).peerConnectionOptions).toEqual({ iceServers: ours });
});

test('connect() takes UTF-8 in binary frames, and answers a ping with its time', async () => {
  await using server = await live();
  const player = await server.player();
  await player.text();
  player.send(new TextEncoder().encode('{"type":"ping","time":1700000000000}'));
  expect(await player.text()).toBe('{"type":"pong","time":1700000000000}');
  player.send({ type: 'ping' });
  expect(await player.text()).toBe('{"type":"pong","time":0}');
});

test('connect() closes with 1011 and a reason cut to 123 bytes on disconnectPlayer', async () => {
  await using server = await live();
  const streamer = await server.streamer('Foo');
  const player = await server.player();
  player.send({ type: 'subscribe', streamerId: 'Foo' });
  await streamer.text();
  streamer.send({ type: 'disconnectPlayer', playerId: '2', reason: 'ы'.repeat(200) });
  expect(await player.closed).toEqual({ code: 1011, reason: 'ы'.repeat(61) });
  expect(await streamer.text()).toBe('{"type":"playerDisconnected","playerId":"2"}');
});

test('connect() survives what is no message and closes after the budget', async () => {
  await using server = await live();
  const player = await server.player();
  await player.text();
  for (const bad of [
    'null',
    '[]',
    '1',
    '"x"',
    '{',
    '{"type":1}',
    '{"type":"nope"}',
    '{"type":"subscribe"}',
  ]) {
    player.send(bad);
  }
  player.send({ type: 'ping', time: 1 });
  expect(await player.text()).toBe('{"type":"pong","time":1}');
  for (let i = 0; i < 13; i++) player.send('null');
  expect((await player.closed).code).toBe(1008);
});

test('connect() closes a flood and a frame over the limit', async () => {
  await using server = await live(['--max_frame_bytes', '2048', '--max_messages_per_second', '5']);
  const flood = await server.player();
  for (let i = 0; i < 60; i++) flood.send('{"type":"ping"}');
  expect((await flood.closed).code).toBe(1008);
  const large = await server.player();
  large.send({ type: 'subscribe', streamerId: 'x'.repeat(3_000) });
  // Bun resets the connection instead of sending 1009 when the frame's header already says too much.
  expect([1006, 1009]).toContain((await large.closed).code);
});

test('live() gives up a peer that does not answer pings, within fifteen seconds', async () => {
  const clock = fakeClock();
  await using server = await live([], { clock });
  const streamer = await server.streamer('Foo');
  const { hostname, port } = new URL(server.urls.player);
  const upgrade = [
    'GET / HTTP/1.1',
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
  ];
  const silent = createConnection({ host: hostname, port: Number(port) });
  silent.write(`${[...upgrade, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='].join('\r\n')}\r\n\r\n`);
  await once(silent, 'data');
  const gone = once(silent, 'close');
  silent.resume();
  for (let second = 0; second < 15; second += 3) {
    clock.advance(3_000);
    // The streamer's answer to this shows that its pong has been heard as well.
    streamer.send({ type: 'ping', time: second });
    expect(await streamer.json()).toEqual({ type: 'pong', time: second });
  }
  await gone;
  expect(server.signalling.registry.streamers.size).toBe(1);
  expect(server.signalling.registry.players.size).toBe(0);
});

test('stop() closes everybody so that pages come back', async () => {
  await using server = await live();
  const player = await server.player();
  await player.text();
  server.signalling.stop();
  expect((await player.closed).code).toBe(1012);
});

test('connect() is given a config with the ICE servers of the admission', async () => {
  const secret = 's';
  await using server = await live(['--peer_options', '{"iceTransportPolicy":"relay"}'], {
    env: { SIGNALLING_ADMISSION_SECRET: secret },
  });
  const ice_servers = [{ urls: ['stun:stun.example.org'] }];
  const token = signAdmission({ participant: 'p', ice_servers, expires: Date.now() + 60_000 }, secret);
  const player = await server.player(`?token=${token}`);
  expect((await player.json()).peerConnectionOptions).toEqual({
    iceTransportPolicy: 'relay',
    iceServers: ice_servers,
  });
});

test('connect() is given a TURN credential of its own for each connection', async () => {
  await using server = await live([
    '--turn_urls',
    'turn:t.example.org:3478,turns:t.example.org',
    '--turn_secret',
    'k',
  ]);
  const urls = ['turn:t.example.org:3478', 'turns:t.example.org'];
  const usernames = new Set<string>();
  for (let i = 0; i < 2; i++) {
    const { peerConnectionOptions } = await (await server.player()).json();
    const [turn] = (peerConnectionOptions as { iceServers: { username: string; credential: string }[] })
      .iceServers;
    const username = turn?.username ?? '';
    expect(turn).toEqual({
      urls,
      username,
      credential: createHmac('sha1', 'k').update(username).digest('base64'),
    } as typeof turn);
    expect(Number(username.split(':')[0])).toBeGreaterThan(Date.now() / 1_000 + 3_500);
    usernames.add(username);
  }
  expect(usernames.size).toBe(2);
});

/** Who is still there of a player and a streamer that never answer a ping, after so many milliseconds of silence. */
const outlive = async (ms: number, ...args: string[]): Promise<string[]> => {
  const clock = fakeClock();
  await using server = await live(args, { clock });
  const sockets = await Promise.all(
    [server.urls.player, server.urls.streamer].map((url) => rawSocket(Number(new URL(url).port))),
  );
  try {
    clock.advance(ms);
    const { players, streamers } = server.signalling.registry;
    return [...(players.size > 0 ? ['player'] : []), ...(streamers.size > 0 ? ['streamer'] : [])];
  } finally {
    for (const { socket } of sockets) socket.destroy();
  }
};

test('live() gives players the silence of --player_keepalive_timeout, others that of --keepalive_seconds', async () => {
  expect(await outlive(3_000)).toEqual(['player', 'streamer']);
  expect(await outlive(3_000, '--player_keepalive_timeout', '2500')).toEqual(['streamer']);
  expect(await outlive(60_000)).toEqual([]);
  expect(await outlive(60_000, '--player_keepalive_timeout', '0')).toEqual(['player']);
  expect(await outlive(60_000, '--player_keepalive_timeout', '120000')).toEqual(['player']);
});
