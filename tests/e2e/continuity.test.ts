import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { type Program, startProgram } from '../../scripts/program.ts';
import { type Cutter, startCutter } from '../../shared/testing/cutter.ts';
import { freePorts } from '../../shared/testing/free-ports.ts';
import { openPage, playing, startBrowser, strip } from './browser.ts';
import { executable, startTestSystem, type TestSystem, until } from './harness.ts';

/**
 * What a visitor notices when the connections behind a stream break: nothing. The link between host and coordinator, the
 * page's own connection, and the coordinator itself go away under a picture that plays.
 */
const times = 5;
const patience_ms = 900_000;
/** Between two decoded frames, at the most. */
const window_ms = 2_000;

let system: TestSystem;
let browser: Browser;
let link: Cutter;
let leg: Cutter;
let port: number;
let coordinator: Program | undefined;
let page: Page;

declare global {
  interface Window {
    /** What the page has made, in order. */
    peers: RTCPeerConnection[];
    signalling: WebSocket[];
    /** How long no frame has been decoded, and the longest that this ever was, in ms in which the machine let the page run. */
    stillness: { frames: number; still: number; longest: number };
  }
}

/** Runs in the page before its own code: keeps hold of connections, and watches the decoded frames. */
const watch = () => {
  window.peers = [];
  window.signalling = [];
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      window.peers.push(this);
    }
  };
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      if (String(url).includes('/signalling')) window.signalling.push(this);
    }
  };
  const every_ms = 100;
  let last = performance.now();
  window.stillness = { frames: 0, still: 0, longest: 0 };
  setInterval(() => {
    const now = performance.now();
    const seen = window.stillness;
    // What the machine kept this very page from doing is not the stream's fault, and excuses no other moment.
    const ran = Math.min(now - last, every_ms);
    last = now;
    const frames = document.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
    seen.still = frames === seen.frames ? seen.still + ran : 0;
    seen.frames = frames;
    seen.longest = Math.max(seen.longest, seen.still);
  }, every_ms);
};

const serve = () => {
  const data = join(system.folder, 'coordinator');
  const command = [executable('coordinator-linux-x64'), 'serve', '--data', data, '--port', String(port)];
  return startProgram(command, {
    log: createWriteStream(join(system.folder, 'logs', 'again.log'), { flags: 'a' }),
    environment: process.env,
  });
};

beforeAll(async () => {
  port = await freePorts();
  [link, leg] = await Promise.all([startCutter(port), startCutter(port)]);
  const publicUrl = `http://127.0.0.1:${link.port}`;
  [system, browser] = await Promise.all([startTestSystem([{}], {}, { port, publicUrl }), startBrowser()]);
  page = await openPage(browser, `http://127.0.0.1:${leg.port}`, watch);
  await page.getByRole('button', { name: 'Start' }).first().click();
  await page.waitForURL(/\/s\//);
  await playing(page);
}, patience_ms);

afterAll(async () => {
  await browser?.close();
  await coordinator?.stop();
  await system?.stop();
  await Promise.all([link?.stop(), leg?.stop()]);
}, 300_000);

/** Passes over what the start of the stream looked like. */
const forgetStillness = () =>
  page.evaluate(() => {
    Object.assign(window.stillness, { still: 0, longest: 0 });
  });

/** The page has signalling again, over a later connection than the `former` ones. */
const resumed = (former: number) =>
  until(
    'signalling is back',
    () =>
      page.evaluate(() => ({ made: window.signalling.length, state: window.signalling.at(-1)?.readyState })),
    ({ made, state }) => made > former && state === 1,
  );

const inputWorks = async () => {
  const { inputs } = await until(
    'the strip is read',
    () => strip(page),
    ({ contrast }) => contrast > 0.8,
  );
  await page.keyboard.press('KeyW');
  await until(
    'the app takes input',
    () => strip(page),
    (now) => now.contrast > 0.8 && now.inputs !== inputs,
  );
};

/** Breaks something `times` times, and expects the stream to notice nothing. */
const survives = async (breakOnce: (round: number) => Promise<void>) => {
  const peers = await page.evaluate(() => window.peers.length);
  await forgetStillness();
  for (let round = 0; round < times; round++) {
    const former = await page.evaluate(() => window.signalling.length);
    await breakOnce(round);
    await resumed(former);
    await inputWorks();
  }
  // A little longer: a connection that was lost after all would show.
  const { frames } = await page.evaluate(() => window.stillness);
  await until(
    'the picture goes on',
    () => page.evaluate(() => window.stillness),
    (now) => now.frames > frames + 60,
  );
  const { longest } = await page.evaluate(() => window.stillness);
  expect(longest).toBeLessThan(window_ms);
  const now = await page.evaluate(() => ({
    made: window.peers.length,
    state: window.peers.at(-1)?.connectionState,
    link: document.querySelector('.stage')?.getAttribute('data-link'),
  }));
  expect(now).toEqual({ made: peers, state: 'connected', link: 'playing' });
};

/** The last one is silent: nothing is reset, so both ends have to find out by themselves. */
const cuts_ms = [100, 500, 2_000, 5_000, 20_000];
const cutOnce = (cutter: Cutter, round: number) =>
  cutter.cutFor(round === times - 1 ? 'silent' : 'hard', cuts_ms[round] ?? 0);

test(
  'link cut: the picture goes on, and input works',
  () => survives((round) => cutOnce(link, round)),
  patience_ms,
);

test(
  "cut of the page's own connection: the picture goes on, and input works",
  async () => {
    await survives((round) => cutOnce(leg, round));
    const note = page.locator('.away');
    leg.cut('hard');
    await note.waitFor();
    leg.mend();
    await note.waitFor({ state: 'detached' });
  },
  patience_ms,
);

test(
  'coordinator killed and started again: the picture goes on, and input works',
  () =>
    survives(async () => {
      const former = coordinator ?? system.coordinator;
      former.kill('SIGKILL');
      await former.exited;
      coordinator = serve();
      await coordinator.line(({ msg }) => msg === 'listening');
    }),
  patience_ms,
);
