import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import { webhookEventSchema } from '../../shared/protocol/webhooks.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { fakeIds } from '../../shared/testing/ids.ts';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import { seeded } from '../../shared/testing/random.ts';
import { isGenuine } from '../../shared/testing/webhook-verifier.ts';
import { removals } from '../expiry.ts';
import { emit } from '../kit/outbox.ts';
import { removeExpired } from '../kit/sweep.ts';
import { type Database, Unavailable } from '../store/database.ts';
import type { OutboxRow } from '../store/tables.ts';
import { memoryDatabase } from '../testing/database.ts';
import { recordedLog } from '../testing/log.ts';
import { openMigrated } from '../testing/mysql.ts';
import { type Received, type Receiver, startReceiver } from '../testing/receiver.ts';
import { webhookRow } from '../testing/rows.ts';
import { memoryStore } from '../testing/store.ts';
import { createDeliveries } from './deliveries.ts';
import { attempts_most, retryDelay } from './rules.ts';
import type { Send } from './targets.ts';
import { renewSecret } from './webhooks.ts';

setDefaultTimeout(120_000);

const day_ms = 86_400_000;
const lease_ms = 30_000;
const never = () => new Promise<never>(() => {});

/** What an event tells of the session of this number. */
const ended = (number: number) => ({
  session_id: `session-${number}`,
  app: 'garden',
  host: 'host-a',
  account_id: null,
  booking_id: null,
  phases: { ended: number },
});

/** Coordinators on one database with one clock, and webhooks 1 to `count` at the receiver. */
const setUp = async (receiver: Receiver, count = 1, db: Database = memoryDatabase()) => {
  const clock = fakeClock();
  const ids = fakeIds();
  receiver.now = clock.now;
  await db.transact(({ webhooks }) =>
    webhooks.insert(
      ...Array.from({ length: count }, (_, at) => webhookRow(at + 1, { url: receiver.url(at + 1) })),
    ),
  );
  return {
    db,
    clock,
    coordinator: (send: Send = fetch) =>
      createDeliveries({ db, clock, ids: { ...ids, below: () => 0 }, log: silentLog }, send),
    happen: (times = 1) =>
      db.transact(async (tables) => {
        for (let at = 0; at < times; at++) await emit({ clock, ids }, tables, 'session.ended', ended(at));
      }),
    outbox: () => db.read(({ outbox }) => outbox.find({})),
    row: async (): Promise<Partial<OutboxRow>> => (await db.read(({ outbox }) => outbox.find({})))[0] ?? {},
  };
};

describe('createDeliveries()', () => {
  test('createDeliveries() sends a signed event once, and never again', async () => {
    await using receiver = startReceiver();
    const { coordinator, clock, happen, row } = await setUp(receiver);
    const deliveries = coordinator();
    await happen();
    await deliveries.tick();
    clock.advance(day_ms);
    await deliveries.tick();
    const [one] = receiver.received;
    expect(receiver.received).toHaveLength(1);
    expect(one?.genuine).toBeTrue();
    const body = webhookEventSchema.parse(JSON.parse(one?.body ?? ''));
    expect(body).toMatchObject({
      id: one?.id ?? '',
      event: 'session.ended',
      data: { phases: { ended: '1970-01-01T00:00:00.000Z' } },
    });
    expect(await row()).toMatchObject({ state: 'delivered', attempts: 1, delivered_at: body.at });
  });

  test('createDeliveries() signs with a renewed secret and for a day with the one before, and a receiver of either takes it', async () => {
    const signatures: string[] = [];
    const taken: string[][] = [];
    const held: string[] = [];
    await using receiver = startReceiver(({ body }, { headers }) => {
      signatures.push(headers.get('webhook-signature') ?? '');
      taken.push(held.filter((secret) => isGenuine(headers, body, secret, receiver.now())));
      return new Response();
    });
    const { coordinator, clock, db, happen } = await setUp(receiver);
    const parts = { db, clock, ids: systemIds, store: memoryStore([]) };
    const renew = async () => {
      const made = await renewSecret(parts, 'account-1', 'webhook-1');
      held.push('secret' in made ? made.secret : made.refused);
    };
    const deliveries = coordinator();
    const deliver = async () => {
      await happen();
      await deliveries.tick();
    };
    await renew();
    await deliver();
    await renew();
    await deliver();
    clock.advance(day_ms - 1);
    await deliver();
    clock.advance(1);
    await deliver();
    const [first = '', second = ''] = held;
    expect(taken).toEqual([[first], [first, second], [first, second], [second]]);
    expect(receiver.received.map(({ genuine }) => genuine)).toEqual([true, false, false, false]);
    expect(signatures.map((signature) => signature.split(' ').length)).toEqual([2, 2, 2, 1]);
  });

  for (const failures of [1, 3, attempts_most - 1]) {
    test(`createDeliveries() repeats an event after ${failures} failures, when it is due and not before`, async () => {
      let left = failures;
      await using receiver = startReceiver(() => new Response('no', { status: left-- > 0 ? 500 : 204 }));
      const { coordinator, clock, happen, row } = await setUp(receiver);
      const deliveries = coordinator();
      await happen();
      await deliveries.tick();
      for (let failed = 1; failed <= failures; failed++) {
        clock.advance((retryDelay(failed, 0) ?? 0) - 1);
        await deliveries.tick();
        expect(receiver.received).toHaveLength(failed);
        clock.advance(1);
        await deliveries.tick();
        expect(receiver.received).toHaveLength(failed + 1);
      }
      expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
      expect(receiver.received.every(({ genuine }) => genuine)).toBeTrue();
      expect(await row()).toMatchObject({ state: 'delivered', attempts: failures + 1 });
    });
  }

  test('createDeliveries() gives an event up after its last attempt, and forgets it a week later', async () => {
    await using receiver = startReceiver(() => new Response(null, { status: 503 }));
    const { coordinator, clock, db, happen, row, outbox } = await setUp(receiver);
    const deliveries = coordinator();
    await happen();
    for (let at = 0; at < attempts_most + 3; at++) {
      await deliveries.tick();
      clock.advance(12 * 3_600_000);
    }
    expect(receiver.received).toHaveLength(attempts_most);
    expect(await row()).toMatchObject({ state: 'given_up', attempts: attempts_most, delivered_at: null });
    clock.advance(7 * day_ms);
    await removeExpired({ db, clock, store: memoryStore([]), log: silentLog }, removals);
    expect(await outbox()).toEqual([]);
  });

  test('createDeliveries() follows no redirection and reads no endless answer', async () => {
    await using receiver = startReceiver(({ webhook }, { url }) =>
      webhook === 'webhook-1'
        ? Response.redirect(new URL('/elsewhere', url).href, 307)
        : new Response(new ReadableStream({ pull: (out) => out.enqueue(new Uint8Array(65_536)) })),
    );
    const { coordinator, happen, outbox } = await setUp(receiver, 2);
    await happen();
    await coordinator().tick();
    expect(receiver.received.map(({ webhook }) => webhook).sort()).toEqual(['webhook-1', 'webhook-2']);
    const states = (await outbox()).map(({ webhook_id, state }) => [webhook_id, state]);
    expect(states.sort()).toEqual([
      ['webhook-1', 'waiting'],
      ['webhook-2', 'delivered'],
    ]);
  });

  test('createDeliveries() waits 10 s for an answer and goes on without it', async () => {
    const arrived = Promise.withResolvers<void>();
    await using receiver = startReceiver(() => {
      arrived.resolve();
      return never();
    });
    const { coordinator, clock, happen, row } = await setUp(receiver);
    await happen();
    const ticked = coordinator().tick();
    await arrived.promise;
    clock.advance(10_000);
    await ticked;
    expect(await row()).toMatchObject({ state: 'waiting', attempts: 1, due_at: clock.now() + 10_000 });
    expect(clock.pending()).toBe(0);
  });

  test('createDeliveries() switches a webhook off that says it is gone', async () => {
    await using receiver = startReceiver(() => new Response(null, { status: 410 }));
    const { coordinator, clock, db, happen, outbox } = await setUp(receiver);
    const deliveries = coordinator();
    await happen(2);
    await deliveries.tick();
    clock.advance(day_ms);
    await deliveries.tick();
    expect(receiver.received).toHaveLength(1);
    expect(await db.read(({ webhooks }) => webhooks.get({ id: 'webhook-1' }))).toMatchObject({
      enabled: false,
    });
    expect((await outbox()).map(({ state }) => state).sort()).toEqual(['given_up', 'waiting']);
    clock.advance(8 * day_ms);
    await removeExpired({ db, clock, store: memoryStore([]), log: silentLog }, removals);
    expect(await outbox()).toEqual([]);
  });

  test('createDeliveries() sends to eight webhooks at once and to each of them one event at a time', async () => {
    const first = Promise.withResolvers<void>();
    let waiting = 0;
    await using receiver = startReceiver(async () => {
      waiting += 1;
      if (waiting === 8) first.resolve();
      await first.promise;
      return new Response();
    });
    const { coordinator, happen } = await setUp(receiver, 12);
    const deliveries = coordinator();
    await happen(3);
    await deliveries.tick();
    await deliveries.tick();
    expect(receiver.most).toEqual({ all: 8, one: 1 });
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(36);
    expect(receiver.received).toHaveLength(36);
    const ofOne = receiver.received.filter(({ webhook }) => webhook === 'webhook-1');
    expect(
      ofOne.map(({ body }) => webhookEventSchema.parse(JSON.parse(body)).data.session_id).sort(),
    ).toEqual(['session-0', 'session-1', 'session-2']);
  });

  test('createDeliveries() lets one webhook that does not answer keep no other from its events', async () => {
    const rest = Promise.withResolvers<void>();
    let left = 5;
    await using receiver = startReceiver(({ webhook }) => {
      if (webhook === 'webhook-1') return never();
      left -= 1;
      if (left === 0) rest.resolve();
      return new Response();
    });
    const { coordinator, happen } = await setUp(receiver, 2);
    const deliveries = coordinator();
    await happen(5);
    const ticked = deliveries.tick();
    await rest.promise;
    await deliveries.stop();
    await ticked;
    expect(receiver.received.filter(({ webhook }) => webhook === 'webhook-1')).toHaveLength(1);
    expect(distinct(receiver.received)).toBe(6);
  });

  test('createDeliveries() waits for a database that is away, and says so once', async () => {
    await using receiver = startReceiver();
    const { db, clock, happen } = await setUp(receiver);
    const recorded = recordedLog();
    const state = { away: true };
    const check = () => {
      if (state.away) throw new Unavailable('storage_away', 'gone');
    };
    const sometimes: Database = {
      read: async (work) => {
        check();
        return db.read(work);
      },
      transact: async (work) => {
        check();
        return db.transact(work);
      },
      health: () => db.health(),
      shared: db.shared,
      compact: () => db.compact(),
      close: () => db.close(),
    };
    const deliveries = createDeliveries(
      { db: sometimes, clock, ids: fakeIds(), log: recorded.log },
      async (url, request) => {
        const answer = await fetch(url, request);
        // It was sent, and nobody can note it.
        state.away = receiver.received.length === 1;
        return answer;
      },
    );
    await happen();
    for (let at = 0; at < 3; at++) await deliveries.tick();
    state.away = false;
    await deliveries.tick();
    state.away = false;
    clock.advance(lease_ms);
    await deliveries.tick();
    expect([receiver.received.length, distinct(receiver.received)]).toEqual([2, 1]);
    expect(recorded.messages('warn')).toHaveLength(2);
    expect(recorded.messages('error')).toEqual([]);
    await deliveries.stop();
  });

  test('stop() breaks off what is under way, for another to repeat it', async () => {
    const arrived = Promise.withResolvers<void>();
    let answers: () => Response | Promise<Response> = () => {
      arrived.resolve();
      return never();
    };
    await using receiver = startReceiver(() => answers());
    const { coordinator, clock, happen, row } = await setUp(receiver);
    const stopped = coordinator();
    await happen();
    void stopped.tick();
    await arrived.promise;
    await stopped.stop();
    await stopped.stop();
    await stopped.tick();
    expect(clock.pending()).toBe(0);
    answers = () => new Response();
    clock.advance(lease_ms);
    await coordinator().tick();
    expect(receiver.received).toHaveLength(2);
    expect(await row()).toMatchObject({ state: 'delivered', attempts: 2 });
  });
});

/** A coordinator that dies, from our view: it has sent the request or has not, and never does anything again. */
const dying =
  (sends: boolean, dead: () => void): Send =>
  async (url, request) => {
    if (sends) await fetch(url, request);
    dead();
    return never();
  };

const distinct = (received: readonly Received[]): number => new Set(received.map(({ id }) => id)).size;

const atLeastOnce = (name: string, open: () => Promise<Database>) => {
  describe(`${name} createDeliveries() at least once`, () => {
    for (const sends of [false, true]) {
      test(`createDeliveries() on ${name} repeats what a coordinator killed ${sends ? 'after' : 'before'} sending had taken`, async () => {
        await using receiver = startReceiver();
        const { coordinator, clock, happen, row } = await setUp(receiver, 1, await open());
        const killed = Promise.withResolvers<void>();
        await happen();
        void coordinator(dying(sends, killed.resolve)).tick();
        await killed.promise;
        const other = coordinator();
        await other.tick();
        expect(receiver.received).toHaveLength(sends ? 1 : 0);
        clock.advance(lease_ms);
        await other.tick();
        expect(receiver.received).toHaveLength(sends ? 2 : 1);
        expect(distinct(receiver.received)).toBe(1);
        expect(await row()).toMatchObject({ state: 'delivered', attempts: 2 });
      });
    }

    test(`createDeliveries() on ${name} by three coordinators at once sends each event once`, async () => {
      await using receiver = startReceiver();
      const { coordinator, happen, outbox } = await setUp(receiver, 4, await open());
      await happen(10);
      const all = [coordinator(), coordinator(), coordinator()];
      while ((await outbox()).some(({ state }) => state === 'waiting')) {
        await Promise.all(all.map((deliveries) => deliveries.tick()));
      }
      expect([receiver.received.length, distinct(receiver.received)]).toEqual([40, 40]);
    });

    test(`createDeliveries() on ${name} loses no event to random failures and kills`, async () => {
      const random = seeded(7);
      const failures = new Map<string, number>();
      await using receiver = startReceiver(({ id }) => {
        const failed = failures.get(id) ?? 0;
        if (failed === 2 || random.below(10) < 5) return new Response();
        failures.set(id, failed + 1);
        return new Response(null, { status: 500 });
      });
      const { coordinator, clock, happen, outbox } = await setUp(receiver, 3, await open());
      await happen(12);
      // With two failures each no event has used its attempts up after so many kills.
      for (let kills = 0; kills < attempts_most - 3; kills++) {
        const killed = Promise.withResolvers<void>();
        await Promise.race([
          coordinator(dying(random.below(2) === 0, killed.resolve)).tick(),
          killed.promise,
        ]);
        await coordinator().tick();
        clock.advance(60_000);
      }
      const last = coordinator();
      while ((await outbox()).some(({ state }) => state === 'waiting')) {
        await last.tick();
        clock.advance(60_000);
      }
      const taken = (await outbox()).filter(({ state }) => state === 'delivered').map(({ id }) => id);
      expect(taken).toHaveLength(36);
      expect(new Set(receiver.received.map(({ id }) => id))).toEqual(new Set(taken));
      expect(receiver.received.every(({ genuine }) => genuine)).toBeTrue();
    });
  });
};

atLeastOnce('memory', async () => memoryDatabase());

let server: PrivateMariadb;
const opened: Database[] = [];
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(async () => {
  for (const db of opened) await db.close();
  await server[Symbol.asyncDispose]();
});

atLeastOnce('mariadb', async () => {
  const db = await openMigrated(await server.createDatabase(`deliveries${opened.length}`));
  opened.push(db);
  return db;
});
