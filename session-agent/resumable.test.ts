import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { ChannelEnd, type Leg } from '../shared/channel-end.ts';
import { channel_limits } from '../shared/channel-state.ts';
import { systemClock } from '../shared/clock.ts';
import { errors, type Refusal, refuse } from '../shared/errors.ts';
import { silentLog } from '../shared/log.ts';
import { fakeClock } from '../shared/testing/clock.ts';
import { Channels } from './channels.ts';

setDefaultTimeout(120_000);
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Something that changes, and a way to wait for it. */
const signal = () => {
  const waits = new Set<() => void>();
  return {
    changed: () => {
      for (const look of [...waits]) look();
    },
    until: (holds: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!holds()) return;
          waits.delete(look);
          resolve();
        };
        waits.add(look);
        look();
      }),
  };
};

interface LocalPlayer {
  socket?: Bun.ServerWebSocket<undefined>;
  got: string[];
  code?: number;
}

/** A signalling server that records its players and what they say. */
const startLocal = () => {
  const { changed, until } = signal();
  const players: LocalPlayer[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response(null, { status: 400 })),
    websocket: {
      open(socket) {
        players.push({ socket, got: [] });
        changed();
      },
      message(socket, text) {
        players.find((one) => one.socket === socket)?.got.push(String(text));
        changed();
      },
      close(socket, code) {
        const player = players.find((one) => one.socket === socket);
        if (player !== undefined) player.code = code;
        changed();
      },
    },
  });
  stops.push(() => server.stop(true));
  const player = async (index: number): Promise<LocalPlayer> => {
    await until(() => players.length > index);
    return players[index] ?? { got: [] };
  };
  return { url: `ws://127.0.0.1:${server.port}/`, players, player, until };
};

/** The channels of a host whose link, and the coordinator behind it, is this test. */
const startHost = (clock = systemClock) => {
  const pages = new Map<number, { page: ReturnType<typeof startPage>; leg: Leg }>();
  const closes: { channel: number; code: number }[] = [];
  let full = false;
  const { changed, until } = signal();
  const channels: Channels = new Channels({
    clock,
    log: silentLog,
    relay(frame) {
      const found = pages.get(frame.channel);
      if (frame.kind === 'close') {
        closes.push(frame);
        changed();
        pages.delete(frame.channel);
        if (found !== undefined) found.page.end.detach(found.leg);
        return true;
      }
      if (full) return false;
      if (found !== undefined) found.page.end.frame(found.leg, frame.payload);
      return true;
    },
  });
  /** Connects the page as this participant over the link's next number. */
  let numbers = 0;
  const join = (
    page: ReturnType<typeof startPage>,
    url: string | Refusal,
    { user_id = 'user-1', session_id = 'session-1', id = 'id-1', channel = ++numbers } = {},
  ) => {
    const leg: Leg = {
      send: (frame) => {
        channels.frame(channel, frame);
        return true;
      },
      drop: (_, ended) => {
        if (pages.delete(channel)) channels.closedByPlayer(channel, ended ? 1000 : 4000, '');
      },
    };
    channels.open({
      channel,
      session_id,
      user_id,
      resumable: id,
      kept: false,
      url: () => url,
      established: () => {},
      answered: () => {},
    });
    pages.set(channel, { page, leg });
    page.end.attach(leg);
    return { channel, cut: () => leg.drop('cut', false) };
  };
  const cutLink = () => {
    const all = [...pages.values()];
    pages.clear();
    numbers = 0;
    channels.linkLost();
    for (const { page, leg } of all) page.end.detach(leg);
  };
  return { channels, join, cutLink, closes, until, fill: (now: boolean) => (full = now) };
};

const startPage = (clock = systemClock) => {
  const { changed, until } = signal();
  const got: string[] = [];
  const over: { code: number; reason: string }[] = [];
  const end: ChannelEnd = new ChannelEnd('page', clock, {
    text(text) {
      got.push(text);
      changed();
    },
    over(code, reason) {
      over.push({ code, reason });
      changed();
    },
  });
  stops.push(() => end.end(1000, 'test over'));
  return { end, got, over, until };
};

/** The page's player, once its connection is open on both sides. */
const greeted = async (local: ReturnType<typeof startLocal>, page: ReturnType<typeof startPage>) => {
  const player = await local.player(local.players.length === 0 ? 0 : local.players.length - 1);
  player.socket?.send('hello');
  await page.until(() => page.got.length > 0);
  return player;
};

test('open() keeps the local connection while the link is away, and resumes it in order', async () => {
  const local = startLocal();
  const { channels, join, cutLink } = startHost();
  const page = startPage();
  join(page, local.url);
  page.end.say('one');
  const player = await local.player(0);
  await local.until(() => player.got.length === 1);
  cutLink();
  expect(channels.waiting()).toBe(1);
  page.end.say('two');
  player.socket?.send('while away');
  page.end.say('three');
  join(page, local.url);
  expect(channels.waiting()).toBe(0);
  await local.until(() => player.got.length === 3);
  await page.until(() => page.got.length === 1);
  expect([player.got, page.got]).toEqual([['one', 'two', 'three'], ['while away']]);
  expect(local.players).toHaveLength(1);
});

test('open() gives a channel to nobody but its own participant of its own session', async () => {
  const local = startLocal();
  const { join, cutLink } = startHost();
  const page = startPage();
  join(page, local.url);
  page.end.say('mine');
  const player = await local.player(0);
  cutLink();
  player.socket?.send('for the owner alone');
  for (const stranger of [{ user_id: 'user-2' }, { session_id: 'session-2' }, { id: 'id-2' }]) {
    const thief = startPage();
    join(thief, local.url, stranger);
    expect(thief.got).toEqual([]);
    thief.end.end(1000, '');
  }
  join(page, local.url);
  await page.until(() => page.got.length === 1);
  expect(page.got).toEqual(['for the owner alone']);
});

test('open() says to a page that resumes what is not known that it is lost', async () => {
  const local = startLocal();
  const former = startHost();
  const page = startPage();
  former.join(page, local.url);
  page.end.say('x');
  await local.player(0);
  former.cutLink();
  // An agent that was started anew.
  startHost().join(page, local.url);
  expect(page.over).toMatchObject([{ code: errors.channel_lost.close }]);
  expect(local.players).toHaveLength(1);
});

test('open() for a channel whose former leg is not known to be dead closes that leg', async () => {
  const local = startLocal();
  const { join, closes } = startHost();
  const page = startPage();
  const first = join(page, local.url);
  page.end.say('one');
  const player = await local.player(0);
  const second = join(page, local.url);
  page.end.say('two');
  await local.until(() => player.got.length === 2);
  expect(closes.map(({ channel }) => channel)).toEqual([first.channel]);
  expect(second.channel).not.toBe(first.channel);
});

test('linkLost() makes the numbers of the link meaningless: a page that gets one again hears nothing of another', async () => {
  const local = startLocal();
  const { join, cutLink } = startHost();
  const [mine, theirs] = [startPage(), startPage()];
  join(mine, local.url, { user_id: 'user-1', id: 'id-1', channel: 1 });
  const player = await local.player(0);
  cutLink();
  join(theirs, local.url, { user_id: 'user-2', id: 'id-2', channel: 1 });
  const other = await local.player(1);
  player.socket?.send('mine');
  other.socket?.send('theirs');
  await theirs.until(() => theirs.got.length === 1);
  join(mine, local.url, { user_id: 'user-1', id: 'id-1', channel: 2 });
  await mine.until(() => mine.got.length === 1);
  expect([mine.got, theirs.got]).toEqual([['mine'], ['theirs']]);
});

test('Channels() waits a minute for a page, then closes the local connection', async () => {
  const clock = fakeClock();
  const local = startLocal();
  const { channels, join, cutLink } = startHost(clock);
  const page = startPage(clock);
  join(page, local.url);
  const player = await greeted(local, page);
  cutLink();
  clock.advance(60_000);
  expect([channels.waiting(), player.code]).toEqual([1, undefined]);
  clock.advance(channel_limits.window_ms - 60_000);
  await local.until(() => player.code !== undefined);
  expect([channels.waiting(), player.code, page.over.length]).toEqual([0, errors.channel_lost.close, 1]);
});

test('Channels() ends both sides when a page leaves, and when signalling closes', async () => {
  const local = startLocal();
  const { join } = startHost();
  const [leaving, staying] = [startPage(), startPage()];
  join(leaving, local.url, { id: 'id-1' });
  const first = await greeted(local, leaving);
  leaving.end.end(1000, 'bye');
  await local.until(() => first.code === 1000);
  join(staying, local.url, { id: 'id-2' });
  const second = await local.player(1);
  second.socket?.close(4001, 'kicked');
  await staying.until(() => staying.over.length > 0);
  expect(staying.over).toEqual([{ code: 4001, reason: 'kicked' }]);
});

test('Channels() tells a page why there is no signalling for it', async () => {
  const { join } = startHost();
  const [early, unreachable] = [startPage(), startPage()];
  join(early, refuse('session_not_ready'));
  expect(early.over).toMatchObject([{ code: errors.session_not_ready.close }]);
  join(unreachable, 'ws://127.0.0.1:1/', { id: 'id-2' });
  await unreachable.until(() => unreachable.over.length > 0);
  expect(unreachable.over).toMatchObject([{ code: errors.channel_refused.close }]);
});

test('disconnectUser() and closeSession() end what is connected and what waits, of those alone', async () => {
  const local = startLocal();
  const { channels, join } = startHost();
  const pages = [startPage(), startPage(), startPage(), startPage()];
  const owners = [
    { user_id: 'gone', id: 'a' },
    { user_id: 'gone', id: 'b' },
    { user_id: 'stays', id: 'c' },
    { user_id: 'gone', id: 'd', session_id: 'session-2' },
  ];
  for (const [index, owner] of owners.entries()) {
    const { cut } = join(pages[index] ?? startPage(), local.url, owner);
    await local.player(index);
    if (index === 1) cut();
  }
  channels.disconnectUser('session-1', 'gone', refuse('forbidden'));
  await local.until(() => local.players.filter(({ code }) => code === 4403).length === 2);
  expect(pages.map(({ over }) => over.length)).toEqual([1, 0, 0, 0]);
  channels.closeSession('session-1', refuse('session_ended'));
  await local.until(() => local.players.filter(({ code }) => code === 4410).length === 1);
  expect(pages[3]?.over).toEqual([]);
  expect(local.players[3]?.code).toBeUndefined();
});

test('relay() of a full link costs the channel its leg, not a message', async () => {
  const local = startLocal();
  const { join, fill, closes, until } = startHost();
  const page = startPage();
  join(page, local.url);
  const player = await local.player(0);
  fill(true);
  player.socket?.send('waits');
  await until(() => closes.length > 0);
  fill(false);
  join(page, local.url);
  await page.until(() => page.got.length === 1);
  expect([page.got, closes[0]?.code]).toEqual([['waits'], 1013]);
});

test('open() keeps a bound on the channels of one participant: the one that has waited longest goes', async () => {
  const local = startLocal();
  const { channels, join } = startHost();
  for (let n = 0; n < 12; n++) {
    const { cut } = join(startPage(), local.url, { id: `id-${n}` });
    await local.player(n);
    cut();
  }
  await local.until(() => local.players.filter(({ code }) => code !== undefined).length === 4);
  expect(channels.waiting()).toBe(8);
  expect(local.players.slice(0, 4).every(({ code }) => code === errors.channel_lost.close)).toBeTrue();
});

test('frame() of a page that says more than signalling reads costs that channel alone', async () => {
  const local = startLocal();
  const { join } = startHost();
  const [slow, quick] = [startPage(), startPage()];
  // A server that takes the connection and never answers the handshake.
  const deaf = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } });
  stops.push(() => deaf.stop(true));
  join(slow, `ws://127.0.0.1:${deaf.port}/`, { id: 'slow' });
  join(quick, local.url, { id: 'quick' });
  const much = 'x'.repeat(32 * 1024);
  for (let n = 0; n < 20 && slow.over.length === 0; n++) slow.end.say(much);
  await slow.until(() => slow.over.length > 0);
  expect(slow.over).toMatchObject([{ code: errors.too_slow.close }]);
  const player = await greeted(local, quick);
  quick.end.say('still here');
  await local.until(() => player.got.length === 1);
  expect(quick.over).toEqual([]);
});
