import { expect, test } from 'bun:test';
import { networkInterfaces } from 'node:os';
import { systemClock } from '../../shared/clock.ts';
import { createLog, silentLog } from '../../shared/log.ts';
import { loadConfig } from '../config.ts';
import { createSignalling } from '../server.ts';
import { running } from '../testing/program.ts';
import { type Listener, listeners } from './listener.ts';
import { openPorts } from './ports.ts';

/** Whether this machine has IPv6 at all: then it is served, too. */
const has_ipv6 = Object.values(networkInterfaces()).some((each) =>
  each?.some(({ address }) => address === '::1'),
);

const all = async (sfu_port = '0'): Promise<Listener[]> => {
  const ports = ['--player_port=0', '--streamer_port=0', `--sfu_port=${sfu_port}`, '--rest_api'];
  const loaded = await loadConfig(ports, {});
  if (!('config' in loaded)) throw new Error(JSON.stringify(loaded));
  const signalling = createSignalling(loaded.config, systemClock, silentLog);
  return listeners(loaded.config, signalling, systemClock, silentLog);
};

/** A log and what stands in it. */
const logged = () => {
  const lines: string[] = [];
  return { lines, log: createLog('signalling', 'info', { write: (line: string) => void lines.push(line) }) };
};

/** A machine where the addresses of `faults` cannot be listened on once `good` ports are open; says what it did. */
const machine = (faults: Record<string, string>, good = 0) => {
  const tried: string[] = [];
  let closed = 0;
  const listen = ({ hostname }: { hostname: string }) => {
    tried.push(hostname);
    const code = tried.length > good ? faults[hostname] : undefined;
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    return { port: 1, stop: () => void closed++ };
  };
  return { tried, closed: () => closed, listen };
};

test('running() serves IPv4 and IPv6 unless it is told an address', async () => {
  await using server = await running('--rest_api', '--bind=');
  const status = async (host: string) =>
    (await fetch(`http://${host}:${server.ports.player}/api/status`)).status;
  expect(await status('127.0.0.1')).toBe(200);
  if (has_ipv6) expect(await status('[::1]')).toBe(200);
  await using four = await running('--rest_api');
  await expect(fetch(`http://[::1]:${four.ports.player}/api/status`)).rejects.toThrow();
});

test('openPorts() takes IPv4 alone on a machine without IPv6', async () => {
  for (const code of ['EAFNOSUPPORT', 'EADDRNOTAVAIL']) {
    const { tried, listen } = machine({ '::': code });
    expect(openPorts(await all(), '', silentLog, listen)?.address).toBe('0.0.0.0');
    expect(tried).toEqual(['::', '0.0.0.0', '0.0.0.0', '0.0.0.0']);
  }
});

test('openPorts() looks for no other address when a port is taken, or an address is named', async () => {
  const taken = machine({ '::': 'EADDRINUSE' });
  const { lines, log } = logged();
  expect(openPorts(await all(), '', log, taken.listen)).toBeUndefined();
  expect(taken.tried).toEqual(['::']);
  expect(lines.join('')).toContain('cannot listen on port 0; choose another --streamer_port');
  const named = machine({ '::': 'EAFNOSUPPORT' });
  expect(openPorts(await all(), '::', log, named.listen)).toBeUndefined();
  expect(lines.join('')).toContain('cannot listen on port 0 of ::; see the reason');
});

test('openPorts() leaves no port open when one cannot be opened', async () => {
  const half = machine({ '::': 'EADDRINUSE' }, 1);
  expect(openPorts(await all(), '', silentLog, half.listen)).toBeUndefined();
  expect(half.closed()).toBe(1);
});

test('all() opens no port for SFUs where none is wanted', async () => {
  const options = (await all('')).map(({ option }) => option);
  expect(options).toEqual(['streamer_port', 'player_port']);
});
