import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { type Program, startProgram } from '../../scripts/program.ts';
import { fromSource } from '../../scripts/system.ts';
import { openPage, playing, startBrowser } from '../e2e/browser.ts';
import { until } from '../e2e/harness.ts';

/** The pages that came with each version of Unreal, as npm carries their library, with apps that speak as old and new plugins do. */
const versions = ['5.2', '5.4', '5.5', '5.6', '5.7'];
let folder: string;
let browser: Browser;

const html = (version: string): string =>
  `<!doctype html><meta charset="utf-8"><style>html, body { height: 100%; margin: 0 }</style><script type="module" src="./stock-${version}.js"></script>`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrina-stock-'));
  const built = await Bun.build({
    entrypoints: versions.map((version) => join(import.meta.dir, `stock-${version}.ts`)),
    outdir: join(folder, 'www'),
    target: 'browser',
  });
  expect(built.success).toBe(true);
  for (const version of versions) writeFileSync(join(folder, 'www', `${version}.html`), html(version));
  browser = await startBrowser();
}, 300_000);
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

const start = (name: string, ...command: string[]): Program =>
  startProgram(command, {
    log: createWriteStream(join(folder, `${name}.log`), { flags: 'a' }),
    environment: process.env,
  });

/** A signalling server with these pages, and a demo app that speaks as the plugin of that engine. */
const serve = async (options: string[], flags: string[]) => {
  const ports = ['player', 'streamer', 'sfu'].flatMap((role) => [`--${role}_port`, '0']);
  const pages = ['--serve', '--http_root', join(folder, 'www'), '--legacy_auto_subscribe', ...options];
  const main = fromSource(join('signalling', 'main.ts'));
  const signalling = start('signalling', ...main, '--bind', '127.0.0.1', ...ports, ...pages);
  const { player_port, streamer_port } = await signalling.line(({ msg }) => msg === 'listening');
  const url = `-PixelStreamingURL=ws://127.0.0.1:${streamer_port}`;
  const demo = fromSource(join('session-agent', 'demo-app', 'main.ts'));
  const app = start('demo-app', ...demo, url, '-ResX=320', '-ResY=180', ...flags);
  await app.line(({ msg }) => msg === 'registered');
  return {
    page: `http://127.0.0.1:${player_port}/`,
    app,
    stop: () => Promise.all([app.stop(), signalling.stop()]),
  };
};

const pairs: [app: string, options: string[], flags: string[], pages: string[]][] = [
  [
    '4.27',
    ['--engine', '4.27'],
    ['-DemoEngine=4.27'],
    [
      '5.2.html?OfferToReceive=true',
      '5.4.html?OfferToReceive=true',
      '5.6.html?BrowserSendOffer=true',
      '5.7.html?BrowserSendOffer=true',
    ],
  ],
  ['5.0', [], ['-DemoEngine=5.0'], ['5.2.html', '5.5.html', '5.7.html', '5.4.html?OfferToReceive=true']],
  ['Pixel Streaming 2', [], [], ['5.2.html', '5.4.html', '5.6.html', '5.7.html?BrowserSendOffer=true']],
];
for (const [app, options, flags, pages] of pairs) {
  test(`Epic's pages() play an app of ${app}: ${pages.join(', ')}`, async () => {
    const server = await serve(options, flags);
    try {
      const opened = await Promise.all(pages.map((path) => openPage(browser, `${server.page}${path}`)));
      await Promise.all(opened.map(playing));
      const said = (text: string) => server.app.lines.filter(({ msg }) => msg === text).length;
      await until(
        'every page can steer',
        async () => said('data channel open'),
        (channels) => channels === pages.length,
      );
      expect(said('signalling lost')).toBe(0);
    } finally {
      for (const context of browser.contexts()) await context.close();
      await server.stop();
    }
  }, 600_000);
}
