import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { fakeIds } from '../../shared/testing/ids.ts';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import { changeHost, createHost, removeHost } from '../fleet/hosts.ts';
import { createLives } from '../fleet/lives.ts';
import { createHosts } from '../seats/hosts.ts';
import type { Database } from '../store/database.ts';
import { memoryDatabase } from '../testing/database.ts';
import { openMigrated } from '../testing/mysql.ts';
import { appRow, hostRow } from '../testing/rows.ts';
import { memoryStore } from '../testing/store.ts';
import { changeApp, createApp, removeApp } from './apps.ts';

setDefaultTimeout(120_000);

/** What operators do at the same time, through two coordinators on one database. */
const contended = (name: string, open: () => Promise<readonly [Database, Database]>) => {
  describe(`catalogue on ${name}`, () => {
    const setUp = async () => {
      const [clock, ids] = [fakeClock(), fakeIds()];
      const [one, other] = (await open()).map((db) => ({
        ...{ db, clock, ids, store: memoryStore([]) },
        ...{ hosts: createHosts(), lives: createLives() },
      }));
      if (one === undefined || other === undefined) throw new Error('two databases are needed');
      return { one, other };
    };

    test(`changeApp() on ${name} lets one of many with the same version win`, async () => {
      const { one, other } = await setUp();
      await one.db.transact(({ apps }) => apps.insert(appRow('garden')));
      const edits = await Promise.all(
        Array.from({ length: 16 }, (_, at) =>
          changeApp(at % 2 === 0 ? one : other, `account-${at}`, 'garden', 1, { quota_minutes: at }),
        ),
      );
      expect(edits.filter((edit) => !isRefusal(edit))).toHaveLength(1);
      expect(edits.filter(isRefusal).map(({ refused }) => refused)).toEqual(
        Array(15).fill('version_conflict'),
      );
      expect(await one.db.read(({ apps }) => apps.get({ name: 'garden' }))).toMatchObject({ version: 2 });
      expect(await one.db.read(({ audit }) => audit.count({}))).toBe(1);
    });

    test(`createHost() and createApp() on ${name} give a name once`, async () => {
      const { one, other } = await setUp();
      const made = await Promise.all(
        [one, other, one, other].flatMap((parts) => [
          createApp(parts, 'account-1', { name: 'garden' }),
          createHost(parts, 'account-1', { name: 'host-a', apps: [] }),
        ]),
      );
      const refused = made.filter(isRefusal).map((refusal) => refusal.refused);
      expect(refused).toEqual(Array(6).fill('name_taken'));
    });

    test(`removeApp() on ${name} leaves no host with an app that is gone`, async () => {
      const { one, other } = await setUp();
      await one.db.transact(({ hosts }) => hosts.insert(hostRow('host-a'), hostRow('host-b')));
      for (let round = 0; round < 12; round++) {
        const app = `app-${round}`;
        await one.db.transact(async ({ apps, host_apps }) => {
          await apps.insert(appRow(app));
          await host_apps.insert({ host: 'host-a', app });
        });
        const { version = 0 } = (await one.db.read(({ hosts }) => hosts.get({ name: 'host-b' }))) ?? {};
        const [changed, removed] = await Promise.all([
          changeHost(other, 'account-1', 'host-b', version, { apps: [app] }),
          removeApp(one, 'account-2', app, 1),
        ]);
        const left = await one.db.read(({ host_apps }) => host_apps.find({ app }));
        const gone = (await one.db.read(({ apps }) => apps.get({ name: app }))) === undefined;
        expect(gone).toBe(removed === undefined);
        if (gone) expect(left).toEqual([]);
        else expect([removed?.refused, isRefusal(changed)]).toEqual(['version_conflict', false]);
      }
    });

    test(`removeHost() on ${name} removes a host once`, async () => {
      const { one, other } = await setUp();
      await one.db.transact(async ({ hosts, links }) => {
        await hosts.insert(hostRow('host-a'));
        await links.insert({ host: 'host-a', coordinator: 'main', apps: null });
      });
      const removed = await Promise.all(
        [one, other, one].map((parts) => removeHost(parts, 'account-1', 'host-a', 1)),
      );
      expect(removed.map((refusal) => refusal?.refused ?? 'removed').toSorted()).toEqual([
        'host_unknown',
        'host_unknown',
        'removed',
      ]);
      expect(await one.db.read(({ links }) => links.count({}))).toBe(0);
    });
  });
};

contended('memory', async () => {
  const db = memoryDatabase();
  return [db, db];
});

let server: PrivateMariadb;
const opened: Database[] = [];
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(async () => {
  for (const db of opened) await db.close();
  await server[Symbol.asyncDispose]();
});

contended('mariadb', async () => {
  const url = await server.createDatabase(`catalogue${opened.length}`);
  const pair = [await openMigrated(url), await openMigrated(url)] as const;
  opened.push(...pair);
  return pair;
});
