import { expect } from 'bun:test';
import type { Page } from 'playwright-core';
import { strip } from './browser.ts';
import { until } from './harness.ts';

/** Between two decoded frames, at the most. */
const window_ms = 2_000;

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
export const watch = () => {
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

/** Passes over what the start of the stream looked like. */
const forgetStillness = (page: Page) =>
  page.evaluate(() => {
    Object.assign(window.stillness, { still: 0, longest: 0 });
  });

/** How many signalling connections the page has made. */
export const connections = (page: Page): Promise<number> => page.evaluate(() => window.signalling.length);

/** The page has signalling again, over a later connection than the `former` ones. */
export const resumed = (page: Page, former: number) =>
  until(
    'signalling is back',
    () =>
      page.evaluate(() => ({ made: window.signalling.length, state: window.signalling.at(-1)?.readyState })),
    ({ made, state }) => made > former && state === 1,
  );

const inputWorks = async (page: Page) => {
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

/** Breaks something `rounds` times, and expects the stream to notice nothing: frames in every window, the same peer connection, input. */
export const survives = async (
  page: Page,
  breakOnce: (round: number) => Promise<void>,
  rounds: number,
): Promise<void> => {
  const peers = await page.evaluate(() => window.peers.length);
  await forgetStillness(page);
  for (let round = 0; round < rounds; round++) {
    const former = await connections(page);
    await breakOnce(round);
    await resumed(page, former);
    await inputWorks(page);
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
