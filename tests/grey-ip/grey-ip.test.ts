import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { decodedFrames, difference, openPage, picture, startBrowser } from '../e2e/browser.ts';
import { startTestSystem, type TestSystem, until } from '../e2e/harness.ts';
import { HOST_ADDRESS, HOST_ROUTER, type Network, PUBLIC_ADDRESS, startNetwork } from './network.ts';

let folder: string;
let network: Network;
let stun: ChildProcess;
let system: TestSystem;
let browser: Browser;

/** Debian's coturn, answering STUN only, on the public machine. */
const startStun = (): ChildProcess =>
  spawn(
    'ip',
    [
      ...network.inside('public').slice(1),
      ...['turnserver', '-n', '--stun-only', '--no-cli', '--no-tls', '--no-dtls', '--log-file', 'stdout'],
      ...[
        `--listening-ip=${PUBLIC_ADDRESS}`,
        '--listening-port=3478',
        `--pidfile=${join(folder, 'stun.pid')}`,
      ],
    ],
    { stdio: 'ignore' },
  );

/** A Chromium that lives in the visitor's home. */
const startVisitor = (): Promise<Browser> => {
  const wrapper = join(folder, 'chromium');
  writeFileSync(wrapper, `#!/bin/sh\nexec ${network.inside('visitor').join(' ')} /usr/bin/chromium "$@"\n`);
  chmodSync(wrapper, 0o755);
  return startBrowser(wrapper);
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrina-grey-ip-'));
  network = startNetwork();
  stun = startStun();
  const url = `http://${PUBLIC_ADDRESS}:8080`;
  system = await startTestSystem(
    [{}],
    { ip: PUBLIC_ADDRESS, public_url: url, ice_servers: [{ urls: [`stun:${PUBLIC_ADDRESS}:3478`] }] },
    {
      port: 8080,
      publicUrl: url,
      coordinatorPlace: network.inside('public'),
      agentPlace: network.inside('host'),
    },
  );
  browser = await startVisitor();
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  stun?.kill();
  network?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

/** Where the media of the page's peer connection comes from: the address of the chosen remote candidate. */
const mediaSource = (page: Page): Promise<string | undefined> =>
  page.evaluate(async () => {
    const [connection] = (window as unknown as { connections: RTCPeerConnection[] }).connections.slice(-1);
    const stats = [...((await connection?.getStats())?.values() ?? [])];
    const transport = stats.find(({ type }) => type === 'transport');
    const pair = stats.find(({ id }) => id === transport?.selectedCandidatePairId);
    return stats.find(({ id }) => id === pair?.remoteCandidateId)?.address;
  });

test('a host behind NAT() is reached by nobody and seen by a visitor behind another NAT', async () => {
  for (const address of [HOST_ADDRESS, HOST_ROUTER]) {
    expect(() =>
      network.run('public', 'bash', '-c', `timeout 1 bash -c '</dev/tcp/${address}/24000'`),
    ).toThrow();
  }

  const page = await openPage(browser, system.url, () => {
    const made: RTCPeerConnection[] = [];
    Object.assign(window, {
      connections: made,
      RTCPeerConnection: class extends RTCPeerConnection {
        constructor(configuration?: RTCConfiguration) {
          super(configuration);
          made.push(this);
        }
      },
    });
  });
  await page.getByRole('button', { name: 'Start' }).first().click();
  await page.waitForURL(/\/s\//);
  await until(
    'video plays',
    () => decodedFrames(page),
    (frames) => frames > 30,
  );
  expect(await mediaSource(page)).toBe(HOST_ROUTER);

  const before = await picture(page);
  await page.keyboard.down('KeyW');
  await until(
    'the picture changes',
    () => picture(page),
    (now) => difference(before, now) > 8,
  );
  await page.keyboard.up('KeyW');
}, 900_000);
