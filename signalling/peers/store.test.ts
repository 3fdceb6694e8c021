import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { openRedis } from '../../shared/redis.ts';
import { startRedis } from '../../shared/testing/redis.ts';
import { join as enter, leave } from '../domain/peers/membership.ts';
import {
  isNo,
  type No,
  type Outcome,
  type Peer,
  peer_limits,
  type Records,
} from '../domain/peers/outcome.ts';
import { tell, tellAll } from '../domain/peers/talk.ts';
import { createMemoryStore } from './memory-store.ts';
import { quit } from './network.ts';
import { openRedisStore } from './redis-store.ts';
import type { PeerStore } from './store.ts';

const redis = await startRedis();
const admin = openRedis(redis.url, 5_000, { ready: () => undefined, away: () => undefined });
await admin.arrived;
afterAll(async () => {
  admin.close();
  await redis[Symbol.asyncDispose]();
});

/** Every kind of store, twice: as two processes have it. In memory there is only one. */
const kinds: Record<string, () => Promise<[PeerStore, PeerStore]>> = {
  createMemoryStore: async () => {
    const store = createMemoryStore();
    return [store, store];
  },
  openRedisStore: async () => {
    await admin.send('FLUSHALL');
    return [
      await openRedisStore(redis.url, systemClock, silentLog),
      await openRedisStore(redis.url, systemClock, silentLog),
    ];
  },
};

const answer = { msg: 'ok', verb: 'away' } as const;
const peer = (name: string, more: Partial<Peer> = {}): Peer => ({
  name,
  seal: 'seal',
  session: `${name}-1`,
  channels: [],
  may_broadcast: true,
  ...more,
});

const join = (records: Records, me: Peer, name: string, seal: string) =>
  enter(records, me, name, { seal, channels_of_network: 100 });

/** What the decisions of a test have in common: the peer's own record. */
const as = (store: PeerStore, name: string, others: string[], channels: string[]) => ({
  do: (decide: (records: Parameters<typeof tell>[0], me: Peer) => Outcome | No) =>
    store.change({ peers: [name, ...others], channels }, (records) => {
      const me = records.peers.get(name);
      return me === undefined ? { no: 'not_described' } : decide(records, me);
    }),
});
const add = (store: PeerStore, name: string, until = 1_000) =>
  store.change({ peers: [name] }, () => ({ peers: [peer(name)], lease: { peer: name, until }, answer }));
const send = (store: PeerStore, from: string, to: string, text: string) =>
  as(store, from, [to], []).do((records, me) => tell(records, me, to, text));
const texts = async (store: PeerStore, name: string, after?: number) => {
  const inbox = await store.inbox(name, `${name}-1`, after);
  return inbox?.mail.map(({ seq, text }) => `${seq} ${(JSON.parse(text) as { text: string }).text}`);
};

for (const [kind, open] of Object.entries(kinds)) {
  describe(`${kind}()`, () => {
    let a = createMemoryStore();
    let b = a;
    beforeEach(async () => {
      a.stop();
      b.stop();
      [a, b] = await open();
      await add(a, 'ann');
      await add(b, 'bob');
    });
    afterAll(() => {
      a.stop();
      b.stop();
    });

    test(`${kind}() shows a decision what there is, and how many`, async () => {
      await a.change({ peers: ['ann', 'eve', 'bob'], channels: ['#x'], lease: 'bob' }, (records) => {
        expect([...records.peers.values()]).toEqual([peer('ann'), peer('bob')]);
        expect([...records.channels]).toEqual([]);
        expect([...records.leases]).toEqual([['bob', 1_000]]);
        expect(records.totals).toEqual({ peers: 2, channels: 0 });
        return { no: 'forbidden' };
      });
    });

    test(`${kind}() stores nothing of a refusal and everything of an outcome`, async () => {
      expect(await a.change({ peers: ['ann'] }, () => ({ no: 'forbidden' }))).toEqual({ no: 'forbidden' });
      await as(a, 'ann', [], ['#x']).do((records, me) => join(records, me, '#x', 'seal'));
      await as(b, 'bob', [], ['#x']).do((records, me) => join(records, me, '#x', 'seal'));
      await a.change({ peers: ['ann', 'bob'], channels: ['#x'] }, (records) => {
        expect(records.peers.get('bob')?.channels).toEqual(['#x']);
        expect(records.channels.get('#x')?.members).toEqual(['ann', 'bob']);
        expect(records.totals).toEqual({ peers: 2, channels: 1 });
        return { no: 'forbidden' };
      });
      for (const name of ['ann', 'bob']) {
        await as(b, name, [], ['#x']).do((records, me) => leave(records, me, '#x', 'quit'));
      }
      await b.change({ peers: ['ann'], channels: ['#x'] }, (records) => {
        expect(records.totals.channels).toBe(0);
        return { no: 'forbidden' };
      });
    });

    test(`${kind}() loses no change that others make at the same time`, async () => {
      const names = Array.from({ length: 20 }, (_, at) => `peer${at}`);
      await Promise.all(names.map((name, at) => add(at % 2 ? a : b, name)));
      const results = await Promise.all(
        names.map((name, at) =>
          as(at % 2 ? a : b, name, [], ['#x']).do((records, me) => join(records, me, '#x', 'seal')),
        ),
      );
      expect(results.filter(isNo)).toEqual([]);
      await a.change({ peers: ['ann'], channels: ['#x'] }, (records) => {
        expect([...(records.channels.get('#x')?.members ?? [])].sort()).toEqual(names.sort());
        return { no: 'forbidden' };
      });
    });

    test(`${kind}() counts what each network holds, and lets it hold no more, whoever asks at once`, async () => {
      const network = '192.0.2.7';
      const held = async (of = network) => {
        let found: Records['held'] | undefined;
        await b.change({ peers: ['ann'], network: of }, (records) => {
          found = records.held;
          return { no: 'forbidden' };
        });
        return found;
      };
      const describe = (store: PeerStore, name: string, most: number) =>
        store.change({ peers: [name], network }, (records) =>
          records.held.peers >= most
            ? { no: 'network_full' }
            : { peers: [peer(name, { network })], lease: { peer: name, until: 1_000 }, answer },
        );
      const names = Array.from({ length: 20 }, (_, at) => `n${at}`);
      const taken = await Promise.all(names.map((name, at) => describe(at % 2 ? a : b, name, 7)));
      expect(taken.filter((outcome) => !isNo(outcome)).length).toBe(7);
      expect(taken.filter(isNo).every(({ no }) => no === 'network_full')).toBeTrue();
      expect([await held(), await held('192.0.2.8')]).toEqual([
        { peers: 7, channels: 0 },
        { peers: 0, channels: 0 },
      ]);

      const own = names.filter((_, at) => !isNo(taken[at] ?? {}));
      const create = (store: PeerStore, name: string, channel: string) =>
        store.change({ peers: [name], channels: [channel], network }, (records) => {
          const me = records.peers.get(name);
          return me === undefined
            ? { no: 'not_described' }
            : enter(records, me, channel, { seal: 'seal', channels_of_network: 3 });
        });
      const made = await Promise.all(own.map((name, at) => create(at % 2 ? a : b, name, `#${name}`)));
      expect(made.filter((outcome) => !isNo(outcome)).length).toBe(3);
      expect(await held()).toEqual({ peers: 7, channels: 3 });

      for (const name of own) await quit(a, name, `${name}-1`);
      expect(await held()).toEqual({ peers: 0, channels: 0 });
    });

    test(`${kind}() lets one of many take a name`, async () => {
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, at) =>
          (at % 2 ? a : b).change({ peers: ['one'] }, ({ peers }) =>
            peers.has('one') ? { no: 'name_taken' } : { peers: [peer('one')], answer },
          ),
        ),
      );
      expect(results.filter((result) => !isNo(result))).toHaveLength(1);
    });

    test(`${kind}() keeps mail in order, of any content, until it was had`, async () => {
      const odd = ['a\r\nb\0"\\', '\ud800 lone', '𝒳 привет שלום', '{"sdp":"v=0"}', '\u2028', ' '];
      for (const text of odd) await send(a, 'ann', 'bob', text);
      expect(await texts(b, 'bob')).toEqual(odd.map((text, at) => `${at + 1} ${text}`));
      expect(await texts(b, 'bob', 4)).toHaveLength(2);
      expect(await texts(a, 'bob')).toHaveLength(2);
      expect(await texts(a, 'bob', 0)).toHaveLength(6);
      expect(await b.inbox('bob', 'bob-1', 1_000)).toEqual({ mail: [], lost: 0, had: 6 });
      expect(await texts(a, 'ann')).toEqual([]);
    });

    test(`${kind}() keeps the last mail within its bounds and says how much was lost`, async () => {
      for (let at = 1; at <= peer_limits.mail + 5; at++) await send(a, 'ann', 'bob', `${at}`);
      const inbox = await b.inbox('bob', 'bob-1', 0);
      expect({ lost: inbox?.lost, kept: inbox?.mail.length, first: inbox?.mail[0]?.seq }).toEqual({
        lost: 5,
        kept: peer_limits.mail,
        first: 6,
      });
      expect((await b.inbox('bob', 'bob-1', 10))?.lost).toBe(0);
      const large = 'ы'.repeat(16_000);
      for (let at = 0; at < 10; at++) await send(a, 'ann', 'bob', large);
      const bytes = (await b.inbox('bob', 'bob-1', 0))?.mail.map(({ text }) => Buffer.byteLength(text)) ?? [];
      expect(bytes.length).toBe(4);
      expect(bytes.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(peer_limits.mail_bytes);
    });

    test(`${kind}() delivers a broadcast to everybody else`, async () => {
      await add(a, 'eve');
      await as(a, 'ann', [], []).do((_, me) => tellAll(me, 'hello'));
      expect([await texts(b, 'ann'), await texts(a, 'bob'), await texts(b, 'eve')]).toEqual([
        [],
        ['1 hello'],
        ['1 hello'],
      ]);
    });

    test(`${kind}() has no mail for a stale session or a peer that is gone`, async () => {
      await a.change({ peers: ['bob'] }, () => ({ peers: [peer('bob', { session: 'bob-2' })], answer }));
      expect(await b.inbox('bob', 'bob-1', undefined)).toBeUndefined();
      expect(await b.inbox('bob', 'bob-2', undefined)).toEqual({ mail: [], lost: 0, had: 0 });
      await a.change({ peers: ['bob'] }, () => ({ gone: { peer: 'bob' }, answer }));
      expect(await b.inbox('bob', 'bob-2', undefined)).toBeUndefined();
      await a.change({ peers: ['ann'] }, () => ({
        mail: [{ to: ['bob'], event: { msg: 'private', from: 'ann', text: 'x' } }],
        answer,
      }));
      await add(a, 'bob');
      expect(await texts(b, 'bob')).toEqual([]);
    });

    test(`${kind}() names the peers whose lease ran out, and holds a lease that is renewed`, async () => {
      await a.keep(['bob', 'nobody'], 5_000);
      expect(await b.expired(999)).toEqual([]);
      expect(await b.expired(1_000)).toEqual(['ann']);
      expect((await a.expired(5_000)).sort()).toEqual(['ann', 'bob']);
      await a.keep([], 5_000);
      await a.change({ peers: ['ann'], lease: 'ann' }, () => ({ gone: { peer: 'ann' }, answer }));
      expect(await b.expired(5_000)).toEqual(['bob']);
    });

    test(`${kind}() wakes whoever listens for mail, a new session and an end`, async () => {
      const woken: (string | undefined)[] = [];
      let arrived = Promise.withResolvers<void>();
      const wait = async () => {
        await arrived.promise;
        arrived = Promise.withResolvers();
        return woken.splice(0);
      };
      const cancel = b.listen((name) => {
        woken.push(name);
        arrived.resolve();
      });
      await send(a, 'ann', 'bob', 'x');
      expect(await wait()).toContain('bob');
      await a.change({ peers: ['bob'] }, () => ({ peers: [peer('bob', { session: 'bob-2' })], answer }));
      expect(await wait()).toContain('bob');
      await a.change({ peers: ['bob'] }, () => ({ gone: { peer: 'bob' }, answer }));
      expect(await wait()).toContain('bob');
      await as(a, 'ann', [], []).do((_, me) => tellAll(me, 'x'));
      cancel();
    });

    test(`${kind}() takes names that are also properties of objects`, async () => {
      for (const name of ['__proto__', 'constructor', 'toString']) {
        await add(a, name);
        await send(b, 'ann', name, 'x');
        expect(await texts(a, name)).toEqual(['1 x']);
      }
    });
  });
}

test('openRedisStore() refuses while Redis is away and wakes everybody when it is back', async () => {
  await using own = await startRedis();
  const store = await openRedisStore(own.url, systemClock, silentLog);
  await add(store, 'ann');
  await own.kill();
  expect(await send(store, 'ann', 'ann', 'x')).toEqual({ no: 'unavailable' });
  expect(store.keep(['ann'], 1)).rejects.toThrow();
  expect(store.inbox('ann', 'ann-1', 0)).rejects.toThrow();
  const back = Promise.withResolvers<void>();
  const cancel = store.listen((name) => name === undefined && back.resolve());
  await own.start();
  await back.promise;
  cancel();
  const heard = Promise.withResolvers<string | undefined>();
  store.listen(heard.resolve);
  while (isNo(await add(store, 'bob'))) await new Promise(setImmediate);
  await send(store, 'bob', 'bob', 'x');
  expect(await heard.promise).toBe('bob');
  store.stop();
});

test('openRedisStore() starts without Redis', async () => {
  const store = await openRedisStore('redis://127.0.0.1:1', systemClock, silentLog);
  expect(await add(store, 'ann')).toEqual({ no: 'unavailable' });
  store.stop();
});
