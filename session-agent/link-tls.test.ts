import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { readFile, writeFile } from 'node:fs/promises';
import { systemClock } from '../shared/clock.ts';
import { systemIds } from '../shared/ids.ts';
import { createLog } from '../shared/log.ts';
import { AGENT_LINK_VERSION } from '../shared/protocol/agent-link.ts';
import { Link, type LinkOptions } from './link.ts';
import { type Certificates, makeCertificates } from './testing/certificates.ts';
import { type ConnectProxy, startConnectProxy } from './testing/connect-proxy.ts';
import { type FakeCoordinator, startFakeCoordinator } from './testing/fake-coordinator.ts';

setDefaultTimeout(120_000);
const key = 'a-key-for-tests-only';
let certificates: Certificates;
let proxy: ConnectProxy;
let coordinator: FakeCoordinator;
const links: Link[] = [];

beforeAll(async () => {
  certificates = await makeCertificates('DNS:coordinator.test', 'IP:127.0.0.1');
  proxy = await startConnectProxy();
  coordinator = startFakeCoordinator({ key, tls: certificates });
});
afterEach(async () => {
  for (const link of links.splice(0)) await link.stop('test over');
  coordinator.seen.length = 0;
  coordinator.upgrades.length = 0;
  proxy.requests.length = 0;
});
afterAll(async () => {
  await proxy?.stop();
  await coordinator?.stop();
  certificates?.remove();
});

/** Dials, and says which line of the log decides: connected, or why not. */
const connects = (url: string, options: Partial<LinkOptions>): Promise<{ msg: string; reason?: string }> =>
  new Promise((resolve) => {
    const link: Link = new Link({
      url,
      key,
      clock: systemClock,
      ids: systemIds,
      log: createLog('test', 'debug', {
        write(line) {
          const said = JSON.parse(line);
          if (/connected to|cannot be reached/.test(said.msg)) resolve(said);
        },
      }),
      hello: () => ({
        verb: 'HELLO',
        protocol: AGENT_LINK_VERSION,
        server_name: 'host-1',
        seats: 1,
        apps: [],
        sessions: [],
      }),
      heartbeat: () => ({}),
      frame: (frame) => {
        const message = JSON.parse(String(frame));
        if (message.msg === 'WELCOME') link.welcomed(message.heartbeat_ms, message.protocol ?? 1);
      },
      lost: () => {},
      ...options,
    });
    links.push(link);
    link.start();
  });

const named = (host: string) => `wss://${host}:${coordinator.port}/agent`;

test('Link() trusts the authority of ca_file', async () => {
  const { msg } = await connects(named('127.0.0.1'), { ca_file: certificates.authority_file });
  expect(msg).toBe('connected to the coordinator');
});

test('Link() refuses a certificate of an authority that nobody has named', async () => {
  const { msg, reason } = await connects(named('127.0.0.1'), {});
  expect([msg, reason]).toEqual([
    'the coordinator cannot be reached',
    expect.stringContaining('unable to verify'),
  ]);
  expect(coordinator.upgrades).toEqual([]);
});

test('Link() trusts the authority of a ca_file in UTF-16', async () => {
  const ca_file = `${certificates.authority_file}.utf16`;
  await writeFile(ca_file, `\uFEFF${await readFile(certificates.authority_file, 'utf8')}`, 'utf16le');
  const { msg } = await connects(named('127.0.0.1'), { ca_file });
  expect(msg).toBe('connected to the coordinator');
});

test('Link() trusts only the authority of ca_file', async () => {
  const { msg, reason } = await connects(named('127.0.0.1'), { ca_file: certificates.stranger_file });
  expect([msg, reason]).toEqual(['the coordinator cannot be reached', expect.stringContaining('TLS')]);
  expect(coordinator.upgrades).toEqual([]);
});

test.each(['/nowhere/ca.pem', import.meta.path])(
  'Link() trusts nobody with %s as ca_file',
  async (ca_file) => {
    const { msg } = await connects(named('127.0.0.1'), { ca_file });
    expect(msg).toBe('the coordinator cannot be reached');
    expect(coordinator.upgrades).toEqual([]);
  },
);

test('Link() goes through an HTTP proxy, which sees neither the key nor what is said', async () => {
  const { msg } = await connects(named('coordinator.test'), {
    proxy: proxy.url,
    ca_file: certificates.authority_file,
  });
  expect(msg).toBe('connected to the coordinator');
  const [request = ''] = proxy.requests;
  expect(request).toStartWith(`CONNECT coordinator.test:${coordinator.port} HTTP/1.1\r\n`);
  expect(request).toContain(`Proxy-Authorization: Basic ${btoa('agent:secret')}`);
  expect(request).not.toContain(key);
  expect(coordinator.upgrades).toEqual([{ authorization: `Bearer ${key}`, origin: null }]);
});

test('Link() verifies the name of the coordinator behind a proxy, too', async () => {
  const { msg, reason } = await connects(named('another.test'), {
    proxy: proxy.url,
    ca_file: certificates.authority_file,
  });
  expect([msg, reason]).toEqual([
    'the coordinator cannot be reached',
    expect.stringContaining("does not match certificate's altnames"),
  ]);
});

test('Link() goes on dialling when the proxy is not there', async () => {
  const { msg } = await connects(named('coordinator.test'), { proxy: 'http://127.0.0.1:1' });
  expect(msg).toBe('the coordinator cannot be reached');
});
