import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { encodings } from '../../shared/testing/encodings.ts';
import { readAgentConfig } from '../config.ts';
import { runCommand } from '../processes/command.ts';
import { testTerminal } from '../testing/terminal.ts';
import { enroll } from './enroll.ts';

setDefaultTimeout(120_000);
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const key = 'k'.repeat(43);

/** A coordinator that takes the token "good", and counts who asked. */
const startCoordinator = (answer?: () => Response) => {
  const asked: string[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      asked.push(`${request.method} ${new URL(request.url).pathname}`);
      if (answer !== undefined) return answer();
      const { token } = (await request.json()) as { token: string };
      if (token === 'good') return Response.json({ server_name: 'studio-1', key }, { status: 201 });
      const problem = { type: 'about:blank', title: 'This token is used.', code: 'enrolment_wrong' };
      return Response.json({ ...problem, status: 410, retryable: false }, { status: 410 });
    },
  });
  stops.push(() => server.stop(true));
  return { url: `http://127.0.0.1:${server.port}`, asked };
};

describe('enroll()', () => {
  test('enroll() writes a config.json of its own that only its owner can read, and is good', async () => {
    using under = testTerminal();
    const { url, asked } = startCoordinator();
    const file = join(under.folder, 'new', 'config.json');
    await enroll({ coordinator: `${url}/`, token: 'good', file }, under.terminal);
    expect(asked).toEqual(['POST /api/v1/enrolments']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(under.folder, 'new')).sort()).toEqual(['config.json', 'config.json.lock']);
    const read = await readAgentConfig(file);
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    expect(read.value).toMatchObject({
      coordinator: `${url.replace('http', 'ws')}/agent`,
      server_name: 'studio-1',
      key,
      seats: 1,
      apps: [],
    });
    expect(under.said.join('\n')).toContain('session-agent apps add');
    expect(under.said.join('\n')).not.toContain(key);
  });

  test('enroll() leaves what else stands in a config.json as it is', async () => {
    using under = testTerminal();
    const { url } = startCoordinator();
    const file = join(under.folder, 'config.json');
    const before = [
      '{ // Two cards.',
      '  "coordinator": "https://old.example",',
      '  "server_name": "old", "key": "an old key of some length",',
      '  "seats": 4, "ports": { "from": 20000, "to": 20099 }, // open in no firewall',
      '}',
    ].join('\n');
    writeFileSync(file, before);
    await enroll({ coordinator: url, token: 'good', file }, under.terminal);
    const after = readFileSync(file, 'utf8');
    expect(after).toBe(
      before
        .replace('https://old.example', url)
        .replace('"old"', '"studio-1"')
        .replace('an old key of some length', key),
    );
    // By its name the agent knows its children: it does not take another one while it runs.
    expect(under.said.at(-1)).toContain('restart it');
    await enroll({ coordinator: url, token: 'good', file }, under.terminal);
    expect(under.said.at(-1)).toContain('takes the new key by itself');
  });

  test('enroll() spends no token when config.json could not be written or would not be good', async () => {
    using under = testTerminal();
    const { url, asked } = startCoordinator();
    const broken = join(under.folder, 'broken.json');
    writeFileSync(broken, '{ "seats": "many" }');
    const inTheWay = join(broken, 'config.json');
    for (const [file, says] of [
      [broken, 'has to be mended first'],
      // To be administrator would not help.
      [inTheWay, /cannot be written: (?!.*administrator).*--config FILE chooses another place/],
    ] as const) {
      await expect(enroll({ coordinator: url, token: 'good', file }, under.terminal)).rejects.toThrow(says);
    }
    expect(readFileSync(broken, 'utf8')).toBe('{ "seats": "many" }');
    expect(asked).toEqual([]);
  });

  test('enroll() says what is wrong: the token, the address, who answers there', async () => {
    using under = testTerminal();
    const file = join(under.folder, 'config.json');
    const { url } = startCoordinator();
    const stranger = startCoordinator(() => new Response('Welcome', { status: 200 }));
    const elsewhere = startCoordinator(() => Response.redirect(`${url}/api/v1/enrolments`, 307));
    for (const [coordinator, token, says] of [
      [url, 'used', 'This token is used.'],
      ['ftp://coordinator.example', 'good', 'is no address of a coordinator'],
      ['http://127.0.0.1:1', 'good', 'cannot be reached'],
      [stranger.url, 'good', 'is it a coordinator?'],
      [elsewhere.url, 'good', 'cannot be reached'],
    ] as const) {
      await expect(enroll({ coordinator, token, file }, under.terminal)).rejects.toThrow(says);
    }
    expect(existsSync(file)).toBeFalse();
  });

  test('enroll() trusts the authority that it is given, and no other', async () => {
    using under = testTerminal();
    const [certificate, secret] = ['cert.pem', 'key.pem'].map((name) => join(under.folder, name));
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const files = ['-keyout', secret ?? '', '-out', certificate ?? ''];
    await runCommand(
      ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files],
      60_000,
      systemClock,
    );
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      tls: { cert: Bun.file(certificate ?? ''), key: Bun.file(secret ?? '') },
      fetch: () => Response.json({ server_name: 'studio-1', key }, { status: 201 }),
    });
    stops.push(() => server.stop(true));
    const file = join(under.folder, 'config.json');
    const order = { coordinator: `https://localhost:${server.port}`, token: 'good', file };
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    stops.push(() => {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    });
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    await expect(enroll(order, under.terminal)).rejects.toThrow('cannot be reached');
    const saved = join(under.folder, 'authority.pem');
    for (const encode of Object.values(encodings)) {
      writeFileSync(saved, encode(readFileSync(certificate ?? '', 'utf8')));
      await enroll({ ...order, ca_file: saved }, under.terminal);
      const config = readFileSync(file, 'utf8');
      writeFileSync(file, encode(config));
    }
    writeFileSync(saved, Buffer.from('é', 'latin1'));
    await expect(enroll({ ...order, ca_file: saved }, under.terminal)).rejects.toThrow(
      `${saved} cannot be read: not valid UTF-8`,
    );
    await enroll({ ...order, ca_file: certificate }, under.terminal);
    const read = await readAgentConfig(file);
    expect('value' in read && read.value.ca_file).toBe(certificate ?? '');
    expect(under.complaints).toEqual([]);
  });

  test('enroll() goes through the proxy of HTTPS_PROXY', async () => {
    using under = testTerminal();
    const connects: string[] = [];
    const proxy = createServer((socket) => {
      socket.once('data', (data) => {
        connects.push(data.toString().split('\r\n')[0] ?? '');
        socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n');
      });
      socket.on('error', () => socket.destroy());
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    stops.push(() => proxy.close());
    const address = proxy.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const main = join(import.meta.dir, '..', 'main.ts');
    const file = join(under.folder, 'config.json');
    const words = ['enroll', 'https://coordinator.example', '--token=t', '--config', file];
    const { code, err } = await runCommand(
      ['/usr/bin/env', `HTTPS_PROXY=http://127.0.0.1:${port}`, process.execPath, main, ...words],
      60_000,
      systemClock,
    );
    expect([code, connects[0]]).toEqual([1, 'CONNECT coordinator.example:443 HTTP/1.1']);
    expect(err).toContain('cannot be reached');
  });
});
