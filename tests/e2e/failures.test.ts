import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Browser } from 'playwright-core';
import type { DemoApp } from '../../scripts/system.ts';
import { openPage, playing, startBrowser } from './browser.ts';
import {
  appProcess,
  processesOf,
  signallingProcess,
  startTestSystem,
  type TestSystem,
  until,
  watchStalls,
} from './harness.ts';

/** Each app fails in its own way; each must free its seat, leave no process, and say why. */
const demo = (rc_name: string, flags: string[], settings: Record<string, unknown> = {}): DemoApp => ({
  rc_name,
  style: 'loft',
  flags,
  settings,
});

const apps: DemoApp[] = [
  demo('Good', []),
  demo('Missing', [], { path: '/nowhere/flat.exe' }),
  demo('Exits', ['-DemoExitCode=3']),
  demo('Silent', ['-DemoNeverRegister'], { start_timeout_seconds: 2 }),
  demo('Fragile', [], { restart: { times: 0, window_seconds: 600 } }),
  demo('Sturdy', [], { restart: { times: 2, window_seconds: 600 } }),
];

let system: TestSystem;
let browser: Browser;

beforeAll(async () => {
  [system, browser] = await Promise.all([
    startTestSystem([{ apps }], { first_join_seconds: 300 }),
    startBrowser(),
  ]);
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await system?.stop();
}, 120_000);

const seatsFree = async () => (await system.api('GET', '/api/v1/apps')).body.apps[0].seats_free;

const create = async (app: string) => {
  const { status, body } = await system.api('POST', '/api/v1/sessions', { app });
  expect(status).toBe(201);
  const { id } = body.session;
  const get = async () =>
    (await system.api('GET', `/api/v1/sessions/${id}`, undefined, body.participant_token)).body;
  return { id, token: body.participant_token, get };
};

const released = async (id: string) => {
  await until('the seat is free', seatsFree, (seats) => seats === 1);
  expect(processesOf(id)).toEqual([]);
};

test.each([
  ['Missing', 'app_not_found'],
  ['Exits', 'app_exited'],
  ['Silent', 'start_timeout'],
])(
  'create session() of the app "%s" ends with %s and frees the seat',
  async (app, reason) => {
    const session = await create(app);
    const ended = await until('the session ends', session.get, ({ phase }) => phase === 'ended');
    expect(ended.end.reason).toBe(reason);
    expect(ended.end.text.length).toBeGreaterThan(10);
    await released(session.id);
  },
  900_000,
);

test('killing the app process() is seen within 2 s and restarts it as configured', async () => {
  const session = await create('Sturdy');
  await until('ready', session.get, ({ phase }) => phase === 'ready');
  const before = appProcess(session.id);
  const stalls = watchStalls();
  const killed = Date.now();
  process.kill(before?.pid ?? 0, 'SIGKILL');
  const { phases } = await until('restarting is seen', session.get, (now) => 'restarting' in now.phases);
  expect(Date.parse(phases.restarting) - killed).toBeLessThan(2_000 + stalls());
  await until('ready again', session.get, ({ phase }) => phase === 'ready');
  expect(appProcess(session.id)?.pid).not.toBe(before?.pid ?? 0);
  await system.api('DELETE', `/api/v1/sessions/${session.id}`, undefined, session.token);
  await released(session.id);
}, 900_000);

test('killing the app process() ends the session within 2 s when no restart is configured', async () => {
  const session = await create('Fragile');
  await until('ready', session.get, ({ phase }) => phase === 'ready');
  const stalls = watchStalls();
  const killed = Date.now();
  process.kill(appProcess(session.id)?.pid ?? 0, 'SIGKILL');
  const ended = await until('the end is seen', session.get, ({ phase }) => phase === 'ended');
  expect(Date.parse(ended.phases.ended) - killed).toBeLessThan(2_000 + stalls());
  expect(ended.end.reason).toBe('app_crashed');
  await released(session.id);
}, 900_000);

test('killing the signalling process() restarts it and the page plays again', async () => {
  const page = await openPage(browser, system.url);
  await page.getByRole('article').filter({ hasText: 'Good' }).getByRole('button', { name: 'Start' }).click();
  await page.waitForURL(/\/s\//);
  await playing(page);
  const id = new URL(page.url()).pathname.replace('/s/', '');
  process.kill(signallingProcess(id)?.pid ?? 0, 'SIGKILL');
  await until(
    'a second connection shows its first frame',
    () => page.evaluate(() => performance.getEntriesByName('vitrina:first-frame').length),
    (firsts) => firsts >= 2,
  );
  await page.context().close();
  await released(id);
}, 900_000);

test('all seats busy() is SERVERS_BUSY over the verbs, 503 over REST, and explained on the site', async () => {
  const session = await create('Good');
  const refused = await system.api('POST', '/api/v1/sessions', { app: 'Good' });
  expect(refused.status).toBe(503);
  expect(refused.body.code).toBe('servers_busy');

  const answers: { msg?: string }[] = [];
  const socket = new WebSocket(`${system.url.replace('http', 'ws')}/ws`);
  socket.onopen = () => socket.send(JSON.stringify({ verb: 'CREATE_SESSION', rc_name: 'Good' }));
  socket.onmessage = ({ data }) => answers.push(JSON.parse(String(data)));
  await until(
    'an answer',
    () => answers.length,
    (count) => count >= 2,
  );
  socket.close();
  expect(answers.map(({ msg }) => msg)).toEqual(['CONNECTED', 'SERVERS_BUSY']);

  const page = await openPage(browser, system.url);
  await page.getByText(/busy/i).first().waitFor();
  await page.context().close();
  await system.api('DELETE', `/api/v1/sessions/${session.id}`, undefined, session.token);
  await released(session.id);
}, 900_000);
