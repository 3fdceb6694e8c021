import { expect, setDefaultTimeout, test } from 'bun:test';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { eventNames } from '../../shared/protocol/webhooks.ts';
import { changeAccount } from '../accounts/accounts.ts';
import { createLooks } from '../accounts/looks.ts';
import { removals } from '../expiry.ts';
import { removeExpired } from '../kit/sweep.ts';
import { happen } from '../sessions/live.ts';
import { rowOf } from '../sessions/rows.ts';
import { type Database, Unavailable } from '../store/database.ts';
import { openJsonDatabase } from '../store/json/open.ts';
import { memoryDatabase } from '../testing/database.ts';
import { temporaryFolder } from '../testing/folder.ts';
import { account, auditRow, recordRow, session, webhookRow } from '../testing/rows.ts';
import { started, worldUnderTest } from '../testing/world.ts';
import { createDeliveries } from '../webhooks/deliveries.ts';
import { beginErasure, createErasures } from './erasure.ts';

setDefaultTimeout(120_000);

const second = 1_000;
const minute = 60 * second;
const id = 'id-of-ada-lovelace';
const ada = account(2, { id, email: 'ada@mail.example', name: 'Ada Lovelace' });
const words = [id, ada.email, ada.name];

/** A coordinator with an administrator and Ada. */
const withAda = async (db: Database = memoryDatabase()) => {
  const under = await worldUnderTest({}, db);
  await db.transact(async ({ accounts, webhooks, records }) => {
    await accounts.insert(account(9, { role: 'admin' }), ada);
    await webhooks.insert(webhookRow(1, { events: JSON.stringify(eventNames) }));
    await records.insert(recordRow(1, { account_id: id }));
  });
  const left: string[] = [];
  const look = createErasures(under.world, (account_id) => left.push(account_id));
  const there = () => db.read(({ accounts }) => accounts.get({ id }));
  return {
    ...under,
    left,
    look,
    there,
    /** Looks, as time goes by, until Ada is gone or so long has passed. */
    async pass(ms: number) {
      for (let passed = 0; passed <= ms; passed += 5 * second) {
        await look();
        for (const one of under.world.sessions.keys()) await under.world.saver.saved(one);
        if ((await there()) === undefined) return;
        under.clock.advance(5 * second);
      }
    },
  };
};

test('createErasures() leaves everybody alone whom nobody has erased, whatever their address', async () => {
  const { db, look, clock } = await withAda();
  const people = [
    'erased.smith@mail.example',
    'erased@mail.example',
    'erased-x@erased.example',
    'erased/@x.example',
  ];
  const all = people.map((email, at) => account(20 + at, { email }));
  await db.transact(async ({ accounts, records }) => {
    await accounts.insert(...all);
    await records.insert(...all.map((one, at) => recordRow(20 + at, { account_id: one.id })));
  });
  for (let looks = 0; looks < 20; looks++) {
    await look();
    clock.advance(10 * second);
  }
  const left = await db.read(({ accounts }) => accounts.find({ id: { in: all.map((one) => one.id) } }));
  expect(left).toEqual(all);
  expect(await db.read(({ records }) => records.count({ account_id: 'erased' }))).toBe(0);
});

test('removeExpired() leaves an account that is being erased until nothing names it', async () => {
  const { db, world, clock, pass, there } = await withAda();
  clock.advance(400 * 24 * 60 * minute);
  await beginErasure(world, 'account-9', id);
  const store = {
    ...world.store,
    configuration: () => ({ ...world.store.configuration(), keep_rejected_accounts_days: 1 }),
  };
  await removeExpired({ ...world, store }, removals);
  expect(await there()).toBeDefined();
  await pass(minute);
  expect(await there()).toBeUndefined();
  expect(await db.read(({ records }) => records.count({ account_id: 'erased' }))).toBe(1);
  expect(await db.read(({ outbox }) => outbox.count({ event: 'account.erased' }))).toBe(1);
});

test('changeAccount() lets nobody back in who is being erased, nor makes them an administrator', async () => {
  const { world } = await withAda();
  await beginErasure(world, 'account-9', id);
  const change = { role: 'admin', state: 'approved' } as const;
  for (const version of [1, 2, 3]) {
    const changed = await changeAccount(world, account(9), { id, version }, change);
    expect(changed).toMatchObject({ refused: 'account_unknown' });
  }
});

test('createErasures() finds what a request under way has left behind the erasure of its account', async () => {
  const { db, world, look, clock, pass, there } = await withAda();
  await beginErasure(world, 'account-9', id);
  await look();
  clock.advance(10 * second);
  await db.transact(({ audit }) => audit.insert(auditRow(1, { actor: id })));
  await createLooks(world)();
  await pass(minute);
  expect(await there()).toBeUndefined();
  const rows = await db.read(async ({ audit, account_looks }) => [
    await audit.count({ actor: id }),
    await account_looks.count({ account_id: id }),
  ]);
  expect(rows).toEqual([0, 0]);
});

test('createErasures() ends sessions of another coordinator, and does not wait for one that no version can read', async () => {
  const { db, world, pass, there } = await withAda();
  await started(world, { account: ada });
  const [live] = [...world.sessions.values()];
  if (live === undefined) throw new Error('no session');
  // As one that another coordinator has.
  for (const id of [...world.sessions.keys()]) world.sessions.drop(id);
  await db.transact(async ({ sessions }) => {
    await sessions.update({ id: live.id }, { data: JSON.stringify(live) });
    await sessions.insert(session(50, { account_id: id, phase: 'ready', data: `{"whose":"${id}"}` }));
  });
  await beginErasure(world, 'account-9', id);
  await pass(5 * minute);
  expect(await there()).toBeDefined();
  await pass(10 * minute);
  expect(await there()).toBeUndefined();
  const rows = await db.read(({ sessions }) => sessions.find({}));
  expect(rows.find(({ id }) => id === live.id)?.phase).toBe('ended');
  expect(rows.map(({ account_id }) => account_id)).toEqual(['erased', 'erased']);
  expect(JSON.stringify(rows)).not.toContain(id);
});

test('createErasures() is not undone by a session that is stored later', async () => {
  const { db, world } = await withAda();
  await started(world, { account: ada });
  const [live] = [...world.sessions.values()];
  if (live === undefined) throw new Error('no session');
  const nobodys = rowOf({ ...live, account_id: 'erased' }, world.clock.now());
  await db.transact(({ sessions }) =>
    sessions.update({ id: live.id }, { account_id: 'erased', data: nobodys.data }),
  );
  happen(world, live.id, { type: 'end', reason: 'owner_ended' });
  await world.saver.saved(live.id);
  const named = await db.read(async ({ sessions, records, outbox }) =>
    JSON.stringify([
      await sessions.find({ id: live.id }),
      await records.find({ session_id: live.id }),
      (await outbox.find({})).filter(({ event }) => event === 'session.ended'),
    ]),
  );
  expect([named.includes(id), named.includes('"erased"')]).toEqual([false, true]);
});

test('createErasures() goes on with the others where one account cannot be erased', async () => {
  const { db, world, clock, there } = await withAda();
  const stuck = account(3, { id: 'a-stuck-one', email: 'stuck@mail.example' });
  await db.transact(({ accounts }) => accounts.insert(stuck));
  for (const one of [stuck.id, id]) await beginErasure(world, 'account-9', one);
  clock.advance(minute);
  const broken: Database = {
    shared: db.shared,
    ...{ health: () => db.health(), close: () => db.close(), compact: () => db.compact() },
    transact: (work) => db.transact(work),
    read: (work) =>
      db.read((tables) =>
        work({
          ...tables,
          bookings: {
            ...tables.bookings,
            find: (where, selection) =>
              where.account_id === stuck.id
                ? Promise.reject(new Unavailable('storage_away', 'locked'))
                : tables.bookings.find(where, selection),
          },
        }),
      ),
  };
  await createErasures({ ...world, db: broken }, () => {})();
  expect(await there()).toBeUndefined();
  expect(await db.read(({ accounts }) => accounts.get({ id: stuck.id }))).toBeDefined();
});

test('createErasures() closes the connections of the account, and its event is forgotten once it is told', async () => {
  for (const status of [200, 410]) {
    const { db, world, left, pass } = await withAda();
    await beginErasure(world, 'account-9', id);
    await pass(minute);
    expect(left).toContain(id);
    const sent: string[] = [];
    const deliveries = createDeliveries(world, async (_, { body }) => {
      sent.push(String(body));
      return new Response(null, { status });
    });
    await deliveries.tick();
    await deliveries.stop();
    expect(sent.filter((body) => body.includes(id))).toHaveLength(1);
    const [row] = await db.read(({ outbox }) => outbox.find({ state: { in: ['delivered', 'given_up'] } }));
    expect([row?.event, row?.body]).toEqual(['account.erased', '{}']);
  }
});

test('createErasures() leaves no byte of the name in any file of the data directory', async () => {
  await using folder = await temporaryFolder();
  const db = await openJsonDatabase({ directory: folder.path, clock: systemClock, log: silentLog });
  const stored = async () => {
    const names = (await readdir(folder.path)).filter((name) => name.includes('.json'));
    const texts = await Promise.all(names.map((name) => Bun.file(join(folder.path, name)).text()));
    return {
      texts: texts.join('\n'),
      generations: names.filter((name) => name.endsWith('.previous')).length,
    };
  };
  const { world, pass, there } = await withAda(db);
  await db.compact();
  const before = await stored();
  expect(words.map((word) => before.texts.includes(word))).toEqual([true, true, true]);
  await db.transact(({ webhooks }) => webhooks.remove({ id: 'webhook-1' }));
  await beginErasure(world, 'account-9', id);
  await pass(minute);
  expect(await there()).toBeUndefined();
  const after = await stored();
  expect(after.generations).toBeGreaterThan(10);
  expect(words.map((word) => after.texts.includes(word))).toEqual([false, false, false]);
  await db.close();
});
