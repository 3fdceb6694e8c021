import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { startCutter } from '../../shared/testing/cutter.ts';
import { freePorts } from '../../shared/testing/free-ports.ts';
import { redisFolder, startRedis, startServer, unsaved } from '../../shared/testing/redis.ts';
import { startSentinels } from '../../shared/testing/sentinels.ts';
import { ear, piped, until } from '../testing/bus-ends.ts';
import { recordedLog } from '../testing/log.ts';
import type { Bus } from './bus.ts';
import { openRedisBus } from './bus-redis.ts';

setDefaultTimeout(120_000);

const away_note = 'Redis is away: coordinators do not reach each other, and each counts requests for itself';

const opened = async (url: string, clock: Clock = systemClock) => {
  const { log, messages } = recordedLog();
  const bus = await openRedisBus(url, { clock, ids: systemIds, log });
  const heard = ear();
  bus.listen('x', (missed) => heard.hear(missed ? 'missed' : 'told'));
  return { bus, heard, messages, [Symbol.asyncDispose]: () => bus.stop() };
};

const isUp = ({ bus }: { bus: Bus }) => bus.health()?.ok === true;

/** What a bus does without Redis: everything of this process, and nothing that waits or throws. */
const expectAlone = async (bus: Bus) => {
  const here = ear();
  const cancel = bus.listen('alone', () => here.hear('told'));
  bus.tell('alone');
  expect(here.heard).toEqual(['told']);
  cancel();
  expect(await bus.take('alone', { count: 1, window_ms: 1_000 })).toBeUndefined();
  bus.present('alone', 'me', 60_000, 'here');
  expect(await bus.members('alone')).toEqual(new Map([['me', 'here']]));
  bus.absent('alone', 'me');
  expect(bus.health()).toEqual({ ok: false, note: away_note });
};

describe('openRedisBus()', () => {
  test('openRedisBus() loses pipes and no member with Redis, and has everybody look when it is back', async () => {
    await using redis = await startRedis();
    await using a = await opened(redis.url);
    await using b = await opened(redis.url);
    a.bus.present('hosts', 'a', 3_600_000, 'one');
    const pipes = [await piped(a.bus, b.bus), await piped(b.bus, a.bus)];
    expect(a.bus.health()).toEqual({ ok: true });
    await redis.kill();
    for (const { near, far } of pipes) await Promise.all([near.told.until('lost'), far.told.until('lost')]);
    await until(() => !isUp(a) && !isUp(b));
    for (const { bus } of [a, b]) await expectAlone(bus);
    const from = [a, b].map(({ heard }) => heard.heard.length);
    await redis.start();
    await Promise.all([a, b].map(({ heard }, at) => heard.until('missed', from[at])));
    await until(() => isUp(a) && isUp(b));
    // It kept nothing: who is there is said again.
    await until(async () => (await b.bus.members('hosts')).get('a') === 'one');
    const { far, pipe } = await piped(a.bus, b.bus);
    pipe.send(Buffer.from('again'));
    await far.told.until('data 1');
    expect(a.messages('warn')).toEqual([away_note]);
    expect(a.messages('info')).toEqual(['Redis is back']);
  });

  test('openRedisBus() finds out that Redis answers nothing, and says nothing that is old afterwards', async () => {
    await using redis = await startRedis();
    let skipped_ms = 0;
    const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skipped_ms };
    await using a = await opened(redis.url, clock);
    await using b = await opened(redis.url);
    const { near, pipe } = await piped(a.bus, b.bus);
    redis.freeze();
    for (let at = 0; at < 30_000; at++) a.bus.tell(`topic ${at}`);
    pipe.send(Buffer.from('x'));
    skipped_ms += 3_600_000;
    await near.told.until('lost');
    await until(() => !isUp(a));
    await expectAlone(a.bus);
    const from = [a, b].map(({ heard }) => heard.heard.length);
    redis.thaw();
    await Promise.all([a, b].map(({ heard }, at) => heard.until('missed', from[at])));
  });

  test('openRedisBus() has the others look when it was away alone', async () => {
    const folder = redisFolder();
    const port = await freePorts();
    const args = ['--port', String(port), '--bind', '127.0.0.1', ...unsaved(folder)];
    await using redis = await startServer({ folder, args, url: `redis://127.0.0.1:${port}` });
    const line = await startCutter(port);
    await using a = await opened(`redis://127.0.0.1:${line.port}`);
    await using b = await opened(redis.url);
    const { near, far, pipe } = await piped(b.bus, a.bus);
    const from = b.heard.heard.length;
    line.cut('hard');
    await far.told.until('lost');
    a.bus.tell('x'); // nobody else hears it
    pipe.send(Buffer.from('to nobody'));
    await near.told.until('lost');
    expect([isUp(b), b.heard.heard.slice(from)]).toEqual([true, []]);
    line.mend();
    await b.heard.until('missed', from);
    a.bus.tell('x');
    await b.heard.until('told', from);
    expect(b.messages('warn')).toEqual([]);
    await a.bus.stop();
    await line.stop();
    await redis.kill();
    rmSync(folder, { recursive: true });
  });

  test('openRedisBus() loses the pipes of a process that is gone, whoever has something to say', async () => {
    await using redis = await startRedis();
    await using a = await opened(redis.url);
    await using b = await opened(redis.url);
    const silent = await piped(a.bus, b.bus);
    await b.bus.stop();
    await b.bus.stop();
    await silent.near.told.until('lost');
    expect(isUp(a)).toBe(true);
  });

  test('openRedisBus() goes on over the new master that Sentinels choose', async () => {
    await using group = await startSentinels();
    await using a = await opened(group.url);
    await using b = await opened(group.url);
    a.bus.present('hosts', 'a', 3_600_000, 'one');
    const { near, far } = await piped(a.bus, b.bus);
    const from = [a, b].map(({ heard }) => heard.heard.length);
    await group.master.kill();
    await Promise.all([near.told.until('lost'), far.told.until('lost')]);
    await Promise.all([a, b].map(({ heard }, at) => heard.until('missed', from[at])));
    await until(() => isUp(a) && isUp(b));
    a.bus.tell('x');
    await b.heard.until('told', from[1]);
    await until(async () => (await b.bus.members('hosts')).get('a') === 'one');
    const again = await piped(a.bus, b.bus);
    again.pipe.send(Buffer.from('again'));
    await again.far.told.until('data 1');
    expect(await a.bus.take('y', { count: 1, window_ms: 60_000 })).toBe(0);
  });

  test('openRedisBus() begins without Redis, and throws what is wrong with an address', async () => {
    await using a = await opened('redis://127.0.0.1:1');
    await expectAlone(a.bus);
    expect(
      openRedisBus('redis://me:hunter2@', { clock: systemClock, ids: systemIds, log: recordedLog().log }),
    ).rejects.toThrow(/no host(?!.*hunter2)/);
  });

  test('openRedisBus() has everybody look where somebody says what it does not understand', async () => {
    await using redis = await startRedis();
    await using a = await opened(redis.url);
    await using other = await opened(redis.url);
    const cli = Bun.spawnSync([
      'redis-cli',
      '-s',
      redis.url.replace('redis+unix://', ''),
      'PUBLISH',
      'vitrina:bus:hints',
      '{"topics": 3',
    ]);
    expect(cli.exitCode).toBe(0);
    await a.heard.until('missed');
    const bytes = ['PUBLISH', `vitrina:bus:mail:${a.bus.id}`, 'no mail'];
    Bun.spawnSync(['redis-cli', '-s', redis.url.replace('redis+unix://', ''), ...bytes]);
    await until(() => a.messages('warn').includes('a mail on the bus cannot be read'));
    other.bus.tell('x');
    await a.heard.until('told');
  });
});
