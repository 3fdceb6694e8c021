import { expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchVerified } from './fetch-verified.ts';

const variable = 'NODE_TLS_REJECT_UNAUTHORIZED';

test('fetchVerified() verifies authority and name, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-fetch-'));
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(folder, name)) as [string, string];
  const made = [
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
    '-keyout',
    key,
    '-out',
    cert,
  ];
  Bun.spawnSync(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...made]);
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { cert: Bun.file(cert), key: Bun.file(key) },
    fetch: () => new Response('secret'),
  });
  const before = process.env[variable];
  process.env[variable] = '0';
  try {
    const [right, wrong] = ['localhost', '127.0.0.1'].map((host) => `https://${host}:${server.port}`) as [
      string,
      string,
    ];
    // The variable holds in this very process.
    expect(await (await fetch(right)).text()).toBe('secret');
    const ca = readFileSync(cert, 'utf8');
    await expect(fetchVerified(right, {})).rejects.toThrow(/certificate/);
    await expect(fetchVerified(wrong, { tls: { ca } })).rejects.toThrow(/ALTNAME|certificate|match/i);
    expect(await (await fetchVerified(right, { tls: { ca } })).text()).toBe('secret');
  } finally {
    if (before === undefined) delete process.env[variable];
    else process.env[variable] = before;
    await server.stop(true);
    rmSync(folder, { recursive: true });
  }
}, 60_000);
