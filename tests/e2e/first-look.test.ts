import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Browser } from 'playwright-core';
import { openPage, openPhone, playing, startBrowser, strip } from './browser.ts';
import { startTestSystem, type TestSystem, until } from './harness.ts';

let system: TestSystem;
let browser: Browser;

beforeAll(async () => {
  [system, browser] = await Promise.all([startTestSystem([{ seats: 2 }]), startBrowser()]);
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await system?.stop();
}, 120_000);

test('a phone held upright: the page offers to turn it, says how to steer, and its stick walks', async () => {
  const page = await openPhone(browser, system.url);
  await page.getByRole('button', { name: 'Начать' }).first().tap();
  await page.waitForURL(/\/s\//);
  await playing(page);
  await page.getByText('Поверните телефон').waitFor();
  await page.getByText('Джойстик').waitFor();

  const stick = page.getByLabel('Джойстик для ходьбы');
  const box = await stick.boundingBox();
  const { inputs } = await until(
    'the strip is read',
    () => strip(page),
    ({ contrast }) => contrast > 0.8,
  );
  await stick.tap({ position: { x: (box?.width ?? 0) / 2, y: 10 } });
  await until(
    'the app takes the keys of the stick',
    () => strip(page),
    (now) => now.contrast > 0.8 && now.inputs >= inputs + 2,
  );

  await page.getByRole('button', { name: 'Понятно' }).tap();
  expect(await page.getByText('Поверните телефон').count()).toBe(0);
  await page.setViewportSize({ width: 844, height: 390 });
  await stick.waitFor();
  await page.close();
}, 600_000);

test('a desk: the page says how to steer, and how the pointer comes back when it is taken', async () => {
  const page = await openPage(browser, system.url);
  await page.getByRole('button', { name: 'Start' }).first().click();
  await page.waitForURL(/\/s\//);
  await playing(page);
  await page.getByText('W A S D').waitFor();
  expect(await page.getByLabel('Stick for walking').count()).toBe(0);
  await page.keyboard.press('KeyW');
  await page.getByText('W A S D').waitFor({ state: 'detached' });
  await page.evaluate(() => document.querySelector('video')?.requestPointerLock());
  await page.getByText('Esc gives it back').waitFor();
  await page.evaluate(() => document.exitPointerLock());
  await page.getByText('Esc gives it back').waitFor({ state: 'detached' });
  await page.close();
}, 600_000);

test('an address that leads nowhere: 404, and a page that says what to do', async () => {
  const page = await openPage(browser, system.url);
  for (const [path, text] of [
    ['/nowhere/at/all', 'Everything begins at the list'],
    ['/i/not)whole', 'The invite link is not whole'],
    ['/s/', 'You can join with the code'],
  ] as const) {
    expect((await page.goto(`${system.url}${path}`))?.status()).toBe(404);
    await page.getByText(text).waitFor();
  }
  await page.getByRole('button', { name: 'Back to the list' }).click();
  await page.getByRole('button', { name: 'Start' }).first().waitFor();
}, 600_000);
