import { afterAll, expect, test } from 'bun:test';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, startProgram } from '../../scripts/program.ts';
import { openPage, startBrowser } from './browser.ts';
import { executable } from './harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'vitrina-reset-'));
const email = 'anna@example.com';
const [before, after] = ['correct horse battery', 'another horse battery'];
let coordinator: Program | undefined;

afterAll(async () => {
  await coordinator?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

test("reset link: an administrator's one-time link sets a new password in the browser, once", async () => {
  const write = (name: string, content: unknown) =>
    writeFileSync(join(folder, name), JSON.stringify(content));
  write('servers.json', []);
  write('configuration.json', { ip: '127.0.0.1', port: 0, time_between_updates_seconds: 30 });
  const program = executable('coordinator-linux-x64');
  const words = ['admin', 'create', '--email', email, '--name', 'Anna', '--data', folder];
  const made = Bun.spawn([program, ...words], {
    stdin: new Blob([`${before}\n`]),
    stdout: 'ignore',
    stderr: 'ignore',
  });
  expect(await made.exited).toBe(0);
  coordinator = startProgram([program, 'serve', '--data', folder], {
    log: createWriteStream(join(folder, 'coordinator.log')),
    environment: process.env,
  });
  const { url } = await coordinator.line(({ msg }) => msg === 'listening');
  const post = async (path: string, body: object, token?: string) => {
    const headers = new Headers({ 'Content-Type': 'application/json' });
    if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
    const answer = await fetch(`${url}/api/v1${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const login = (password: string) => post('/login', { email, password });
  const { account, access_token } = (await login(before)).body;
  const link = (await post(`/accounts/${account.id}/reset-link`, {}, access_token)).body;

  const browser = await startBrowser();
  try {
    const set = async (said: string) => {
      const page = await openPage(browser, link.url);
      await page.getByLabel('New password').fill(after);
      await page.getByRole('button', { name: 'Save the password' }).click();
      await page.getByText(said).waitFor();
    };
    await set('The new password is set.');
    await set('This link no longer works.');
  } finally {
    await browser.close();
  }
  expect([(await login(before)).status, (await login(after)).status]).toEqual([401, 200]);
}, 900_000);
