import { type Browser, chromium, type Page } from 'playwright-core';
import { until } from './harness.ts';

/** For a machine that is busy with other things; what takes long on an idle one is the benchmark's to say. */
const PATIENCE_MS = 180_000;

/** Debian's Chromium, headless, as root, with nothing that talks to the outside. */
export const startBrowser = (executablePath = '/usr/bin/chromium'): Promise<Browser> =>
  chromium.launch({
    executablePath,
    timeout: PATIENCE_MS,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });

/** A phone held upright, in Russian. */
export const openPhone = async (browser: Browser, url: string): Promise<Page> => {
  const viewport = { width: 390, height: 844 };
  const context = await browser.newContext({ locale: 'ru-RU', viewport, hasTouch: true, isMobile: true });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(url);
  return page;
};

/** A page of a visitor of its own (own storage), in English. `prepare` runs in it before the site's own code. */
export const openPage = async (browser: Browser, url: string, prepare?: () => void): Promise<Page> => {
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 720 } });
  if (prepare !== undefined) await context.addInitScript(prepare);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(url);
  return page;
};

/** Frames decoded by the page's video so far; 0 while there is none. */
export const decodedFrames = (page: Page): Promise<number> =>
  page.evaluate(() => document.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0);

/** Waits for a live picture: one frame alone could be a still. */
export const playing = (page: Page): Promise<number> =>
  until(
    'video plays',
    () => decodedFrames(page),
    (frames) => frames > 5,
  );

/** What the video shows now: 64x36 pixels as [r, g, b, r, g, b, ...]. */
export const picture = (page: Page): Promise<number[]> =>
  page.evaluate(() => {
    const video = document.querySelector('video');
    const canvas = document.createElement('canvas');
    canvas.width = 64;
    canvas.height = 36;
    const context = canvas.getContext('2d');
    if (video === null || context === null) return [];
    context.drawImage(video, 0, 0, 64, 36);
    const { data } = context.getImageData(0, 0, 64, 36);
    return [...data].filter((_, index) => index % 4 !== 3);
  });

/** What the demo app writes into the lower left corner of its picture; nothing else draws that. */
export interface Strip {
  /** Counts frames drawn, modulo 65,536. */
  frame: number;
  /** Counts inputs taken, modulo 256. */
  inputs: number;
  /** How far the squares are from grey, 0 to 1: near 1 in the demo app's picture, lower where there is no strip. */
  contrast: number;
}

/** Reads the strip of 24 squares, 8 pixels wide, at the video's own size. */
export const strip = (page: Page): Promise<Strip> =>
  page.evaluate(() => {
    const video = document.querySelector('video');
    const canvas = document.createElement('canvas');
    canvas.width = video?.videoWidth ?? 0;
    canvas.height = video?.videoHeight ?? 0;
    const context = canvas.getContext('2d');
    if (video === null || context === null || canvas.width === 0) return { frame: 0, inputs: 0, contrast: 0 };
    context.drawImage(video, 0, 0);
    const squares = Array.from({ length: 24 }, (_, bit) => {
      const { data } = context.getImageData(bit * 8 + 2, canvas.height - 6, 4, 4);
      return data.filter((_value, at) => at % 4 !== 3).reduce((sum, value) => sum + value, 0) / 48 / 255;
    });
    const number = (bits: number[]) => bits.reduce((sum, value) => sum * 2 + (value > 0.5 ? 1 : 0), 0);
    const contrast = squares.reduce((sum, value) => sum + Math.abs(value - 0.5) * 2, 0) / 24;
    return { frame: number(squares.slice(0, 16)), inputs: number(squares.slice(16)), contrast };
  });

/** Mean absolute difference of two pictures, 0 to 255. */
export const difference = (a: number[], b: number[]): number => {
  if (a.length === 0 || a.length !== b.length) throw new Error('pictures of different sizes');
  return a.reduce((sum, value, index) => sum + Math.abs(value - (b[index] ?? 0)), 0) / a.length;
};
