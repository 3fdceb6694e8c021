import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { systemClock } from '../../shared/clock.ts';
import type { Load, LoadReport } from './abuse-load.ts';
import type { Probe, ProbeReport } from './abuse-probe.ts';
import { startCoordinatorProcess } from './coordinator-process.ts';
import { startCutHosts } from './cut-hosts.ts';
import { entry, keyOf } from './store.ts';

/**
 * `bun run abuse:routes [--seconds 10] [--connections 200] [--only /docs,/ws]`: every address that needs no login is asked
 * over 200 connections at once, one after the other, while hosts are connected and a health check asks `/healthz`; beside it
 * the same against a bare server. Prints JSON; exits with 1 when p99 of `/healthz` reached 100 ms or a host was lost.
 */
export interface AbuseOptions {
  readonly seconds: number;
  readonly connections: number;
  readonly hosts: number;
  /** Addresses to ask; all when left out. */
  readonly only?: readonly string[];
}

interface Target {
  readonly method: string;
  readonly path: string;
  readonly headers?: string;
  readonly body?: object;
}

/** What a health check waits at most, in 99 of 100 cases. */
export const healthz_p99_ms = 100;

const handshake =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** What has no description: pages, addresses for machines, sockets, and nothing at all. */
const undescribed: readonly Target[] = [
  ...['/', '/s/x', '/i/x', '/reset', '/docs', '/docs/style.css', '/openapi.json', '/metrics', '/nowhere'].map(
    (path) => ({ method: 'GET', path }),
  ),
  { method: 'POST', path: '/api/v1/nowhere', body: {} },
  { method: 'GET', path: '/ws', headers: handshake },
  { method: 'GET', path: '/agent', headers: `${handshake}Authorization: Bearer made-up\r\n` },
  { method: 'GET', path: '/api/v1/sessions/x/signalling?ticket=x', headers: handshake },
];

/** Bodies that make the coordinator work: hash a password, look a code up, start a session. */
const bodies: Readonly<Record<string, object>> = {
  '/api/v1/sessions': { app: 'Loft' },
  '/api/v1/join': { code: '0000', app: 'Loft' },
  '/api/v1/queue': { app: 'Loft' },
  '/api/v1/login': { email: 'somebody@vitrina.example', password: 'not the right one' },
  '/api/v1/accounts': {
    email: 'somebody@vitrina.example',
    name: 'Somebody',
    password: 'a long new password',
  },
};

const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({ security: z.array(z.unknown()).optional(), requestBody: z.unknown().optional() }),
    ),
  ),
});

/** Every address that takes no login, as the coordinator describes itself, and the largest file of its site. */
const targetsOf = async (base: string): Promise<Target[]> => {
  const { paths } = documentSchema.parse(await (await fetch(`${base}/openapi.json`)).json());
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { security, requestBody }]): Target[] => {
      if (security !== undefined || path.endsWith('/signalling')) return [];
      const body = requestBody === undefined ? {} : { body: bodies[path] ?? {} };
      return [{ method: method.toUpperCase(), path: path.replaceAll(/\{\w+\}/g, 'Loft'), ...body }];
    }),
  );
  const page = await (await fetch(base)).text();
  const script = /src="(\/[^"]+\.js)"/.exec(page)?.[1] ?? '/';
  return [...undescribed, { method: 'GET', path: script }, ...described];
};

const requestOf = ({ method, path, headers = '', body }: Target): string => {
  const text = body === undefined ? '' : JSON.stringify(body);
  const about =
    body === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 198.51.100.1\r\n${headers}${about}\r\n${text}`;
};

/** A program beside this file, with what it is told. Load is made with the patience of a stranger: after all else. */
const spawn = (name: string, told: Load | Probe, patient: boolean) =>
  Bun.spawn(
    [
      ...(patient ? ['nice', '-n', '10'] : []),
      ...[process.execPath, join(import.meta.dir, name), JSON.stringify(told)],
    ],
    { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' },
  );

/** What a process has used of the processors so far; in us. The kernel counts in hundredths of a second. */
const usedUs = async (pid: number): Promise<number> => {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
};

/** The load and the health check beside it. `pid` is who serves. */
const bombard = async (load: Load, pid: number) => {
  const before = await usedUs(pid);
  const probe = spawn('abuse-probe.ts', { port: load.port, every_ms: 20, address: '203.0.113.9' }, false);
  const flood = spawn('abuse-load.ts', load, true);
  const sent = (await new Response(flood.stdout).json()) as LoadReport;
  probe.stdin.write('enough\n');
  await probe.stdin.end();
  const healthz = (await new Response(probe.stdout).json()) as ProbeReport;
  await Promise.all([flood.exited, probe.exited]);
  const answers = Math.max(1, sent.per_second * load.seconds);
  return { ...sent, cpu_us: Math.round(((await usedUs(pid)) - before) / answers), healthz };
};

const yardstick = async (options: Omit<Load, 'port' | 'request'>) => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'bare-server.ts')], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  try {
    const port = Number(Buffer.from((await child.stdout.getReader().read()).value ?? []).toString());
    return await bombard({ ...options, port, request: requestOf({ method: 'GET', path: '/' }) }, child.pid);
  } finally {
    child.kill('SIGKILL');
    await child.exited;
  }
};

const readySchema = z.object({ hosts_connected: z.number() });

/** Looks again and again how many hosts are connected; `stop` gives the fewest. */
const watchHosts = (base: string, every_ms: number) => {
  let fewest = Number.POSITIVE_INFINITY;
  const look = async () => {
    const answer = await fetch(`${base}/readyz`, { headers: { 'X-Forwarded-For': '203.0.113.10' } });
    fewest = Math.min(fewest, readySchema.parse(await answer.json()).hosts_connected);
  };
  let looking = Promise.resolve();
  const cancel = systemClock.every(every_ms, () => {
    looking = looking.then(look);
  });
  return async (): Promise<number> => {
    cancel();
    await looking.then(look);
    return fewest;
  };
};

const allConnected = async (base: string, hosts: number): Promise<void> => {
  const deadline = systemClock.monotonic() + 60_000;
  for (;;) {
    const { hosts_connected } = readySchema.parse(await (await fetch(`${base}/readyz`)).json());
    if (hosts_connected === hosts) return;
    if (systemClock.monotonic() > deadline) throw new Error(`only ${hosts_connected} hosts came`);
    await new Promise<void>((resolve) => systemClock.after(100, resolve));
  }
};

/** Bombards one address after the other. */
export const abuseRoutes = async ({ seconds, connections, hosts, only }: AbuseOptions) => {
  const names = Array.from({ length: hosts }, (_, number) => `host-${number}`);
  await using coordinator = await startCoordinatorProcess({
    servers: names.map((name) => entry(name, 'Loft')),
    configuration: { trusted_proxy_hops: 1 },
  });
  const { port } = coordinator;
  const base = `http://127.0.0.1:${port}`;
  const fleet = await startCutHosts(
    names.map((server_name) => ({
      coordinator: `ws://127.0.0.1:${port}/agent`,
      server_name,
      key: keyOf(server_name),
      per_second: 0,
    })),
  );
  try {
    await allConnected(base, hosts);
    const targets = (await targetsOf(base)).filter(({ path }) => only?.includes(path) ?? true);
    const bare = await yardstick({ seconds, connections });
    const fewest = watchHosts(base, 250);
    const routes: Record<string, Awaited<ReturnType<typeof bombard>>> = {};
    for (const target of targets) {
      const key = `${target.method} ${target.path}`;
      routes[key] = await bombard(
        { port, seconds, connections, request: requestOf(target) },
        coordinator.pid,
      );
    }
    const hosts_connected_least = await fewest();
    const worst = Math.max(...Object.values(routes).map(({ healthz }) => healthz.p99_ms));
    const wrong = Object.values(routes).filter(({ healthz }) => Object.keys(healthz.wrong).length > 0);
    return {
      ...{ seconds, connections, hosts, hosts_connected_least, worst_healthz_p99_ms: worst },
      met: {
        healthz_p99_under_100_ms: worst < healthz_p99_ms,
        healthz_always_200: wrong.length === 0,
        no_host_silent: hosts_connected_least === hosts,
      },
      bare,
      routes,
    };
  } finally {
    await fleet.stop();
  }
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, connections: { type: 'string' }, only: { type: 'string' } },
  });
  const report = await abuseRoutes({
    seconds: Number(values.seconds ?? 10),
    connections: Number(values.connections ?? 200),
    hosts: 5,
    ...(values.only === undefined ? {} : { only: values.only.split(',') }),
  });
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  process.exit(Object.values(report.met).every(Boolean) ? 0 : 1);
}
