import { type Browser, chromium, type Page } from 'playwright-core';

/** For a machine that is busy with other things; what takes long on an idle one is the benchmark's to say. */
const PATIENCE_MS = 90_000;

/** Debian's Chromium, headless, as root, with nothing that talks to the outside. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
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

/** A page of a visitor of its own (own storage), in English. */
export const openPage = async (browser: Browser, url: string): Promise<Page> => {
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 720 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(url);
  return page;
};

/** Frames decoded by the page's video so far; 0 while there is none. */
export const decodedFrames = (page: Page): Promise<number> =>
  page.evaluate(() => document.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0);

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

/** Mean absolute difference of two pictures, 0 to 255. */
export const difference = (a: number[], b: number[]): number => {
  if (a.length === 0 || a.length !== b.length) throw new Error('pictures of different sizes');
  return a.reduce((sum, value, index) => sum + Math.abs(value - (b[index] ?? 0)), 0) / a.length;
};

/** Mean brightness, 0 to 255. */
export const brightness = (pixels: number[]): number =>
  pixels.reduce((sum, value) => sum + value, 0) / Math.max(pixels.length, 1);
