import { expect, test } from 'bun:test';
import { fakeClock } from '../shared/testing/clock.ts';
import { samples } from '../shared/testing/samples.ts';
import { type Json, live } from './testing/live.ts';
import { type Manner, type Outcome, oldPage } from './testing/old-pages.ts';
import { type Age, ages, oldStreamer } from './testing/old-streamers.ts';
import { running } from './testing/program.ts';

/** Who can play to whom, with `--legacy_auto_subscribe`. An old streamer stays connected through all of it. */
const matrix: [streamer: Age, options: string[], page: Manner, outcome: Outcome][] = [
  ['4.27', ['--engine', '4.27'], 'offers', 'plays'],
  ['4.27', ['--engine', '4.27'], 'is silent', 'subscribeFailed'],
  ['4.27', ['--engine', '4.27'], 'lists and subscribes', 'subscribeFailed'],
  ['4.27', [], 'offers', 'plays'],
  ['5.0', [], 'offers', 'plays'],
  ['5.0', [], 'is silent', 'plays'],
  ['5.0', [], 'lists and subscribes', 'plays'],
  ['5.0', ['--engine', '5.1'], 'lists and subscribes', 'plays'],
  ['5.4', [], 'offers', 'plays'],
  ['5.4', [], 'is silent', 'plays'],
  ['5.4', [], 'lists and subscribes', 'plays'],
  ['Pixel Streaming 2', [], 'offers', 'plays'],
  ['Pixel Streaming 2', [], 'is silent', 'plays'],
  ['Pixel Streaming 2', [], 'lists and subscribes', 'plays'],
  ['Pixel Streaming 2', ['--engine', '4.27'], 'lists and subscribes', 'plays'],
];

const served = new Map<string, [Age, string[], [Manner, Outcome][]]>();
for (const [age, options, manner, outcome] of matrix) {
  const key = JSON.stringify([age, options]);
  const pages = served.get(key)?.[2] ?? [];
  served.set(key, [age, options, [...pages, [manner, outcome]]]);
}

/** Lets all pages of a row come at once, and answers what became of them. */
const meet = async (
  age: Age,
  options: string[],
  pages: [Manner, Outcome][],
): Promise<[Manner, Outcome][]> => {
  await using server = await running('--legacy_auto_subscribe', ...options);
  const streamer = await oldStreamer(server.url('streamer'), 'Old', age);
  const outcomes = await Promise.all(
    pages.map(async ([manner]): Promise<[Manner, Outcome]> => {
      const page = await oldPage(server.url('player'), manner);
      return [manner, await page.outcome];
    }),
  );
  const answers = outcomes.filter(([manner, outcome]) => outcome === 'plays' && manner !== 'offers');
  if (answers.length > 0) await streamer.saw('answer', answers.length);
  await streamer.settled();
  expect(streamer.closes).toEqual([]);
  expect(streamer.got.some(({ type }) => type === 'endpointIdConfirm')).toBe(age === 'Pixel Streaming 2');
  streamer.stop();
  return outcomes;
};

test('running() lets play who can: each streamer and each page, and disturbs no streamer', async () => {
  const rows = [...served.values()];
  const outcomes = await Promise.all(
    rows.map(async ([age, options, pages]) => [age, options, await meet(age, options, pages)] as const),
  );
  expect(outcomes).toEqual(rows);
}, 120_000);

test('running() sends the streamer of a page that offers what it needs, to the byte', async () => {
  const expected: [Age, Json[]][] = [
    ['4.27', []],
    ['5.0', []],
    ['5.4', []],
    [
      'Pixel Streaming 2',
      [{ type: 'playerConnected', dataChannel: true, sfu: false, playerId: '2', sendOffer: false }],
    ],
  ];
  for (const [age, announced] of expected) {
    await using server = await live(['--legacy_auto_subscribe']);
    const streamer = await oldStreamer(server.urls.streamer, 'Old', age);
    const page = await oldPage(server.urls.player, 'offers');
    expect(await page.outcome).toBe('plays');
    const told = streamer.got.filter(({ playerId }) => playerId !== undefined);
    expect(told).toEqual([...announced, { type: 'offer', sdp: 'offer of the page', playerId: '2' }]);
    expect(page.got.at(-1)).toMatchObject({ type: 'answer', sdp: 'answer to offer of the page' });
    streamer.stop();
  }
});

for (const age of Object.keys(ages) as Age[]) {
  test(`running() lets no viewer close a streamer of ${age} for the others`, async () => {
    await using server = await live(['--legacy_auto_subscribe', '--engine', age === '4.27' ? age : '']);
    const streamer = await oldStreamer(server.urls.streamer, 'Old', age);
    const manner = age === '4.27' ? 'offers' : 'lists and subscribes';
    const viewer = await oldPage(server.urls.player, manner);
    expect(await viewer.outcome).toBe('plays');
    // Attached and not attached, with an offer first and without.
    for (const first of [samples.player.subscribe, samples.player.offer, samples.player.pong]) {
      const rude = await server.player();
      rude.send({ ...first, ...('streamerId' in first ? { streamerId: 'Old' } : {}) });
      for (const message of Object.values(samples.player)) {
        if (message.type !== 'unsubscribe' && message.type !== 'subscribe') rude.send(message);
      }
      rude.send({ type: 'ping', time: -7 });
      while ((await rude.json()).time !== -7);
      rude.close();
    }
    await streamer.settled();
    expect(streamer.closes).toEqual([]);
    viewer.client.send({ type: 'ping', time: -8 });
    while ((await viewer.client.json()).time !== -8);
    streamer.stop();
  });
}

test('running() learns what a streamer refuses from its close, once, and tells pages to offer then', async () => {
  await using server = await live(['--legacy_auto_subscribe']);
  const streamer = await oldStreamer(server.urls.streamer, 'Old', '4.27');
  const watching = await oldPage(server.urls.player, 'offers');
  expect(await watching.outcome).toBe('plays');
  const early = await oldPage(server.urls.player, 'lists and subscribes');
  expect(await early.outcome).toBe('closed');
  expect(streamer.closes).toEqual([{ code: 4001, reason: 'Unsupported message received: playerConnected' }]);
  await streamer.saw('identify', 2);
  await streamer.settled();
  for (let times = 0; times < 3; times += 1) {
    const late = await oldPage(server.urls.player, 'lists and subscribes');
    expect(await late.outcome).toBe('subscribeFailed');
    expect(late.got[0]).toMatchObject({ type: 'config', browserSendOffer: true });
  }
  const offering = await oldPage(server.urls.player, 'offers');
  expect(await offering.outcome).toBe('plays');
  expect(streamer.closes).toHaveLength(1);
  streamer.stop();
});

test('running() attaches nobody who did not ask, without the option', async () => {
  await using server = await live();
  const streamer = await oldStreamer(server.urls.streamer, 'Old', '5.0');
  const page = await server.player();
  page.send({ type: 'offer', sdp: 'x' });
  page.send({ type: 'ping', time: -7 });
  await page.until('pong');
  await streamer.settled();
  expect(streamer.got.filter(({ playerId }) => playerId !== undefined)).toEqual([]);
  expect(server.signalling.registry.streamers.get('1')?.subscribers.size).toBe(0);
  streamer.stop();
});

test('running() takes a page for a silent one after three seconds, unless its address says that it will offer', async () => {
  const clock = fakeClock();
  await using server = await live(['--legacy_auto_subscribe'], { clock });
  const streamer = await oldStreamer(server.urls.streamer, 'Old', '5.0');
  const quiet = await oldPage(server.urls.player, 'is silent');
  const offering = await server.player('?OfferToReceive=true');
  const gone = await server.player();
  gone.close();
  await gone.closed;
  const attached = () => server.signalling.registry.streamers.get('1')?.subscribers;
  clock.advance(2_999);
  expect([...(attached() ?? [])]).toEqual([]);
  clock.advance(1);
  expect(await quiet.outcome).toBe('plays');
  expect([...(attached() ?? [])]).toEqual(['2']);
  clock.advance(5_000);
  offering.send({ type: 'offer', sdp: 'late' });
  expect(await offering.until('answer')).toMatchObject({ sdp: 'answer to late' });
  await streamer.settled();
  expect(streamer.got.filter(({ type }) => type === 'playerConnected')).toHaveLength(1);
  streamer.stop();
});
