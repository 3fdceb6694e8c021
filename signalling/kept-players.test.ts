import { expect, setDefaultTimeout, test } from 'bun:test';
import { channel_limits } from '../shared/channel-state.ts';
import { errors } from '../shared/errors.ts';
import { PLAYER_ANSWERED } from '../shared/protocol/player-channel.ts';
import { fakeClock } from '../shared/testing/clock.ts';
import { createKeptPlayers } from './kept-players.ts';
import { connect, type Live, live } from './testing/live.ts';
import { admitted, numberedPage, secret } from './testing/numbered-page.ts';

setDefaultTimeout(60_000);
const env = { SIGNALLING_ADMISSION_SECRET: secret };
const resumable = 'abcdefghijklmnopqrstuv';

/** A page that watches, over an admission of that kind, and its streamer, which has offered. */
const watching = async (server: Live, admission: object = {}) => {
  const streamer = await server.streamer('Foo');
  const page = numberedPage();
  const url = () => `${server.urls.player}${admitted({ resumable, ...admission })}`;
  await page.dial(url());
  page.say({ type: 'subscribe', streamerId: 'Foo' });
  const { playerId } = await streamer.until('playerConnected');
  streamer.send({ type: 'offer', sdp: 'offer', playerId });
  await page.hear('offer');
  return { streamer, page, playerId, url };
};

test('createKeptPlayers() keeps a player whose socket broke: nothing is lost, and its streamer notices nothing', async () => {
  await using server = await live([], { env });
  const { streamer, page, playerId, url } = await watching(server);
  for (let round = 0; round < 5; round++) {
    page.cut();
    page.say({ type: 'answer', sdp: `page ${round}` });
    const candidate = { candidate: `host ${round}`, sdpMid: '0', sdpMLineIndex: 0 };
    streamer.send({ type: 'iceCandidate', playerId, candidate });
    await page.dial(url());
    expect(await page.hear('iceCandidate')).toMatchObject({ candidate });
    // A disconnection would have come before it.
    expect(await streamer.json()).toMatchObject({ type: 'answer', sdp: `page ${round}`, playerId });
  }
  expect(server.signalling.connections()).toBe(2);
});

test('createKeptPlayers() tells the streamer when a page has not come back within player_grace_seconds', async () => {
  const clock = fakeClock();
  await using server = await live(['--player_grace_seconds', '20', '--keepalive_seconds', '3600'], {
    env,
    clock,
  });
  const streamer = await server.streamer('Foo');
  const page = numberedPage();
  await page.dial(`${server.urls.player}${admitted({ resumable }, clock)}`);
  page.say({ type: 'subscribe', streamerId: 'Foo' });
  const { playerId } = await streamer.until('playerConnected');
  page.cut();
  // Its next socket is there when the first one is known to be gone.
  const other = await server.player(admitted({ participant: 'q' }, clock));
  await other.until('config');
  clock.advance(19_000);
  other.send({ type: 'subscribe', streamerId: 'Foo' });
  expect(await streamer.json()).toMatchObject({ type: 'playerConnected' });
  clock.advance(20_000);
  expect(await streamer.until('playerDisconnected')).toMatchObject({ playerId });
  await page.dial(`${server.urls.player}${admitted({ resumable }, clock)}`);
  expect(await page.over).toBe(errors.channel_lost.close);
});

for (const [who, other] of Object.entries({
  'another participant': { participant: 'q' },
  'another name': { resumable: 'vutsrqponmlkjihgfedcba' },
  'other rights': { view_only: true },
})) {
  test(`createKeptPlayers() gives a player to nobody with ${who}`, async () => {
    await using server = await live([], { env });
    const { page } = await watching(server);
    page.cut();
    await page.dial(`${server.urls.player}${admitted({ resumable, ...other })}`);
    expect(await page.over).toBe(errors.channel_lost.close);
  });
}

test('createKeptPlayers() lets a player without a name go with its socket', async () => {
  await using server = await live([], { env });
  const streamer = await server.streamer('Foo');
  const player = await server.player(admitted({}));
  player.send({ type: 'subscribe', streamerId: 'Foo' });
  const { playerId } = await streamer.until('playerConnected');
  player.close();
  expect(await streamer.json()).toMatchObject({ type: 'playerDisconnected', playerId });
});

test('createKeptPlayers() ends the players of who was dismissed, one that waits for its page, too', async () => {
  await using server = await live([], { env });
  const { streamer, page, playerId, url } = await watching(server);
  const stays = numberedPage();
  await stays.dial(`${server.urls.player}${admitted({ participant: 'q', resumable })}`);
  page.cut();
  const agent = await server.player(admitted({ participant: 'observer', dismissed: 'p' }));
  await agent.until('config');
  expect(await streamer.json()).toMatchObject({ type: 'playerDisconnected', playerId });
  await page.dial(url());
  expect(await page.over).toBe(errors.channel_lost.close);
  stays.say({ type: 'listStreamers' });
  await stays.hear('streamerList');
});

test('createKeptPlayers() tells each agent that the stream was answered, one that comes later, too', async () => {
  await using server = await live([], { env });
  const { streamer, page, url } = await watching(server);
  page.say({ type: 'answer', sdp: 'answer' });
  await streamer.until('answer');
  expect(await page.told()).toBe(PLAYER_ANSWERED);
  await page.dial(url());
  expect(await page.told()).toBe(PLAYER_ANSWERED);
});

test('createKeptPlayers() closes a socket that speaks text where numbers were promised, and waits for another', async () => {
  await using server = await live([], { env });
  const { page, url } = await watching(server);
  page.cut();
  const wrong = await connect(url());
  wrong.send({ type: 'listStreamers' });
  expect((await wrong.closed).code).toBe(errors.too_slow.close);
  await page.dial(url());
  page.say({ type: 'listStreamers' });
  await page.hear('streamerList');
});

test('createKeptPlayers() keeps a bound on the players of one participant', () => {
  const clock = fakeClock();
  const closed: number[] = [];
  const kept = createKeptPlayers(
    { player_grace_seconds: 66 },
    () => ({ frame: () => {}, closed: (code) => void closed.push(code) }),
    clock,
    { info: () => {} } as never,
  );
  for (let n = 0; n < 12; n++) {
    const name = `abcdefghijklmnopqrst${String(n).padStart(2, '0')}`;
    const admission = { participant: 'p', ice_servers: [], expires: 1, resumable: name };
    const wire = { remote: '', send: () => true, backlog: () => 0, close: () => {} };
    const peer = kept.connect({ remote: '', admission }, wire);
    peer.frame(new Uint8Array([1]));
    peer.closed(1006, '');
  }
  expect(closed).toEqual(Array(4).fill(errors.channel_lost.close));
  clock.advance(channel_limits.window_ms);
  expect(closed).toHaveLength(12);
});
