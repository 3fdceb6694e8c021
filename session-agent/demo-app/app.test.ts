import { expect, test } from 'bun:test';
import wrtc from '@roamhq/wrtc';
import { systemClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { startApp } from './app.ts';
import { fromStreamer } from './data-channel.ts';
import { parseFlags } from './flags.ts';
import { fakeSignalling, openPage, type Seen } from './testing/page.ts';

const patience_ms = 120_000;

/** Share of the lower half's pixels that differ clearly; the clock and the counters are above and in the last rows. */
const changed = (a: Seen, b: Seen): number => {
  const [from, to] = [a.luma.length / 2, a.luma.length - a.width * 10];
  let count = 0;
  for (let i = from; i < to; i++) if (Math.abs((a.luma[i] ?? 0) - (b.luma[i] ?? 0)) > 20) count++;
  return count / (to - from);
};

const brightness = ({ luma }: Seen): number => luma.reduce((sum, value) => sum + value, 0) / luma.length;

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(1)).toString('utf16le');

/** A started, registered app and its signalling server. */
const start = async () => {
  const signalling = fakeSignalling();
  const flags = parseFlags(['-ResX=320', '-ResY=180', '-DemoName=Test']);
  const connected = signalling.connections.next(() => true, 'the connection');
  const app = startApp({
    url: signalling.url,
    flags,
    clock: systemClock,
    log: silentLog,
    loadWrtc: () => Promise.resolve(wrtc),
  });
  await connected;
  signalling.send({ type: 'config', peerConnectionOptions: { iceServers: [] }, protocolVersion: '1.3.0' });
  signalling.send({ type: 'identify' });
  signalling.send({ type: 'endpointIdConfirm', committedId: 'DefaultStreamer' });
  return {
    signalling,
    stop() {
      app.stop();
      signalling.stop();
    },
  };
};

const anyFrame = () => true;

test(
  'startApp() streams the flat to a player that walks and clicks',
  async () => {
    const { signalling, stop } = await start();
    const page = await openPage(signalling, '1');
    while (page.messages.seen.length < 3) await page.messages.next(() => true, 'the greeting');
    // The binding hands on what came before its handler was set after what came since: the order is not the sender's.
    const greeting = page.messages.seen.slice(0, 3).map(([id]) => id ?? -1);
    expect(greeting.sort((one, other) => one - other)).toEqual([7, 255, 255]);
    expect(page.streams.map((of) => of.length)).toEqual([1, 1]);
    expect(page.offer).toContain('m=audio');
    // A page drops candidates that come before their offer.
    const kinds = signalling.inbox.seen.filter(({ playerId }) => playerId === '1').map(({ type }) => type);
    expect(kinds[0]).toBe('offer');
    expect(kinds).toContain('iceCandidate');

    const before = await page.frames.next(({ width, height }) => width === 320 && height === 180, 'a frame');
    page.send({ name: 'KeyDown', key: 87, repeat: 0 });
    await page.frames.next((frame) => changed(before, frame) > 0.2, 'a picture from elsewhere');
    page.send({ name: 'KeyUp', key: 87 });

    const bright = brightness(await page.frames.next(anyFrame, 'a frame'));
    page.send({ name: 'MouseDown', button: 0, x: 30_000, y: 30_000 });
    page.send({ name: 'MouseUp', button: 0, x: 30_000, y: 30_000 });
    await page.frames.next((frame) => brightness(frame) < bright - 15, 'a darker picture');

    page.send({ name: 'Command', descriptor: '{"Resolution.Width":200,"Resolution.Height":100}' });
    await page.frames.next(({ width, height }) => width === 200 && height === 100, 'a smaller picture');
    page.close();
    stop();
  },
  patience_ms,
);

test(
  'startApp() answers on the data channel and survives hostile bytes',
  async () => {
    const { signalling, stop } = await start();
    const page = await openPage(signalling, '1');
    for (const bytes of [[], [60], [60, 1, 2, 3], [200, 1], [50, 255, 255, 1], [1]]) {
      if (bytes.length > 0) page.sendBytes(Uint8Array.from(bytes));
    }
    const response = page.messages.next((m) => m[0] === fromStreamer.Response.id, 'the Response');
    page.send({ name: 'UIInteraction', descriptor: '{"tone":true}' });
    expect(JSON.parse(textOf(await response))).toEqual({ echo: { tone: true } });
    expect(page.messages.seen.filter((m) => m[0] === 0)).toEqual([Uint8Array.of(0, 1)]);
    page.close();
    stop();
  },
  patience_ms,
);

test(
  'startApp() serves two players one picture, and the second still after the first has gone',
  async () => {
    const { signalling, stop } = await start();
    const one = await openPage(signalling, '1');
    const two = await openPage(signalling, '2');
    signalling.send({ type: 'playerDisconnected', playerId: '1' });
    const before = await two.frames.next(anyFrame, 'a frame');
    two.send({ name: 'KeyDown', key: 39, repeat: 0 });
    const turned = await two.frames.next((frame) => changed(before, frame) > 0.2, 'a turned picture');
    expect(turned.width).toBe(before.width);
    one.close();
    two.close();
    stop();
  },
  patience_ms,
);

test(
  'startApp() comes back to a signalling server that was cut off, without its old players',
  async () => {
    const { signalling, stop } = await start();
    const page = await openPage(signalling, '1');
    await page.frames.next(anyFrame, 'a frame');
    const again = signalling.connections.next(() => true, 'the second connection');
    signalling.cut();
    await again;
    signalling.send({ type: 'config', peerConnectionOptions: {}, protocolVersion: '1.3.0' });
    signalling.send({ type: 'identify' });
    const next = await openPage(signalling, '2');
    await next.frames.next(anyFrame, 'a frame on the new socket');
    page.close();
    next.close();
    stop();
    expect(next.frames.seen.length).toBeGreaterThan(0);
  },
  patience_ms,
);
