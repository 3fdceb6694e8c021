import { afterEach, describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Server } from 'bun';
import { errors } from './errors.ts';
import { limits } from './limits.ts';
import { silentLog } from './log.ts';
import { type Peer, type SocketData, socketHandler, type Wire } from './socket.ts';
import { fakeClock } from './testing/clock.ts';

interface Ended {
  code: number;
  reason: string;
}
type PeerOf = (wire: Wire, end: (ended: Ended) => void) => Peer;

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0).reverse()) stop();
});

const frame_bytes = 1024;

/** A real server on a free port with a fake clock; records how each peer's socket ended. */
const serve = (peerOf: PeerOf) => {
  const clock = fakeClock();
  const ends: Ended[] = [];
  const firstEnd = Promise.withResolvers<Ended>();
  const firstWire = Promise.withResolvers<Wire>();
  const end = (ended: Ended) => {
    ends.push(ended);
    firstEnd.resolve(ended);
  };
  const peer = (wire: Wire) => {
    firstWire.resolve(wire);
    return peerOf(wire, end);
  };
  const pongs = new EventTarget();
  const handler = socketHandler(silentLog, clock);
  const server: Server<SocketData> = Bun.serve<SocketData>({
    port: 0,
    hostname: '127.0.0.1',
    websocket: {
      ...handler,
      pong: (socket, bytes) => {
        handler.pong?.(socket, bytes);
        pongs.dispatchEvent(new Event('pong'));
      },
    },
    fetch: (request) => {
      const data = { connect: peer, frame_bytes, backlog_bytes: limits.browser_backlog_bytes };
      return server.upgrade(request, { data }) ? undefined : new Response('not a WebSocket', { status: 400 });
    },
  });
  stops.push(() => void server.stop(true));
  return {
    port: server.port ?? 0,
    open: () => server.pendingWebSockets,
    clock,
    ends,
    firstEnd: firstEnd.promise,
    firstWire: firstWire.promise,
    nextPong: () => once(pongs, 'pong'),
  };
};

const echo: PeerOf = (wire, end) => ({
  frame: (frame) => void wire.send(typeof frame === 'string' ? `echo:${frame}` : frame),
  closed: (code, reason) => end({ code, reason }),
});

/** A WebSocket client; `next` awaits its next message, `closed` its end. */
const dial = async (port: number) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  stops.push(() => socket.close());
  socket.binaryType = 'arraybuffer';
  const closed = once(socket, 'close').then(([event]) => ({ code: event.code, reason: event.reason }));
  await Promise.race([once(socket, 'open'), closed]);
  const next = async (): Promise<unknown> => (await once(socket, 'message'))[0].data;
  const ask = (frame: string | Uint8Array<ArrayBuffer>): Promise<unknown> => {
    const answer = next();
    socket.send(frame);
    return answer;
  };
  return { socket, closed, ask };
};

/** A TCP client that upgrades and then neither reads nor answers a ping: what is left of a peer that died without a FIN. */
const dialDead = async (port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1');
  stops.push(() => void socket.destroy());
  socket.write(
    'GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(socket, 'data');
  return socket.pause();
};

describe('socketHandler()', () => {
  test('socketHandler() carries text and binary both ways', async () => {
    const { port } = serve(echo);
    const { ask } = await dial(port);
    expect(await ask('привет')).toBe('echo:привет');
    expect(await ask('')).toBe('echo:');
    expect(await ask(Uint8Array.of(0, 255, 7))).toEqual(Uint8Array.of(0, 255, 7).buffer);
  });

  test('socketHandler() tells the peer of the close once, with its code and reason', async () => {
    const { port, ends, firstEnd } = serve(echo);
    const { socket, closed } = await dial(port);
    socket.close(4001, 'bye');
    expect(await firstEnd).toEqual({ code: 4001, reason: 'bye' });
    await closed;
    expect(ends).toHaveLength(1);
  });

  for (const bytes of [frame_bytes + 1, limits.link_frame_bytes + 1, 4 * limits.link_frame_bytes]) {
    test(`socketHandler() closes with 1009 on a frame of ${bytes} bytes where ${frame_bytes} are allowed`, async () => {
      const { port, ends } = serve(echo);
      const { socket, closed } = await dial(port);
      socket.send('x'.repeat(bytes));
      expect((await closed).code).toBe(1009);
      expect(ends).toHaveLength(1);
    });
  }

  test('socketHandler() tells a reason without what ends a line or turns text around', async () => {
    const { port, firstEnd } = serve(echo);
    const { socket } = await dial(port);
    socket.close(4000, 'a\u2028b\u202e\nc');
    expect(await firstEnd).toEqual({ code: 4000, reason: 'a_b__c' });
  });

  test('socketHandler() counts bytes and not characters', async () => {
    const { port } = serve(echo);
    const { ask, socket, closed } = await dial(port);
    expect(await ask('я'.repeat(frame_bytes / 2))).toBe(`echo:${'я'.repeat(frame_bytes / 2)}`);
    socket.send('я'.repeat(frame_bytes / 2 + 1));
    expect((await closed).code).toBe(1009);
  });

  test('socketHandler() survives a peer that throws at a frame and at its end', async () => {
    const { port } = serve((wire, end) => ({
      frame: (frame) => {
        if (frame === 'throw') throw new Error('frame');
        wire.send(frame);
      },
      closed: (code, reason) => {
        end({ code, reason });
        throw new Error('closed');
      },
    }));
    const bystander = await dial(port);
    const { socket, closed } = await dial(port);
    socket.send('throw');
    expect(await closed).toEqual({ code: errors.internal.close, reason: errors.internal.text });
    expect(await bystander.ask('still here')).toBe('still here');
  });

  test('socketHandler() closes a socket whose connect throws', async () => {
    const { port } = serve(() => {
      throw new Error('connect');
    });
    const { closed } = await dial(port);
    expect((await closed).code).toBe(errors.internal.close);
  });

  test('socketHandler() tells a peer of its end even when connect itself closed the socket', async () => {
    const { port, ends, firstEnd } = serve((wire, end) => {
      wire.close(4401, 'no');
      return echo(wire, end);
    });
    const { closed } = await dial(port);
    expect(await closed).toEqual({ code: 4401, reason: 'no' });
    expect(await firstEnd).toEqual({ code: 4401, reason: 'no' });
    expect(ends).toHaveLength(1);
  });

  test('socketHandler() gives a closed peer no more frames and takes none from it', async () => {
    const frames: unknown[] = [];
    const { port, firstWire, ends } = serve((wire, end) => ({
      frame: (frame) => {
        frames.push(frame);
        wire.close(4000, 'я'.repeat(200));
        wire.close(4002, 'twice');
      },
      closed: (code, reason) => end({ code, reason }),
    }));
    const { socket, closed } = await dial(port);
    for (let i = 0; i < 10; i++) socket.send(`${i}`);
    expect(await closed).toEqual({ code: 4000, reason: 'я'.repeat(61) });
    const wire = await firstWire;
    expect(wire.send('late')).toBe(false);
    expect({ frames, ends: ends.length }).toEqual({ frames: ['0'], ends: 1 });
  });

  test('socketHandler() closes a reader that does not read as too slow, with bounded memory', async () => {
    const { port, firstWire, firstEnd, ends, open } = serve(echo);
    await dialDead(port);
    const wire = await firstWire;
    const frame = 'x'.repeat(32 * 1024);
    let taken = 0;
    while (wire.send(frame) && taken < 10_000) taken += 1;
    expect(await firstEnd).toEqual({ code: 1013, reason: errors.too_slow.text });
    const kernel_bytes = 16 * 1024 * 1024;
    expect(taken * frame.length).toBeLessThan(kernel_bytes + limits.browser_backlog_bytes);
    expect(wire.send(frame)).toBe(false);
    expect({ ends: ends.length, open: open() }).toEqual({ ends: 1, open: 0 });
  });

  for (const talkative of [false, true]) {
    test(`socketHandler() closes a dead peer within ${limits.link_silence_ms} ms, ${talkative ? 'even while sending to it' : 'in silence'}`, async () => {
      const { port, firstWire, clock, ends, firstEnd } = serve(echo);
      await dialDead(port);
      const wire = await firstWire;
      for (let elapsed = 0; elapsed < 11_000; elapsed += 1_000) {
        clock.advance(1_000);
        if (talkative) wire.send('are you there?');
      }
      expect(ends).toEqual([]);
      clock.advance(4_000);
      expect((await firstEnd).code).toBe(1006);
      expect({ ends: ends.length, timers: clock.pending() }).toEqual({ ends: 1, timers: 0 });
    });
  }

  test('socketHandler() keeps a silent peer that answers pings', async () => {
    const { port, clock, ends, nextPong } = serve(echo);
    const { ask } = await dial(port);
    for (let i = 0; i < 10; i++) {
      const pong = nextPong();
      clock.advance(limits.link_silence_ms / 5);
      await pong;
    }
    expect(ends).toEqual([]);
    expect(await ask('alive')).toBe('echo:alive');
  });

  test('socketHandler() leaves no timer behind', async () => {
    const { port, clock, firstEnd, firstWire } = serve(echo);
    const { socket } = await dial(port);
    await firstWire;
    expect(clock.pending()).toBe(1);
    socket.close();
    await firstEnd;
    expect(clock.pending()).toBe(0);
  });
});
