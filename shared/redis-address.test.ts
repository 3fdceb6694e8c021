import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRedisUrl, redisProblem } from './redis-address.ts';
import { createAuthority } from './testing/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'redis-address-'));
const secret = join(folder, 'secret');
writeFileSync(secret, 'from the file\n');
const authority = createAuthority();
afterAll(() => {
  authority[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const two = [
  { host: 'a', port: 1 },
  { host: '::1', port: 26_379 },
];

describe('parseRedisUrl()', () => {
  const right: [url: string, address: object][] = [
    ['redis://redis.internal', { at: { host: 'redis.internal', port: 6_379 }, db: 0 }],
    ['redis://127.0.0.1:80/', { at: { host: '127.0.0.1', port: 80 }, db: 0 }],
    ['redis://[::1]:7000/3', { at: { host: '::1', port: 7_000 }, db: 3 }],
    ['redis://:p%40ss@a', { at: { host: 'a', port: 6_379 }, db: 0, password: 'p@ss' }],
    [
      'rediss://me:a:b@a',
      { at: { host: 'a', port: 6_379 }, db: 0, username: 'me', password: 'a:b', tls: {} },
    ],
    ['redis+unix:///run/redis.sock', { at: { path: '/run/redis.sock' }, db: 0 }],
    [
      `redis://me@a?password_file=${secret}`,
      { at: { host: 'a', port: 6_379 }, db: 0, username: 'me', password: 'from the file' },
    ],
    ['redis+sentinel://a:1,[::1]/main', { at: { sentinels: two, name: 'main', login: {} }, db: 0 }],
    [
      `rediss+sentinel://:x@a:1,[::1]/main/2?sentinel_user=s&sentinel_password_file=${secret}`,
      {
        at: { sentinels: two, name: 'main', login: { username: 's', password: 'from the file' } },
        ...{ db: 2, password: 'x', tls: {} },
      },
    ],
  ];
  for (const [url, address] of right) {
    test(`parseRedisUrl() understands ${url.replace(folder, '')}`, () => {
      expect(parseRedisUrl(url)).toEqual(address as ReturnType<typeof parseRedisUrl>);
      expect(redisProblem(url)).toBeUndefined();
    });
  }

  test('parseRedisUrl() reads the authority', () => {
    const parsed = parseRedisUrl(`rediss://a?ca=${authority.file}`);
    expect('tls' in parsed && parsed.tls?.ca).toContain('BEGIN CERTIFICATE');
  });

  const wrong: [url: string, said: string][] = [
    ['', 'is no address'],
    ['127.0.0.1:6379', 'is no address'],
    ['http://127.0.0.1', 'is no address'],
    ['redis://', 'no host'],
    ['redis://a,b', 'no host'],
    ['redis://a:99999', 'no host'],
    ['redis://a/main', 'database "main"'],
    ['redis://me@a', 'without a password'],
    ['redis://a?ca=/x', 'without TLS'],
    ['rediss://a?ca=/nowhere/ca.pem', 'cannot be read'],
    [`rediss://a?ca=${secret}`, 'no certificate'],
    [`redis://:x@a?password_file=${secret}`, 'both'],
    ['redis://a?password_file=/nowhere/secret', 'cannot be read'],
    ['redis://a?password_file=secret', 'whole path'],
    ['redis://a?password_file=', '"password_file" without a value'],
    ['redis://a?pool=3', '"pool" that is not known'],
    ['redis://a?sentinel_user=s', 'without any'],
    ['redis+sentinel://a,b', 'call the master'],
    ['redis+sentinel://a,,b/main', 'no host'],
    ['redis+unix://', 'no path'],
    ['redis://:%zz@a', 'escape'],
  ];
  for (const [url, said] of wrong) {
    test(`parseRedisUrl() says what is wrong with "${url.replace(folder, '')}"`, () => {
      expect(redisProblem(url)).toContain(said);
    });
  }

  test('parseRedisUrl() never says the password', () => {
    for (const url of ['redis://me:hunter2@', 'redis://me:hunter2@a/x', 'http://me:hunter2@a']) {
      expect(redisProblem(url)).toBeDefined();
      expect(redisProblem(url)).not.toContain('hunter2');
    }
  });
});
