import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentStatus } from '../status.ts';
import { testTerminal } from '../testing/terminal.ts';
import { askHandOver, askStatus, controlHandler, openDoor } from './control.ts';

setDefaultTimeout(120_000);
const token = 'a-token-that-is-long-enough';

const status: AgentStatus = {
  version: '1.2.3',
  pid: 1,
  started_at: 0,
  executable: '/opt/session-agent',
  service: null,
  server_name: 'host-1',
  coordinator: 'wss://coordinator.example/agent',
  link: { state: 'connected', since: 0 },
  seats: 1,
  instances: [],
  warm: [],
  apps: [],
  figures: null,
  config: { file: '', problems: [] },
  errors: [],
};

const serving = () => {
  const under = testTerminal();
  const asked = { handOver: 0 };
  const handler = controlHandler(token, {
    status: async () => status,
    handOver: () => {
      asked.handOver += 1;
    },
  });
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: handler });
  const port = server.port ?? 0;
  return { ...under, asked, server, port, [Symbol.dispose]: under[Symbol.dispose] };
};

describe('controlHandler()', () => {
  test('controlHandler() answers who has read control.json, which only its owner can', async () => {
    using under = serving();
    const close = openDoor(under.folder, { pid: 1, port: under.port, token });
    expect(statSync(join(under.folder, 'control.json')).mode & 0o777).toBe(0o600);
    expect(await askStatus(under.folder)).toEqual(status);
    expect(await askHandOver(under.folder)).toBeTrue();
    expect(under.asked.handOver).toBe(1);
    close();
    expect(await askStatus(under.folder)).toBeUndefined();
    await under.server.stop(true);
  });

  test('controlHandler() refuses everybody else, and other addresses', async () => {
    using under = serving();
    const url = `http://127.0.0.1:${under.port}`;
    const authorization = `Bearer ${token}`;
    const answers = await Promise.all([
      fetch(`${url}/status`),
      fetch(`${url}/hand-over`, { method: 'POST' }),
      fetch(`${url}/status`, { headers: { authorization: `${authorization}x` } }),
      fetch(`${url}/status`, { headers: { authorization: authorization.replace('a-', 'b-') } }),
      fetch(`${url}/status`, { method: 'POST', headers: { authorization } }),
      fetch(`${url}/hand-over`, { headers: { authorization } }),
      fetch(`${url}/`, { headers: { authorization } }),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([401, 401, 401, 401, 404, 404, 404]);
    expect(under.asked.handOver).toBe(0);
    await under.server.stop(true);
  });
});

describe('askStatus()', () => {
  test('askStatus() finds nobody where an agent was killed, even when another program has its port', async () => {
    using under = serving();
    const close = openDoor(under.folder, { pid: 1, port: under.port, token: `${token}-of-another` });
    expect(await askStatus(under.folder)).toBeUndefined();
    expect(await askHandOver(under.folder)).toBeFalse();
    await under.server.stop(true);
    expect(await askStatus(under.folder)).toBeUndefined();
    // A door that another agent has put there meanwhile stays.
    openDoor(under.folder, { pid: 2, port: 1, token });
    close();
    expect(statSync(join(under.folder, 'control.json')).isFile()).toBeTrue();
  });

  test('askStatus() finds nobody by a file that leads nowhere, and takes one of a later release', async () => {
    using under = serving();
    const file = join(under.folder, 'control.json');
    const door = { pid: 1, port: under.port, token };
    for (const text of [
      '',
      '{}',
      'x',
      '[]',
      '{"pid": 1, "port"',
      JSON.stringify({ ...door, port: 70_000 }),
    ]) {
      writeFileSync(file, text);
      expect(await askStatus(under.folder)).toBeUndefined();
      expect(await askHandOver(under.folder)).toBeFalse();
    }
    writeFileSync(file, JSON.stringify({ ...door, release: 2 }));
    expect(await askStatus(under.folder)).toEqual(status);
    // An agent that starts puts its own there.
    writeFileSync(file, '');
    const close = openDoor(under.folder, door);
    expect(await askStatus(under.folder)).toEqual(status);
    close();
    rmSync(file, { force: true });
    mkdirSync(file);
    expect(await askStatus(under.folder)).toBeUndefined();
    await under.server.stop(true);
  });
});
