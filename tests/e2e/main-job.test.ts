import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Browser, Page } from 'playwright-core';
import { decodedFrames, difference, openPage, picture, playing, startBrowser, strip } from './browser.ts';
import {
  isOpen,
  listeners,
  processesOf,
  sessionPorts,
  signallingProcess,
  startTestSystem,
  type TestSystem,
  until,
} from './harness.ts';

let system: TestSystem;
let browser: Browser;

beforeAll(async () => {
  [system, browser] = await Promise.all([startTestSystem(), startBrowser()]);
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await system?.stop();
}, 120_000);

const sessionId = (page: Page): string => new URL(page.url()).pathname.replace('/s/', '');

const freeSeats = async (): Promise<number> =>
  (await system.api('GET', '/api/v1/apps')).body.apps[0].seats_free;

/** The picture after an action, once it differs from `before` by more than `by`. */
const changed = (page: Page, before: number[], by: number) =>
  until(
    'the picture changes',
    () => picture(page),
    (now) => difference(before, now) > by,
  );

/** The picture once nothing moves in it any more but the clock, over some decoded frames. */
const steady = async (page: Page): Promise<number[]> => {
  let last = { frames: await decodedFrames(page), pixels: await picture(page) };
  return until(
    'the picture comes to rest',
    async () => {
      const frames = await decodedFrames(page);
      if (frames < last.frames + 5) return [];
      const before = last.pixels;
      last = { frames, pixels: await picture(page) };
      return difference(before, last.pixels) < 1 ? last.pixels : [];
    },
    (rested) => rested.length > 0,
  );
};

test('main job: start, see, steer, share, leave', async () => {
  const owner = await openPage(browser, system.url);
  await owner.getByRole('button', { name: 'Start' }).first().click();
  await owner.waitForURL(/\/s\//);
  await playing(owner);
  const id = sessionId(owner);

  const started = await decodedFrames(owner);
  await until(
    'frames go on',
    () => decodedFrames(owner),
    (frames) => frames >= started + 30,
  );
  const first = await picture(owner);
  const counted = await strip(owner);
  expect(counted.contrast).toBeGreaterThan(0.8);
  await until(
    "the demo app's own count of frames grows",
    () => strip(owner),
    ({ frame, contrast }) => contrast > 0.8 && frame > counted.frame,
  );

  expect(processesOf(id).length).toBe(2);
  // The app's own media sockets are WebRTC's business; the platform's listeners must all be on loopback.
  const platform = [...system.agents.map(({ pid }) => pid), signallingProcess(id)?.pid ?? 0];
  const ports = sessionPorts(id);
  expect(await Promise.all(ports.map(isOpen))).toEqual([true, true]);
  const open = listeners(platform);
  expect(open.length).toBeGreaterThan(0);
  expect(open.filter((address) => !address.startsWith('0100007F:'))).toEqual([]);

  await owner.keyboard.down('KeyW');
  await until(
    'the demo app counts the key',
    () => strip(owner),
    ({ inputs, contrast }) => contrast > 0.8 && inputs !== counted.inputs,
  );
  const walked = await changed(owner, first, 8);
  await owner.keyboard.up('KeyW');

  const { width, height } = owner.viewportSize() ?? { width: 0, height: 0 };
  await owner.mouse.move(width / 2, height / 2);
  await owner.mouse.down();
  await owner.mouse.move(width / 2 + 200, height / 2, { steps: 10 });
  await owner.mouse.up();
  await changed(owner, walked, 8);
  const dark = await steady(owner);
  await owner.mouse.click(width / 2, height / 2);
  await changed(owner, dark, 5);

  const code = (await system.api('GET', `/api/v1/sessions/${id}`, undefined, await tokenOf(owner))).body.code;
  const guest = await openPage(browser, `${system.url}/?code=${code}`);
  await guest.getByRole('button', { name: 'Join', exact: true }).click();
  await guest.waitForURL(/\/s\//);
  expect(sessionId(guest)).toBe(id);
  await playing(guest);
  await until(
    'both see the same',
    async () => difference(await picture(owner), await picture(guest)),
    (apart) => apart < 6,
  );

  await owner.context().close();
  const grown = await decodedFrames(guest);
  await until(
    'the guest goes on alone',
    () => decodedFrames(guest),
    (frames) => frames > grown + 60,
  );
  expect(await freeSeats()).toBe(0);
  await guest.context().close();

  await until('the seat is free', freeSeats, (seats) => seats === 1);
  expect(processesOf(id)).toEqual([]);
  expect(await Promise.all(ports.map(isOpen))).toEqual([false, false]);
}, 900_000);

/** The participant's token, as the page keeps it for a reload. */
const tokenOf = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const values = Object.keys(sessionStorage).map((key) => sessionStorage.getItem(key) ?? '');
    const kept = values.map((value) => /"participant_token":"([^"]+)"/.exec(value)?.[1]).find(Boolean);
    return kept ?? '';
  });

test('reload returns to the same session', async () => {
  const page = await openPage(browser, system.url);
  await page.getByRole('button', { name: 'Start' }).first().click();
  await page.waitForURL(/\/s\//);
  await playing(page);
  const id = sessionId(page);
  await page.reload();
  await playing(page);
  expect(sessionId(page)).toBe(id);
  await page.context().close();
  await until('the seat is free', freeSeats, (seats) => seats === 1);
}, 900_000);

test('main job: what the browser throws while connecting is told to the visitor and to the log', async () => {
  const page = await openPage(browser, system.url, () => {
    window.RTCPeerConnection = class {
      constructor() {
        throw new DOMException('ICE server parsing failed', 'SyntaxError');
      }
    } as unknown as typeof RTCPeerConnection;
  });
  await page.getByRole('button', { name: 'Start' }).first().click();
  await page.getByText('SyntaxError: ICE server parsing failed').waitFor();
  const line = await system.coordinator.line(({ msg }) => msg === 'a browser shows no picture');
  expect(line).toMatchObject({ session: sessionId(page), said: 'SyntaxError: ICE server parsing failed' });
  await system.api('DELETE', `/api/v1/sessions/${sessionId(page)}`, undefined, await tokenOf(page));
  await page.close();
  await until('the seat is free', freeSeats, (free) => free === 1);
}, 300_000);
