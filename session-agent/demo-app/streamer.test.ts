import { afterEach, expect, test } from 'bun:test';
import { silentLog } from '../../shared/log.ts';
import { type FakeClock, fakeClock } from '../../shared/testing/clock.ts';
import { type Players, type Streamer, startStreamer } from './streamer.ts';
import { createInbox, fakeSignalling } from './testing/page.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const start = async (neverRegister = false, engine?: '4.27' | '5.0') => {
  const signalling = fakeSignalling();
  const clock = fakeClock();
  const events = createInbox<unknown[]>();
  const note =
    (name: string) =>
    (...values: unknown[]) =>
      events.push([name, ...values]);
  const players: Players = {
    registered: note('registered'),
    connected: note('connected'),
    disconnected: note('disconnected'),
    answered: note('answered'),
    candidate: note('candidate'),
    lost: note('lost'),
  };
  const connected = signalling.connections.next(() => true, 'the connection');
  const streamer: Streamer = startStreamer({
    url: signalling.url,
    streamerId: 'App',
    neverRegister,
    engine,
    players,
    clock,
    log: silentLog,
  });
  stops.push(streamer.stop, signalling.stop);
  await connected;
  return { signalling, clock, events, streamer };
};
const endpointId = (m: { type: string }) => m.type === 'endpointId';
const config = { type: 'config', peerConnectionOptions: { iceServers: [] }, protocolVersion: '1.3.0' };

test.each([
  ['identify first', [{ type: 'identify' }, config]],
  ['config first', [config, { type: 'identify' }]],
])('startStreamer() registers whichever comes first: %s', async (_, messages) => {
  const { signalling, events } = await start();
  const identified = signalling.inbox.next(endpointId, 'endpointId');
  for (const message of messages) signalling.send(message);
  expect(await identified).toMatchObject({ id: 'App', protocolVersion: '1.3.0' });
  const registered = events.next(([name]) => name === 'registered', 'registered');
  signalling.send({ type: 'endpointIdConfirm', committedId: 'App1' });
  expect(await registered).toEqual(['registered', 'App1']);
  const connected = events.next(([name]) => name === 'connected', 'connected');
  signalling.send({ type: 'playerConnected', playerId: '7', dataChannel: true, sfu: false });
  expect(await connected).toEqual(['connected', '7', { iceServers: [] }]);
});

test('startStreamer() takes an offer of the page in place of an announcement, and none where it is told not to', async () => {
  const { signalling, events } = await start();
  const connected = events.next(([name]) => name === 'connected', 'connected');
  signalling.send(config);
  signalling.send({
    type: 'playerConnected',
    playerId: '7',
    dataChannel: true,
    sfu: false,
    sendOffer: false,
  });
  signalling.send({ type: 'offer', playerId: '7', sdp: 'x' });
  expect(await connected).toEqual(['connected', '7', { iceServers: [] }, 'x']);
});

test.each([
  ['4.27', 'playerConnected'],
  ['4.27', 'endpointIdConfirm'],
  ['5.0', 'endpointIdConfirm'],
  ['5.0', 'layerPreference'],
] as const)('startStreamer() speaks as %s does, and closes on %s', async (engine, type) => {
  const { signalling, clock, events, streamer } = await start(false, engine);
  const identified = signalling.inbox.next(endpointId, 'endpointId');
  signalling.send({ type: 'identify' });
  expect(await identified).toEqual({ type: 'endpointId', id: 'App' });
  expect(events.seen).toEqual([['registered', 'App']]);
  const answer = signalling.inbox.next((m) => m.type === 'answer', 'the answer');
  streamer.send({ type: 'answer', sdp: 'x', playerId: '7' });
  expect(await answer).toEqual({ type: 'answer', sdp: 'x', playerId: 7 });
  const lost = events.next(([name]) => name === 'lost', 'the loss');
  signalling.send({ type, playerId: '7', committedId: 'App' });
  await lost;
  const again = signalling.connections.next(() => true, 'another connection');
  clock.advance(500);
  await again;
});

test('startStreamer() keeps its socket whatever the server says', async () => {
  const { signalling, events } = await start();
  for (let i = 0; i < 60; i++) {
    for (const odd of ['null', '[]', 'no json', '7', '{}', { type: 'playerCount', count: i }])
      signalling.send(odd);
    signalling.send({ type: 'playerConnected' });
  }
  const gone = events.next(([name]) => name === 'disconnected', 'disconnected');
  signalling.send({ type: 'playerDisconnected', playerId: '7' });
  expect(await gone).toEqual(['disconnected', '7']);
  expect(events.seen).toHaveLength(1);
});

/** The next ping. The server may know of the connection before the app does, so time goes on until one comes. */
const pinged = async ({ inbox }: Awaited<ReturnType<typeof start>>['signalling'], clock: FakeClock) => {
  const ping = inbox.next((m) => m.type === 'ping', 'a ping');
  const passing = setInterval(() => clock.advance(30_000), 20);
  return await ping.finally(() => clearInterval(passing));
};

test('startStreamer() says nothing of itself when told never to register', async () => {
  const { signalling, clock } = await start(true);
  signalling.send({ type: 'identify' });
  await pinged(signalling, clock);
  expect(signalling.inbox.seen.filter(endpointId)).toEqual([]);
});

test('startStreamer() pings every 30 s and comes back 0.5 s after a lost socket', async () => {
  const { signalling, clock, events } = await start();
  const { time } = await pinged(signalling, clock);
  expect((Number(time) - Date.UTC(2026, 0, 1)) % 30_000).toBe(0);

  const lost = events.next(([name]) => name === 'lost', 'the loss');
  signalling.cut();
  await lost;
  const again = signalling.connections.next(() => true, 'the second connection');
  clock.advance(500);
  await again;
  const identified = signalling.inbox.next(endpointId, 'endpointId');
  signalling.send({ type: 'identify' });
  expect(await identified).toMatchObject({ id: 'App' });
});

test('startStreamer() leaves no timer and no socket after stop()', async () => {
  const { clock, streamer } = await start();
  streamer.stop();
  streamer.stop();
  clock.advance(60_000);
  expect(clock.pending()).toBe(0);
});
