import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { type Program, startProgram } from '../../scripts/program.ts';
import { fromSource } from '../../scripts/system.ts';
import { decodedFrames, difference, openPage, picture, playing, startBrowser } from '../e2e/browser.ts';
import { until } from '../e2e/harness.ts';

/** Epic's frontend library in Chromium, our signalling server alone, and the demo app as the streamer. */
let folder: string;
let browser: Browser;
const running: Program[] = [];

const start = (name: string, ...command: string[]): Program => {
  const program = startProgram(command, {
    log: createWriteStream(join(folder, `${name}-${running.length}.log`)),
    environment: process.env,
  });
  running.push(program);
  return program;
};

interface Server {
  page: string;
  streamers: string;
}

const startServer = async (...options: string[]): Promise<Server> => {
  const ports = ['player', 'streamer', 'sfu'].flatMap((role) => [`--${role}_port`, '0']);
  const pages = ['--serve', '--http_root', join(folder, 'www'), '--homepage', 'index.html'];
  const main = fromSource(join('signalling', 'main.ts'));
  const program = start('signalling', ...main, '--bind', '127.0.0.1', ...ports, ...pages, ...options);
  const { player_port, streamer_port } = await program.line(({ msg }) => msg === 'listening');
  return { page: `http://127.0.0.1:${player_port}/`, streamers: `ws://127.0.0.1:${streamer_port}` };
};

/** A registered demo app, drawn small: software rendering and encoding take what a test machine has. */
const startStreamer = async (server: Server, id: string, style = 'loft'): Promise<Program> => {
  const main = fromSource(join('session-agent', 'demo-app', 'main.ts'));
  const flags = [`-PixelStreamingURL=${server.streamers}`, `-PixelStreamingID=${id}`, `-DemoStyle=${style}`];
  const program = start('demo-app', ...main, ...flags, '-ResX=320', '-ResY=180');
  await program.line(({ msg }) => msg === 'registered');
  return program;
};

interface Seen {
  type: string;
  data: Record<string, unknown> | null;
}

/** What the library said of that kind, once it has said it so often. */
const said = (page: Page, type: string, times = 1): Promise<Seen[]> =>
  until(
    `the library says ${type}`,
    () => page.evaluate((kind) => Reflect.get(window, 'events').filter((e: Seen) => e.type === kind), type),
    (events: Seen[]) => events.length >= times,
  );

const interact = (page: Page, descriptor: object) =>
  page.evaluate((wish) => Reflect.get(window, 'stream').emitUIInteraction(wish), descriptor);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrina-frontend-'));
  const page = join(import.meta.dir, 'index.html');
  const built = await Bun.build({ entrypoints: [page], outdir: join(folder, 'www') });
  expect(built.success).toBe(true);
  browser = await startBrowser();
}, 300_000);
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await Promise.all(running.splice(0).map((program) => program.stop()));
}, 120_000);
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

test("Epic's page() plays again when the streamer is started anew", async () => {
  const server = await startServer();
  const first = await startStreamer(server, 'Flat');
  const page = await openPage(browser, server.page);
  await playing(page);
  await first.stop();
  await startStreamer(server, 'Flat');
  await said(page, 'videoInitialized', 2);
  await playing(page);
}, 900_000);

test("Epic's page() shows the streamer that it asks for, of two that wanted one id", async () => {
  const server = await startServer();
  await startStreamer(server, 'Twin', 'loft');
  await startStreamer(server, 'Twin', 'garden');
  const loft = await openPage(browser, `${server.page}?StreamerId=Twin`);
  const garden = await openPage(browser, `${server.page}?StreamerId=Twin1`);
  await Promise.all([playing(loft), playing(garden)]);
  await until(
    'two different flats',
    async () => difference(await picture(loft), await picture(garden)),
    (apart) => apart > 20,
  );
}, 900_000);

test("Epic's page() is told that the streamer is full, follows a new id, and is told why it was kicked", async () => {
  const server = await startServer('--max_players', '1');
  await startStreamer(server, 'Flat');
  const page = await openPage(browser, server.page);
  await playing(page);

  const late = await openPage(browser, server.page);
  const [full] = await said(late, 'subscribeFailed');
  expect(full?.data).toEqual({ message: 'Streamer Flat is full. Max players = 1.' });

  await interact(page, { rename: 'Penthouse' });
  const [changed] = await said(page, 'StreamerIDChangedMessage');
  expect(changed?.data).toEqual({ newID: 'Penthouse' });
  const before = await decodedFrames(page);
  await until(
    'video goes on',
    () => decodedFrames(page),
    (frames) => frames > before + 5,
  );

  await interact(page, { kick: 'The tour is over' });
  const [gone] = await said(page, 'webRtcDisconnected');
  expect(gone?.data?.eventString).toContain('The tour is over');
}, 900_000);
