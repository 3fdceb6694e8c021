import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openRedis, type Redis } from './redis.ts';
import { createAuthority } from './testing/certificates.ts';
import { freePorts } from './testing/free-ports.ts';
import { redisFolder, startRedis, startServer, unsaved } from './testing/redis.ts';
import { startSentinels } from './testing/sentinels.ts';

setDefaultTimeout(120_000);

/** A connection and what it has told of itself, each waited for by `next`. */
const opened = (url: string, answer_ms = 5_000) => {
  const told: string[] = [];
  const heard: Buffer[] = [];
  let wake = Promise.withResolvers<void>();
  const note = (text: string) => {
    told.push(text);
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  const redis = openRedis(url, answer_ms, {
    ready: () => note('ready'),
    away: ({ message }) => note(`away: ${message}`),
    message(channel, payload) {
      heard.push(payload);
      note(`heard on ${channel}`);
    },
  });
  const until = async (wanted: RegExp, from = 0): Promise<string> => {
    for (;;) {
      const found = told.slice(from).find((text) => wanted.test(text));
      if (found !== undefined) return found;
      await wake.promise;
    }
  };
  return { redis, told, heard, until, [Symbol.dispose]: () => redis.close() };
};

/** Sends until it is answered, as whoever waits for Redis does. */
const answered = async (redis: Redis, ...command: [string, ...string[]]): Promise<unknown> => {
  for (;;) {
    try {
      return await redis.send(...command);
    } catch {
      await new Promise(setImmediate);
    }
  }
};

describe('openRedis()', () => {
  test('openRedis() carries any bytes, and is told where a subscription begins again', async () => {
    await using server = await startRedis();
    using listening = opened(server.url);
    using telling = opened(server.url);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => 255 - at));
    for (let round = 0; round < 2; round++) {
      const before = listening.told.length;
      await answered(telling.redis, 'PING');
      await answered(listening.redis, 'PING');
      await listening.redis.subscribe(['vitrina:x']);
      expect(await telling.redis.send('PUBLISH', 'vitrina:x', bytes)).toBe(1);
      await listening.until(/heard on vitrina:x/, before);
      expect(listening.heard.at(-1)).toEqual(bytes);
      const told = listening.told.length;
      await server.kill();
      await listening.until(/^away/, told);
      await server.start();
      await listening.until(/^ready/, told);
    }
  });

  test('openRedis() fails at once while Redis is away, and comes back to one that answers nothing', async () => {
    await using server = await startRedis();
    using one = opened(server.url, 500);
    await one.until(/^ready/);
    server.freeze();
    // What is under way fails once, with the connection or before it.
    const failures = [one.redis.send('INCR', 'a'), one.redis.send('INCR', 'a')];
    for (const failure of failures) expect(failure).rejects.toThrow(/timed out|closed|abort/i);
    await one.until(/^away/);
    expect(one.redis.send('INCR', 'a')).rejects.toThrow();
    server.thaw();
    expect(await answered(one.redis, 'PING')).toBe('PONG');
    await server.kill();
    await one.until(/^away/, one.told.length);
    const asked = performance.now();
    expect(one.redis.send('PING')).rejects.toThrow();
    expect(performance.now() - asked).toBeLessThan(500);
  });

  test('openRedis() logs in as a user that may do only its part, and says what is refused', async () => {
    const rights = 'on >secret resetkeys resetchannels ~vitrina:* &vitrina:* +@all -@dangerous +info';
    await using server = await startRedis([
      '--user',
      'vitrina',
      ...rights.split(' '),
      '--user',
      'default',
      'off',
    ]);
    const login = (who: string) => server.url.replace('://', `://${who}@`);
    using right = opened(login('vitrina:secret'));
    using wrong = opened(login('vitrina:guess'));
    await right.until(/^ready/);
    expect(await right.redis.send('SET', 'vitrina:a', '1')).toBe('OK');
    expect(right.redis.send('SET', 'other', '1')).rejects.toThrow('NOPERM');
    expect(await wrong.until(/^away/)).toContain('WRONGPASS');
    expect(wrong.told).not.toContain('ready');
  });

  test('openRedis() holds the certificate to the authority and to the address', async () => {
    using authority = createAuthority();
    using stranger = createAuthority();
    const { cert, key } = authority.issue('IP:127.0.0.1');
    const folder = redisFolder();
    const port = await freePorts();
    const [at_cert, at_key, at_ca] = [cert, key, authority.file].map((file, number) => {
      const copy = join(folder, `${number}.pem`);
      copyFileSync(file, copy);
      return copy;
    }) as [string, string, string];
    const files = ['--tls-cert-file', at_cert, '--tls-key-file', at_key, '--tls-ca-cert-file', at_ca];
    const tls = ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...files];
    const args = [...tls, '--bind', '127.0.0.1 ::1', ...unsaved(folder)];
    await using server = await startServer({ folder, args, url: `rediss://127.0.0.1:${port}` });
    using right = opened(`${server.url}?ca=${authority.file}`);
    await right.until(/^ready/);
    expect(await right.redis.send('PING')).toBe('PONG');
    for (const url of [
      server.url,
      `${server.url}?ca=${stranger.file}`,
      `rediss://localhost:${port}?ca=${authority.file}`,
    ]) {
      using wrong = opened(url);
      expect(await wrong.until(/^away/)).toMatch(/certificate|altname/i);
      expect(wrong.told).not.toContain('ready');
    }
    await server.kill();
    rmSync(folder, { recursive: true });
  });

  test('openRedis() follows the Sentinels to the new master', async () => {
    await using group = await startSentinels();
    using listening = opened(group.url);
    using telling = opened(group.url);
    await Promise.all([listening.until(/^ready/), telling.until(/^ready/)]);
    const told = [listening, telling].map((one) => one.told.length);
    await group.master.kill();
    await Promise.all([listening, telling].map((one, at) => one.until(/^ready/, told[at])));
    // Written, which the old master's replica would have refused.
    expect(await answered(telling.redis, 'SET', 'a', '1')).toBe('OK');
    await listening.redis.subscribe(['x']);
    expect(await telling.redis.send('PUBLISH', 'x', 'y')).toBe(1);
    await listening.until(/heard on x/);
  });

  test('openRedis() throws what is wrong with an address', () => {
    expect(() => opened('redis://me:hunter2@')).toThrow(/^The address of Redis has no host(?!.*hunter2)/);
  });
});
