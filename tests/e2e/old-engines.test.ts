import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { openPage, playing, startBrowser, strip } from './browser.ts';
import { startTestSystem, type TestSystem, until } from './harness.ts';

/** Our own site with apps of old engines: real WebRTC, and a streamer that closes on what its plugin did not know. */
let system: TestSystem;
let browser: Browser;
let folder: string;

/** The demo app as a program to which Unreal's switches may be given. */
const demoProgram = (): string => {
  const program = join(folder, 'demo');
  const main = resolve(import.meta.dir, '..', '..', 'session-agent', 'demo-app', 'main.ts');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  chmodSync(program, 0o755);
  return program;
};

const old = (rc_name: string, engine: string, settings: Record<string, unknown>) => ({
  rc_name,
  style: 'loft' as const,
  settings: {
    ...settings,
    arguments: [`-DemoEngine=${engine}`, '-DemoCounters', ...(settings.arguments as [])],
  },
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrina-old-engines-'));
  const path = demoProgram();
  const url = ['-PixelStreamingURL={streamer_url}', '-PixelStreamingID={streamer_id}'];
  const size = ['-ResX={width}', '-ResY={height}'];
  const apps = [
    old('Tower', '4.27', { path, engine: '4.27', arguments: [] }),
    old('Cellar', '4.27', { path, arguments: [...url, ...size] }),
    old('Attic', '5.0', { path, engine: '5.0', arguments: [] }),
  ];
  [system, browser] = await Promise.all([startTestSystem([{ seats: 3, apps }]), startBrowser()]);
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

/** How often an app closed on a message, by the log of its instance. (It also finds no signalling at first: both start at once.) */
const lost = (instance: string): number => {
  const logs = join(system.folder, 'host-1', 'logs');
  const [file = ''] = readdirSync(logs).filter((name) => name.startsWith(instance) && name.includes('-app'));
  return readFileSync(join(logs, file), 'utf8').split('"close":4001').length - 1;
};

const rows: [app: string, losses: number][] = [
  ['Tower', 0],
  // Nobody said that it is of 4.27: the first page that subscribes makes it close, once.
  ['Cellar', 1],
  ['Attic', 0],
];
for (const [app, losses] of rows) {
  test(`old engines: ${app} is seen and steered by its owner, and seen by a guest`, async () => {
    const owner = await openPage(browser, system.url);
    await owner.locator('article', { hasText: app }).getByRole('button', { name: 'Start' }).click();
    await owner.waitForURL(/\/s\//);
    await playing(owner);
    const before = await until(
      'the counters',
      () => strip(owner),
      ({ contrast }) => contrast > 0.8,
    );
    await owner.keyboard.down('KeyW');
    await until(
      'the app counts the key',
      () => strip(owner),
      ({ inputs, contrast }) => contrast > 0.8 && inputs !== before.inputs,
    );
    await owner.keyboard.up('KeyW');
    const guest = await openPage(
      browser,
      `${system.url}/?code=${await owner.locator('.invite-code').first().textContent()}`,
    );
    await guest.getByRole('button', { name: 'Join', exact: true }).click();
    await guest.waitForURL(/\/s\//);
    await playing(guest);
    expect(lost(new URL(owner.url()).pathname.replace('/s/', ''))).toBe(losses);
    await owner.context().close();
    await guest.context().close();
  }, 900_000);
}
