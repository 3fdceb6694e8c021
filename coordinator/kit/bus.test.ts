import { afterAll, afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import { startRedis } from '../../shared/testing/redis.ts';
import { ear, piped, pipeEnd, until } from '../testing/bus-ends.ts';
import type { Bus, TakePipe } from './bus.ts';
import { createMemoryBus } from './bus-memory.ts';
import { openRedisBus } from './bus-redis.ts';
import { bounds } from './limits.ts';

setDefaultTimeout(120_000);

const parts = { clock: systemClock, ids: systemIds, log: silentLog };

/** The user that docs/operations.md gives no more rights than are needed. */
const rights = 'on >secret resetkeys resetchannels ~vitrina:* &vitrina:* +@all -@dangerous +info';
const redis = await startRedis(['--user', 'vitrina', ...rights.split(' '), '--user', 'default', 'off']);
const url = redis.url.replace('://', '://vitrina:secret@');
afterAll(() => redis[Symbol.asyncDispose]());

/** Each bus as two processes have it. Who is alone has one. */
const kinds: Record<string, () => Promise<[Bus, Bus]>> = {
  createMemoryBus: async () => {
    const bus = createMemoryBus(parts);
    return [bus, bus];
  },
  openRedisBus: async () => [await openRedisBus(url, parts), await openRedisBus(url, parts)],
};

for (const [kind, open] of Object.entries(kinds)) {
  describe(`${kind}()`, () => {
    let a = createMemoryBus(parts);
    let b = a;
    beforeEach(async () => {
      await Promise.all([a.stop(), b.stop()]);
      [a, b] = await open();
    });
    afterEach(() => Promise.all([a.stop(), b.stop()]));

    test(`${kind}() tells who listens to a topic, and nobody any more who does not`, async () => {
      const [here, there] = [ear(), ear()];
      const cancel = a.listen('x', () => here.hear('x'));
      b.listen('x', () => there.hear('x'));
      b.listen('y', () => there.hear('y'));
      a.tell('x');
      expect(here.heard).toEqual(['x']); // at once, whatever the bus does
      await there.until('x');
      cancel();
      cancel();
      a.tell('x');
      a.tell('z');
      a.tell('y');
      await there.until('y');
      expect(here.heard).toEqual(['x']);
      expect(there.heard.filter((topic) => topic === 'y')).toEqual(['y']);
    });

    test(`${kind}() leaves nobody out because a listener fails`, async () => {
      const there = ear();
      for (const bus of new Set([a, b])) {
        bus.listen('x', () => {
          throw new Error('a fault of the listener');
        });
      }
      b.listen('x', (missed) => there.hear(String(missed)));
      expect(() => a.tell('x')).not.toThrow();
      await there.until('false');
    });

    test(`${kind}() tells everybody to look when more has changed at once than it can say`, async () => {
      const there = ear();
      b.listen('topic 7', (missed) => there.hear(String(missed)));
      for (let at = 0; at <= bounds.topics_waiting; at++) a.tell(`topic ${at}`);
      await there.until(String(a !== b));
      // What it does say afterwards it says by name.
      a.tell('topic 7');
      await there.until('false', there.heard.indexOf(String(a !== b)) + 1);
      expect(there.heard).toContain('false');
    });

    test(`${kind}() says who is there, until it is gone or has not been heard of`, async () => {
      a.present('hosts', 'a', 60_000, 'one');
      b.present('hosts', 'b', 60_000, '');
      b.present('other', 'c', 60_000, 'three');
      const seen = async (bus: Bus) => Object.fromEntries(await bus.members('hosts'));
      for (const bus of [a, b]) await until(async () => Object.keys(await seen(bus)).length === 2);
      expect(await seen(b)).toEqual({ a: 'one', b: '' });
      a.present('hosts', 'a', 60_000, 'line\nbreak');
      await until(async () => (await seen(b)).a === 'line\nbreak');
      a.absent('hosts', 'a');
      for (const bus of [a, b]) await until(async () => (await seen(bus)).a === undefined);
      a.present('hosts', 'd', 300, 'four');
      await until(async () => (await seen(b)).d === 'four');
      for (const bus of [a, b]) await until(async () => (await seen(bus)).d === undefined);
      expect(await seen(a)).toEqual({ b: '' });
      expect(await a.members('nobody')).toEqual(new Map());
    });

    test(`${kind}() counts a share for all together, and gives back as time passes`, async () => {
      const rate = { count: 3, window_ms: 600 };
      const taken = [await a.take('x', rate), await b.take('x', rate), await a.take('x', rate)];
      expect(taken).toEqual([0, 0, 0]);
      for (const bus of [a, b]) {
        const wait_ms = await bus.take('x', rate);
        // One is given back every 200 ms; a slow machine may have let that pass.
        if (wait_ms !== 0) expect(wait_ms).toBeWithin(1, 201);
      }
      expect(await b.take('y', { count: 1, window_ms: 3_600_000 })).toBe(0);
      expect(await a.take('y', { count: 1, window_ms: 3_600_000 })).toBeWithin(3_590_000, 3_600_001);
      await until(async () => (await a.take('x', rate)) === 0);
    });

    test(`${kind}() carries any bytes both ways, in order and once`, async () => {
      const { near, far, pipe, other } = await piped(a, b, 'who: "ann"\u0000');
      expect([other.from, other.opening]).toEqual([a.id, 'who: "ann"\u0000']);
      const sent = Array.from({ length: 600 }, (_, at) => Buffer.alloc((at * 37) % 700, at % 256));
      for (const [at, bytes] of sent.entries()) {
        pipe.send(bytes);
        other.pipe.send(bytes);
        if (at % 40 === 0) await new Promise(setImmediate);
      }
      for (const one of [near, far]) {
        await one.told.until('data 600');
        expect(one.bytes).toEqual(sent);
      }
      pipe.close(4410, 'Всё');
      pipe.send(Buffer.from('too late'));
      await far.told.until('closed 4410 Всё');
      other.pipe.send(Buffer.from('too late'));
      expect([near.bytes.length, far.bytes.length, near.told.heard.at(-1)]).toEqual([600, 600, 'data 600']);
    });

    test(`${kind}() keeps pipes apart, and closes each from either side`, async () => {
      const pipes = [await piped(a, b), await piped(b, a), await piped(a, b)];
      for (const [at, { pipe, other }] of pipes.entries()) {
        pipe.send(Buffer.from([at]));
        other.pipe.send(Buffer.from([at, at]));
      }
      for (const [at, { near, far }] of pipes.entries()) {
        await Promise.all([near.told.until('data 1'), far.told.until('data 1')]);
        expect([near.bytes, far.bytes]).toEqual([[Buffer.from([at, at])], [Buffer.from([at])]]);
      }
      pipes[1]?.other.pipe.close(1001, '');
      await pipes[1]?.near.told.until('closed 1001 ');
      for (const at of [0, 2]) {
        pipes[at]?.other.pipe.send(Buffer.from('still'));
        await pipes[at]?.near.told.until('data 2');
      }
    });

    test(`${kind}() tells who dials in vain`, async () => {
      const takers: [to: string, take?: TakePipe][] = [
        ['nobody', () => pipeEnd().end],
        [b.id],
        [b.id, () => undefined],
        [
          b.id,
          () => {
            throw new Error('a fault of the taker');
          },
        ],
      ];
      for (const [to, take] of takers) {
        const deaf = take && b.accept(take);
        const { end, told } = pipeEnd();
        const pipe = a.dial(to, Buffer.from('hello'), end);
        pipe.send(Buffer.from('x'));
        await told.until('lost');
        pipe.send(Buffer.from('x'));
        pipe.close(1000, '');
        expect(told.heard).toEqual(['lost']);
        deaf?.();
      }
    });

    test(`${kind}() loses a pipe in which more waits than it may, and no other`, async () => {
      const full = await piped(a, b);
      const good = await piped(a, b);
      good.pipe.send(Buffer.from('before'));
      const frame = Buffer.alloc(64 * 1024);
      for (let at = 0; at <= bounds.pipe_bytes / frame.length; at++) full.pipe.send(frame);
      await Promise.all([full.near.told.until('lost'), full.far.told.until('lost')]);
      good.pipe.send(Buffer.from('after'));
      await good.far.told.until('data 2');
      expect(good.far.bytes.map(String)).toEqual(['before', 'after']);
    });
  });
}
