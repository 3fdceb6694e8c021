import { expect, test } from 'bun:test';
import { type Live, live } from '../testing/live.ts';
import { apiDefinition } from './rest.ts';

const api = async (server: Live, path: string) => {
  const response = await fetch(`${server.urls.http}api/${path}`);
  return { status: response.status, body: JSON.parse(await response.text()) };
};

test('live() REST tells who is there as Epic does', async () => {
  await using server = await live(['--rest_api']);
  expect((await api(server, 'streamers/Foo')).status).toBe(404);
  const streamer = await server.streamer('Foo');
  const player = await server.player();
  player.send({ type: 'subscribe', streamerId: 'Foo' });
  await streamer.text();
  const viewer = { playerId: '2', type: 'Player', subscribedTo: 'Foo', remoteAddress: '127.0.0.1' };
  const foo = {
    streamerId: 'Foo',
    type: 'Streamer',
    streaming: true,
    remoteAddress: '127.0.0.1',
    subscribers: [viewer],
  };
  expect(await api(server, 'streamers/Foo')).toEqual({ status: 200, body: foo });
  expect(await api(server, 'streamers')).toEqual({ status: 200, body: [foo] });
  expect(await api(server, 'players/2')).toEqual({ status: 200, body: viewer });
  expect(await api(server, 'players')).toEqual({ status: 200, body: [viewer] });
  expect(await api(server, 'status')).toMatchObject({
    body: { uptime: expect.any(Number), streamer_count: 1, player_count: 1, version: '3.0.0' },
  });
});

test('live() REST says what it does not know', async () => {
  await using server = await live(['--rest_api']);
  expect(await api(server, 'streamers/a%20b')).toEqual({
    status: 404,
    body: { message: 'No streamer id matches a b.' },
  });
  expect(await api(server, 'players/__proto__')).toEqual({
    status: 404,
    body: { message: 'No player ID matches __proto__.' },
  });
  for (const path of ['constructor', 'status/1', '', 'streamers/%ff/x']) {
    expect((await fetch(`${server.urls.http}api/${path}`)).status).toBe(404);
  }
});

test('live() REST gives no secret away', async () => {
  const peer = '{"iceServers":[{"urls":["turn:t.example"],"username":"u53r","credential":"cr3d"}]}';
  const secrets = [
    '--player_token',
    't0ken',
    '--turn_urls',
    'turn:t.example.org',
    '--turn_secret',
    's3cret',
    '--peer_options',
    peer,
  ];
  await using server = await live(['--rest_api', ...secrets]);
  const { body } = await api(server, 'config');
  const text = JSON.stringify(body);
  for (const secret of ['t0ken', 's3cret', 'u53r', 'cr3d']) expect(text).not.toContain(secret);
  expect(body.protocolConfig).toEqual({
    protocolVersion: '1.3.0',
    peerConnectionOptions: { iceServers: [{ urls: ['turn:t.example'] }] },
  });
});

test('apiDefinition() describes every route', async () => {
  await using server = await live(['--rest_api']);
  expect((await api(server, 'api-definition')).body).toEqual(JSON.parse(JSON.stringify(apiDefinition())));
  expect(Object.keys(apiDefinition().paths)).toHaveLength(6);
});
