import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Browser } from 'playwright-core';
import { openPage, playing, startBrowser } from './browser.ts';
import { startTestSystem, type TestSystem, until } from './harness.ts';

let system: TestSystem;
let browser: Browser;

/** Ten minutes are so few that an extension is offered at once, and enough for a slow machine. */
const info = { lobby: true, default_minutes: 10, max_minutes: 30 };

beforeAll(async () => {
  [system, browser] = await Promise.all([
    startTestSystem([{ apps: [{ rc_name: 'Loft', style: 'loft', info }] }]),
    startBrowser(),
  ]);
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await system?.stop();
}, 120_000);

test('lobby: a guest by code waits for the owner, one by invite does not, and the owner extends', async () => {
  const owner = await openPage(browser, system.url);
  await owner.getByRole('button', { name: 'Start' }).first().click();
  await owner.waitForURL(/\/s\//);
  await playing(owner);
  const code = await owner.locator('.invite-code').first().textContent();

  const guest = await openPage(browser, `${system.url}/?code=${code}`);
  await guest.getByRole('button', { name: 'Join', exact: true }).click();
  await guest.getByRole('heading', { name: 'Waiting to be let in' }).waitFor();
  expect(await guest.locator('.invite-code').count()).toBe(0);
  await owner.getByRole('button', { name: 'Let in' }).click();
  await playing(guest);

  const refused = await openPage(browser, `${system.url}/?code=${code}`);
  await refused.getByRole('button', { name: 'Join', exact: true }).click();
  await owner.getByRole('button', { name: 'Send away' }).click();
  await refused.getByText('You were not let in').waitFor();

  const { url } = await owner.evaluate(() => ({ url: location.href }));
  const id = new URL(url).pathname.replace('/s/', '');
  const token = await owner.evaluate((session) => {
    const kept = sessionStorage.getItem(`vitrina:session:${session}`) ?? '{}';
    return JSON.parse(kept).participant_token;
  }, id);
  const session = async () => (await system.api('GET', `/api/v1/sessions/${id}`, undefined, token)).body;
  const { invite, ends_at } = await session();
  const invited = await openPage(browser, `${system.url}/i/${invite}`);
  await invited.waitForURL(/\/s\//);
  await playing(invited);

  // Somebody on the same network guesses: codes are not looked at any more, and the owner decides by name.
  const wrong = code === '0000' ? '0001' : '0000';
  for (let n = 0; n < 10; n++) await system.api('POST', '/api/v1/join', { code: wrong });
  const named = await openPage(browser, `${system.url}/?code=${code}`);
  await named.getByLabel('Your name').fill('Anna');
  await named.getByRole('button', { name: 'Join', exact: true }).click();
  await named.getByRole('heading', { name: 'Waiting to be let in' }).waitFor();
  await owner.getByText('Anna asks to come in.').waitFor();
  await owner.getByRole('button', { name: 'Let in' }).click();
  await playing(named);

  await owner.getByRole('button', { name: 'Go on for' }).click();
  await until('the session is longer', session, (now) => now.ends_at > ends_at);
  const stranger = await openPage(browser, `${system.url}/i/nothing`);
  await stranger.getByText('This invite opens nothing').waitFor();
}, 900_000);
