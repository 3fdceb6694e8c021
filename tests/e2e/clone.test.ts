import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, startProgram } from '../../scripts/program.ts';
import { executable, processesOf, startTestSystem, type TestSystem, until, watchStalls } from './harness.ts';

/** A machine with a live session is cloned: its config.json runs in two places. */
const noticed_ms = 60_000;
const locked = 'this host is locked: two machines used its key';

let system: TestSystem;
let clone: Program | undefined;

beforeAll(async () => {
  system = await startTestSystem([{}], { host_lost_seconds: '3600' });
}, 300_000);
afterAll(async () => {
  await clone?.stop();
  await system?.stop();
}, 120_000);

const configOf = (name: string) => join(system.folder, name, 'config.json');

const change = (file: string, to: string, edit: (text: string) => string) =>
  writeFileSync(to, edit(readFileSync(file, 'utf8')));

/** What `status` prints, for people and as JSON. */
const status = async (name: string) => {
  const ask = async (...args: string[]) => {
    const command = [executable('session-agent-linux-x64'), 'status', '--config', configOf(name), ...args];
    return new Response(Bun.spawn(command, { stdout: 'pipe', stderr: 'ignore' }).stdout).text();
  };
  const [text, json] = await Promise.all([ask(), ask('--json')]);
  return { text, link: json === '' ? undefined : JSON.parse(json).link };
};

const quarantined = (name: string) =>
  until(
    `${name} says that it is locked out`,
    () => status(name),
    ({ link }) => String(link?.detail).startsWith(locked),
  );

test("a clone's agent is noticed within a minute, the original's session lives, and goes on with a new key", async () => {
  const { body: made } = await system.api('POST', '/api/v1/sessions', { app: 'Loft' });
  const { id } = made.session;
  const path = `/api/v1/sessions/${id}`;
  const get = async () => (await system.api('GET', path, undefined, made.participant_token)).body;
  const ticket = async () =>
    (await system.api('POST', `${path}/tickets`, undefined, made.participant_token)).status;
  await until('the session is ready', get, ({ phase }) => phase === 'ready');
  const pids = () =>
    processesOf(id)
      .map(({ pid }) => pid)
      .sort();
  const before = pids();
  expect(before.length).toBeGreaterThanOrEqual(2);
  expect(await ticket()).toBe(200);

  mkdirSync(join(system.folder, 'clone'));
  change(configOf('host-1'), configOf('clone'), (text) =>
    text.replaceAll(join(system.folder, 'host-1'), join(system.folder, 'clone')),
  );
  const stalled = watchStalls();
  const began = performance.now();
  const command = [executable('session-agent-linux-x64'), 'run', '--config', configOf('clone')];
  clone = startProgram(command, {
    log: createWriteStream(join(system.folder, 'logs', 'clone.log')),
    environment: process.env,
  });
  await system.coordinator.line(({ msg }) => String(msg).startsWith('two machines use the key'));
  expect(performance.now() - began).toBeLessThan(noticed_ms + stalled());
  for (const name of ['host-1', 'clone']) {
    const { text } = await quarantined(name);
    expect(text).toContain('Stop the agent on all but one, and enrol that one anew');
  }
  expect(await get()).toMatchObject({ phase: 'ready', end: null });
  expect(pids()).toEqual(before);
  expect(await ticket()).not.toBe(200);

  await clone.stop();
  const rekeyed = (text: string) => text.replace(/"key": "[^"]*"/g, '"key": "a-new-key-for-the-original"');
  const servers = join(system.folder, 'coordinator', 'servers.json');
  change(servers, servers, rekeyed);
  change(configOf('host-1'), configOf('host-1'), rekeyed);
  await until('the session serves again', ticket, (code) => code === 200);
  expect(pids()).toEqual(before);
}, 600_000);
