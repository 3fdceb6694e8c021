import { expect, test } from 'bun:test';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeClock } from '../../shared/testing/clock.ts';
import { exchange } from '../../shared/testing/exchange.ts';
import { loadConfig } from '../config.ts';
import { live } from '../testing/live.ts';
import { createPages } from './pages.ts';

const certificate = join(import.meta.dir, '..', 'testing', 'certificate');

interface Site extends AsyncDisposable {
  root: string;
}

/** A folder of pages, with a secret beside it and links that lead there. */
const site = async (): Promise<Site> => {
  const folder = await mkdtemp(join(tmpdir(), 'vitrina-'));
  const root = join(folder, 'www');
  await Bun.write(join(root, 'player.html'), '<!doctype html>player');
  await Bun.write(join(root, 'css', 'player.css'), 'a{}');
  await Bun.write(join(root, '.hidden'), 'hidden');
  await Bun.write(join(root, 'guide', 'index.html'), '<!doctype html>guide');
  await Bun.write(join(root, 'guide', '.htaccess'), 'hidden');
  await Bun.write(join(root, '.well-known', 'security.txt'), 'Contact: mailto:a@b.example');
  await Bun.write(join(root, '.well-known', '.secret'), 'hidden');
  await Bun.write(join(root, 'guide', '.well-known', 'x.txt'), 'hidden');
  await symlink(folder, join(root, 'up'));
  await Bun.write(join(folder, 'secret.txt'), 'secret');
  await symlink(join(folder, 'secret.txt'), join(root, 'link.txt'));
  return { root, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
};

const get = async (url: string, init: RequestInit = {}) => {
  const response = await fetch(url, { redirect: 'manual', tls: { rejectUnauthorized: false }, ...init });
  return { status: response.status, headers: response.headers, text: await response.text() };
};

test('createPages() serves the homepage and the files below the root', async () => {
  await using pages = await site();
  await using server = await live(['--serve', '--http_root', pages.root]);
  const home = await get(server.urls.http);
  expect(home.status).toBe(200);
  expect(home.text).toContain('player');
  expect(home.headers.get('content-type')).toContain('text/html');
  const css = await get(`${server.urls.http}css/player.css`);
  expect(css.headers.get('content-type')).toContain('text/css');
  expect(css.headers.get('x-content-type-options')).toBe('nosniff');
  expect((await get(server.urls.http, { method: 'HEAD' })).status).toBe(200);
});

const outside = [
  'link.txt',
  '.hidden',
  '%2e%2e/secret.txt',
  '..%2fsecret.txt',
  'css/..%2f..%2fsecret.txt',
  '%2e%2e%5csecret.txt',
  'css',
  'css/',
  'up',
  'up/',
  'up/secret.txt',
  'css/player.css/',
  '.well-known',
  '.well-known/',
  '.well-known/.secret',
  '.well-known/../.hidden',
  '.well-known%2f.secret',
  'guide/.htaccess',
  'guide/.well-known/x.txt',
  '.Well-Known/security.txt',
  'player.html%00',
  '%ff',
  'nothing.html',
];

for (const path of outside) {
  test(`createPages() has nothing at /${path}`, async () => {
    await using pages = await site();
    await using server = await live(['--serve', '--http_root', pages.root]);
    expect((await get(server.urls.http + path)).status).toBe(404);
  });
}

test('createPages() serves what is well known, and the index file of a folder', async () => {
  await using pages = await site();
  await using server = await live(['--serve', '--http_root', pages.root]);
  const { http } = server.urls;
  const known = await get(`${http}.well-known/security.txt`);
  expect([known.status, known.text]).toEqual([200, 'Contact: mailto:a@b.example']);
  expect(known.headers.get('content-type')).toContain('text/plain');
  const guide = await get(`${http}guide/?a=b`);
  expect([guide.status, guide.text]).toEqual([200, '<!doctype html>guide']);
  expect(guide.headers.get('content-type')).toContain('text/html');
  const moved = async (path: string) => {
    const { status, headers } = await get(http + path);
    return [status, headers.get('location')];
  };
  expect(await moved('guide?a=b')).toEqual([301, '/guide/?a=b']);
  expect(await moved('/guide')).toEqual([301, '/guide/']);
  expect(await moved('%2fguide')).toEqual([301, '/%2fguide/']);
});

test('createPages() shows the index file of the root where there is no homepage', async () => {
  await using pages = await site();
  await Bun.write(join(pages.root, 'index.html'), 'index');
  await using server = await live(['--serve', '--http_root', pages.root]);
  expect((await get(server.urls.http)).text).toContain('player');
  await using other = await live(['--serve', '--http_root', pages.root, '--homepage', 'none.html']);
  expect((await get(other.urls.http)).text).toBe('index');
});

test('createPages() says with an ETag that nothing has changed', async () => {
  await using pages = await site();
  await using server = await live(['--serve', '--http_root', pages.root]);
  const url = `${server.urls.http}css/player.css`;
  const first = await get(url);
  const etag = first.headers.get('etag') ?? '';
  expect(etag).not.toBe('');
  expect(first.headers.get('cache-control')).toBe('no-cache');
  for (const method of ['GET', 'HEAD']) {
    for (const known of [etag, etag.replace('W/', ''), `"other", ${etag}`, '*']) {
      const again = await get(url, { method, headers: { 'if-none-match': known } });
      expect([method, known, again.status, again.text]).toEqual([method, known, 304, '']);
      expect(again.headers.get('etag')).toBe(etag);
      expect(again.headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect((await get(url, { method, headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  }
  const head = await get(url, { method: 'HEAD' });
  expect([head.text, head.headers.get('content-length')]).toEqual(['', '3']);
  await Bun.write(join(pages.root, 'css', 'player.css'), 'a{color:red}');
  const changed = await get(url, { headers: { 'if-none-match': etag } });
  expect([changed.status, changed.text]).toEqual([200, 'a{color:red}']);
});

test('createPages() says what is missing when there is no homepage', async () => {
  await using pages = await site();
  await using server = await live(['--serve', '--http_root', pages.root, '--homepage', 'none.html']);
  const home = await get(server.urls.http);
  expect(home.status).toBe(404);
  expect(home.text).toContain('none.html');
});

test('createPages() answers a request that is no upgrade with 426 unless it serves', async () => {
  await using server = await live();
  expect((await get(server.urls.http)).status).toBe(426);
  expect((await get(server.urls.streamer.replace('ws:', 'http:'))).status).toBe(426);
});

test('createPages() takes no other methods', async () => {
  await using server = await live(['--rest_api']);
  expect((await get(`${server.urls.http}api/status`, { method: 'POST' })).status).toBe(405);
});

test('createPages() serves pages and players over HTTPS and sends browsers there', async () => {
  await using pages = await site();
  const tls = [
    '--ssl_key_path',
    join(certificate, 'key.pem'),
    '--ssl_cert_path',
    join(certificate, 'cert.pem'),
  ];
  await using server = await live([
    '--serve',
    '--http_root',
    pages.root,
    '--https_port',
    '0',
    '--https_redirect',
    ...tls,
  ]);
  const home = await get(server.urls.https);
  expect(home.text).toContain('player');
  expect(home.headers.get('strict-transport-security')).toContain('15552000');
  expect(home.headers.get('content-security-policy')).toContain("script-src 'self'");
  const there = await get(`${server.urls.http}a?b=c`);
  expect(there.status).toBe(301);
  expect(there.headers.get('location')).toBe('https://127.0.0.1:0/a?b=c');
  const evil = await get(server.urls.http, { headers: { host: 'a@evil.example/' } });
  expect(evil.status).toBe(400);
  const player = await server.player();
  expect((await player.json()).type).toBe('config');
});

test('createPages() redirects nowhere without HTTPS: the file that comes with Epic says so', async () => {
  await using pages = await site();
  await using server = await live(['--serve', '--http_root', pages.root, '--https_redirect']);
  expect((await get(server.urls.http)).text).toContain('player');
});

test('createPages() shows other sites what --cors allows', async () => {
  const from = (origin: string) => ({ headers: { origin } });
  const allowing = async (...args: string[]) => {
    await using server = await live(['--rest_api', ...args]);
    const { headers } = await get(`${server.urls.http}api/status`, from('https://a.example'));
    return headers.get('access-control-allow-origin');
  };
  expect(await allowing()).toBeNull();
  expect(await allowing('--cors')).toBe('*');
  expect(await allowing('--cors', '--cors_allowed_origins', 'https://a.example')).toBe('https://a.example');
  expect(await allowing('--cors', '--cors_allowed_origins', 'https://b.example')).toBeNull();
});

test('createPages() answers a preflight', async () => {
  await using server = await live([
    '--rest_api',
    '--cors',
    '--cors_allowed_methods',
    'GET,PUT',
    '--cors_allowed_headers',
    'x-a',
  ]);
  const headers = { origin: 'https://a.example', 'access-control-request-method': 'GET' };
  const answer = await get(`${server.urls.http}api/status`, { method: 'OPTIONS', headers });
  expect(answer.status).toBe(204);
  expect(answer.headers.get('access-control-allow-methods')).toBe('GET, PUT');
  expect(answer.headers.get('access-control-allow-headers')).toBe('x-a');
});

test('createPages() stops an address that asks too often, behind a proxy the address that it names', async () => {
  await using server = await live();
  const loaded = await loadConfig(['--rest_api', '--reverse-proxy'], {});
  if (!('config' in loaded)) throw new Error('no config');
  const clock = fakeClock();
  const answer = createPages(loaded.config, server.signalling, clock);
  const ask = async (forwarded: string) => {
    const request = new Request('http://server/api/status', { headers: { 'x-forwarded-for': forwarded } });
    return (await answer(request, '10.0.0.1', false)).status;
  };
  for (let i = 0; i < 3_000; i++) expect(await ask(`spoofed${i}, 192.0.2.1`)).toBe(200);
  expect(await ask('192.0.2.1')).toBe(429);
  expect(await ask('192.0.2.1:4711')).toBe(429);
  expect(await ask('"::ffff:192.0.2.1"')).toBe(429);
  expect(await ask('192.0.2.2')).toBe(200);
  clock.advance(60_000);
  expect(await ask('192.0.2.1')).toBe(200);
});

test('createPages() answers what no browser sends, and never with a fault of its own', async () => {
  await using server = await live(['--rest_api', '--reverse-proxy']);
  const { urls } = server;
  const status = async (at: string, ...lines: string[]) =>
    (await exchange(Number(new URL(at).port), `${lines.join('\r\n')}\r\n\r\n`)).slice(9, 12);
  expect(await status(urls.http, 'GET /api/status HTTP/1.0')).toBe('200');
  expect(await status(urls.http, 'HEAD /api/status HTTP/1.0')).toBe('200');
  expect(await status(urls.http, 'GET /api/status HTTP/1.1', 'Host:')).toBe('200');
  expect(await status(urls.http, 'GET /api/status HTTP/1.1', 'Host: name.')).toBe('200');
  expect(await status(urls.http, 'GET http://other/api/status HTTP/1.1', 'Host: x')).toBe('200');
  expect(await status(urls.http, 'GET //api/status HTTP/1.0')).toBe('404');
  expect(await status(urls.http, 'OPTIONS / HTTP/1.0')).toBe('405');
  for (const hosts of [['a', 'b'], ['a', 'a'], ['a b'], ['[::1'], ['a:99999'], ['a@evil/']]) {
    const lines = hosts.map((host) => `Host: ${host}`);
    expect(await status(urls.http, 'GET /api/status HTTP/1.1', ...lines)).toBe('400');
    const upgrade = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'];
    expect(await status(urls.player, 'GET / HTTP/1.1', ...lines, ...upgrade)).toBe('400');
  }
  expect(await status(urls.http, 'CONNECT a:443 HTTP/1.1', 'Host: a')).toBe('400');
  expect(await status(urls.streamer, 'GET / HTTP/1.0')).toBe('426');
  expect(await status(urls.player, 'GET / HTTP/1.0', 'Upgrade: websocket')).toBe('400');
});
