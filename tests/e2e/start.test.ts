import { afterEach, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePorts } from '../../shared/testing/free-ports.ts';
import { isOpen, until } from './harness.ts';

const script = resolve(import.meta.dir, '..', '..', 'scripts', 'start.ts');
const folder = mkdtempSync(join(tmpdir(), 'vitrina-start-'));
const running: Bun.Subprocess[] = [];

/** `npm start` as npm runs it, its output in a file. */
const start = (port: number) => {
  const output = join(folder, `${port}-${running.length}.log`);
  const child = Bun.spawn([process.execPath, script], {
    env: { ...process.env, VITRINA_PORT: String(port) },
    stdout: Bun.file(output),
    stderr: Bun.file(output),
  });
  running.push(child);
  return { child, said: () => readFileSync(output, 'utf8') };
};

const hostsConnected = async (port: number): Promise<number> =>
  (await (await fetch(`http://127.0.0.1:${port}/readyz`)).json()).hosts_connected;

afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill('SIGINT');
    await child.exited;
  }
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

test('npm start() says its URL, bears a second start on its port, and leaves nothing behind', async () => {
  const port = await freePorts();
  const first = start(port);
  await until('the line with the URL', first.said, (text) => text.includes(`http://localhost:${port}`));
  expect(first.said().trim().split('\n')).toHaveLength(1);
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);

  const demo = resolve(import.meta.dir, '..', '..', '.demo', String(port));
  const servers = join(demo, 'coordinator', 'servers.json');
  const keys = readFileSync(servers, 'utf8');
  const second = start(port);
  expect(await second.child.exited).toBe(1);
  expect(second.said()).toContain(`Port ${port} is taken`);
  expect(second.said()).toContain('VITRINA_PORT=');
  expect(second.said().trim().split('\n')).toHaveLength(1);
  expect(readFileSync(servers, 'utf8')).toBe(keys);
  expect(await hostsConnected(port)).toBe(2);

  first.child.kill('SIGINT');
  expect(await first.child.exited).toBe(0);
  expect(await isOpen(port)).toBe(false);
  rmSync(demo, { recursive: true });
}, 900_000);
