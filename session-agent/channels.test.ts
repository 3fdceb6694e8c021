import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../shared/clock.ts';
import { limits } from '../shared/limits.ts';
import { silentLog } from '../shared/log.ts';
import type { RelayFrame } from '../shared/protocol/relay-frame.ts';
import { Channels } from './channels.ts';
import type { PlayerOrder } from './player-line.ts';

setDefaultTimeout(120_000);
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Local {
  url: string;
  /** Lets upgrades that wait through. */
  admit(): void;
  sockets: Bun.ServerWebSocket<undefined>[];
  /** The codes of the connections that were closed. */
  closes: number[];
  /** Resolves when that many were. */
  closed(count: number): Promise<void>;
}

/** A local WebSocket server that echoes; with `hold` it lets upgrades wait until `admit`. */
const startLocal = (hold = false): Local => {
  let admit = () => {};
  const admitted = new Promise<void>((resolve) => {
    admit = resolve;
  });
  const sockets: Bun.ServerWebSocket<undefined>[] = [];
  const closes: number[] = [];
  const waits: { count: number; resolve: () => void }[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request, server) => {
      if (hold) await admitted;
      return server.upgrade(request) ? undefined : new Response(null, { status: 400 });
    },
    websocket: {
      open: (socket) => void sockets.push(socket),
      message: (socket, text) => void socket.send(text),
      close: (_, code) => {
        closes.push(code);
        for (const { count, resolve } of waits) if (closes.length >= count) resolve();
      },
    },
  });
  stops.push(() => server.stop(true));
  const closed = (count: number) =>
    new Promise<void>((resolve) => {
      if (closes.length >= count) resolve();
      else waits.push({ count, resolve });
    });
  return { url: `ws://127.0.0.1:${server.port}/`, admit, sockets, closes, closed };
};

const startChannels = (takes: (frame: RelayFrame) => boolean = () => true) => {
  const frames: RelayFrame[] = [];
  const waiters = new Set<() => void>();
  const channels = new Channels({
    clock: systemClock,
    log: silentLog,
    relay: (frame) => {
      const taken = takes(frame);
      if (taken) frames.push(frame);
      for (const look of [...waiters]) look();
      return taken;
    },
  });
  const next = (channel: number): Promise<{ text: string; code?: number }> =>
    new Promise((resolve) => {
      const look = () => {
        const index = frames.findIndex((frame) => frame.channel === channel);
        const frame = frames[index];
        if (frame === undefined) return;
        frames.splice(index, 1);
        waiters.delete(look);
        if (frame.kind === 'close') resolve({ text: frame.reason, code: frame.code });
        else resolve({ text: Buffer.from(frame.payload).toString() });
      };
      waiters.add(look);
      look();
    });
  return { channels, frames, next };
};

const order = (channel: number, url: string, more: Partial<PlayerOrder> = {}): PlayerOrder => ({
  channel,
  session_id: 'session-1',
  user_id: 'user-1',
  resumable: undefined,
  kept: false,
  url: () => url,
  established: () => {},
  answered: () => {},
  ...more,
});

const opened = (channels: Channels, channel: number, url: string, session_id = 'session-1') =>
  new Promise<void>((established) => channels.open(order(channel, url, { session_id, established })));

test('frame() before the local socket is open waits, and keeps its order', async () => {
  const local = startLocal(true);
  const { channels, next } = startChannels();
  const open = opened(channels, 1, local.url);
  channels.frame(1, Buffer.from('first'));
  channels.frame(1, Buffer.from('second'));
  local.admit();
  await open;
  channels.frame(1, Buffer.from('third «é»'));
  expect([(await next(1)).text, (await next(1)).text, (await next(1)).text]).toEqual([
    'first',
    'second',
    'third «é»',
  ]);
});

test('frame() beyond what may wait closes that channel alone', async () => {
  const slow = startLocal(true);
  const quick = startLocal();
  const { channels, next } = startChannels();
  await opened(channels, 2, quick.url);
  channels.open(order(1, slow.url));
  const payload = Buffer.alloc(limits.frame_bytes, 'x');
  for (let sent = 0; sent <= limits.browser_backlog_bytes; sent += payload.length) channels.frame(1, payload);
  expect((await next(1)).code).toBe(1013);
  channels.frame(2, Buffer.from('still here'));
  expect((await next(2)).text).toBe('still here');
});

test('open() to a port where nobody listens closes the channel as refused', async () => {
  const { channels, next } = startChannels();
  channels.open(order(3, 'ws://127.0.0.1:1/'));
  expect((await next(3)).code).toBe(4502);
});

test('Channels() carries a close both ways with its code', async () => {
  const local = startLocal();
  const { channels, next } = startChannels();
  await opened(channels, 1, local.url);
  await opened(channels, 2, local.url);
  local.sockets[0]?.close(4001, 'kicked');
  expect(await next(1)).toEqual({ text: 'kicked', code: 4001 });
  const closed = new Promise<number>((resolve) => {
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response(null, { status: 400 })),
      websocket: { message: () => {}, close: (_, code) => resolve(code) },
    });
    stops.push(() => server.stop(true));
    const established = () => channels.closedByPlayer(4, 4_123, 'bye');
    channels.open(order(4, `ws://127.0.0.1:${server.port}/`, { established }));
  });
  expect(await closed).toBe(4_123);
});

test('Channels() on a link that takes no more data costs the channel that sends, and no other', async () => {
  const local = startLocal();
  const { channels, next } = startChannels((frame) => frame.kind === 'close' || frame.payload.length < 1_000);
  await opened(channels, 1, local.url);
  await opened(channels, 2, local.url);
  channels.frame(1, Buffer.alloc(2_000, 'x'));
  expect((await next(1)).code).toBe(1013);
  channels.frame(2, Buffer.from('small'));
  expect((await next(2)).text).toBe('small');
});

test('closeSession() closes the channels of that session, linkLost() all', async () => {
  const local = startLocal();
  const { channels, next } = startChannels();
  await opened(channels, 1, local.url);
  await opened(channels, 2, local.url, 'session-2');
  channels.closeSession('session-1', { refused: 'session_ended' });
  expect((await next(1)).code).toBe(4410);
  channels.frame(2, Buffer.from('on'));
  expect((await next(2)).text).toBe('on');
  channels.linkLost();
  await local.closed(2);
  expect(local.closes).toEqual([4410, 4503]);
});
