import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Browser } from 'playwright-core';
import { writtenIceServerSchema } from '../../shared/ice-server.ts';
import { good_urls, wrong_urls } from '../../shared/testing/ice-urls.ts';
import { openPage, startBrowser } from '../e2e/browser.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
}, 240_000);
afterAll(() => browser?.close());

/** What the browser says to each server: '' when it takes it. */
const said = async (servers: object[]): Promise<string[]> => {
  const page = await openPage(browser, 'about:blank');
  return page.evaluate(
    (all) =>
      all.map((server) => {
        try {
          new RTCPeerConnection({ iceServers: [server as RTCIceServer] }).close();
          return '';
        } catch (error) {
          return String(error);
        }
      }),
    servers,
  );
};

test('a browser takes whatever writtenIceServerSchema() takes', async () => {
  const servers = good_urls.map(([url]) => ({ urls: [url], username: 'u'.repeat(508), credential: 'c' }));
  const parsed = servers.map((server) => writtenIceServerSchema.parse(server));
  expect(await said(parsed)).toEqual(servers.map(() => ''));
});

test('whatever a browser throws on writtenIceServerSchema() refuses', async () => {
  const credentials = { username: 'u', credential: 'c' };
  const candidates = [
    ...[...good_urls, ...wrong_urls].map(([url]) => ({ urls: [url], ...credentials })),
    ...[{}, { username: 'u' }, { ...credentials, username: '' }, { ...credentials, credential: '' }].map(
      (given) => ({ urls: ['turn:turn.example'], ...given }),
    ),
    { urls: [], ...credentials },
    { urls: ['turn:turn.example'], ...credentials, username: 'u'.repeat(510) },
  ];
  const answers = await said(candidates);
  const thrown = candidates.filter((_, at) => answers[at] !== '');
  expect(thrown.length).toBeGreaterThan(25);
  expect(thrown.filter((server) => writtenIceServerSchema.safeParse(server).success)).toEqual([]);
});
