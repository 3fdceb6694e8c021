import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../shared/clock.ts';
import { silentLog } from '../../../shared/log.ts';
import { testDatabase } from '../../testing/database-suite.ts';
import { faultyDisk, operations } from '../../testing/faulty-disk.ts';
import { type Folder, temporaryFolder } from '../../testing/folder.ts';
import { killWriters } from '../../testing/json-kills.ts';
import { account, booking } from '../../testing/rows.ts';
import { type Database, Unavailable, Unusable } from '../database.ts';
import type { JsonDatabaseOptions } from './database.ts';
import { openJsonDatabase } from './open.ts';

setDefaultTimeout(120_000);

const failed = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing',
    (error: unknown) => error,
  );
const open = ({ path }: Folder, options: Partial<JsonDatabaseOptions> = {}): Promise<Database> =>
  openJsonDatabase({ directory: path, clock: systemClock, log: silentLog, ...options });
const add = (database: Database, number: number): Promise<void> =>
  database.transact(({ accounts }) => accounts.insert(account(number)));
const ids = (database: Database): Promise<string[]> =>
  database.read(async ({ accounts }) => (await accounts.find({})).map(({ id }) => id));

testDatabase('openJsonDatabase()', async () => {
  const folder = await temporaryFolder();
  const database = await open(folder);
  return {
    database,
    async [Symbol.asyncDispose]() {
      await database.close();
      await folder[Symbol.asyncDispose]();
    },
  };
});

describe('openJsonDatabase()', () => {
  test('openJsonDatabase() finds again what was stored, bookings in sessions_planned.json', async () => {
    await using folder = await temporaryFolder();
    const database = await open(folder);
    await add(database, 1);
    await database.transact(({ bookings }) => bookings.insert(booking(1)));
    await database.close();
    expect(await Bun.file(join(folder.path, 'sessions_planned.json')).json()).toMatchObject({
      table: 'bookings',
      rows: [booking(1)],
    });
    const again = await open(folder);
    expect(await ids(again)).toEqual(['account-1']);
    await again.close();
  });

  test('openJsonDatabase() lets no second coordinator in, and the next one after the first', async () => {
    await using folder = await temporaryFolder();
    const database = await open(folder);
    const error = await failed(open(folder));
    expect(error).toBeInstanceOf(Unusable);
    expect(String(error)).toContain(`process ${process.pid}`);
    await database.close();
    await (await open(folder)).close();
  });

  test('openJsonDatabase() leaves the directory to a coordinator of the release before', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'coordinator.lock');
    const script = 'echo $$ > "$0"; exec flock --no-fork "$0" sh -c "echo locked; exec sleep 1000"';
    const older = Bun.spawn(['sh', '-c', script, file], { stdout: 'pipe' });
    await older.stdout.getReader().read();
    expect(String(await failed(open(folder)))).toContain(`Another coordinator (process ${older.pid})`);
    older.kill('SIGKILL');
    await older.exited;
    await (await open(folder)).close();
    expect(await Bun.file(file).text()).toBe(`${older.pid}\n`);
  });

  test('openJsonDatabase() says why a directory cannot be had, however long its name', async () => {
    await using folder = await temporaryFolder();
    expect(String(await failed(open({ ...folder, path: join(folder.path, 'none') })))).toContain(
      'Cannot write to',
    );
    const path = join(folder.path, 'long'.repeat(40));
    await mkdir(path);
    await (await open({ ...folder, path })).close();
  });

  test('openJsonDatabase() loses nothing when a writer is killed, 10 times', async () => {
    const report = await killWriters(10, 11);
    expect(report).toMatchObject({ kills: 10, lost: 0, torn: 0 });
  });

  test('openJsonDatabase() takes the previous generation of a damaged file, and the journal', async () => {
    await using folder = await temporaryFolder();
    for (let number = 1; number <= 3; number++) {
      const database = await open(folder);
      await add(database, number);
      await database.close();
    }
    const path = join(folder.path, 'accounts.json');
    const good = await Bun.file(path).text();
    for (const bad of ['', good.slice(0, -10), good.replace('someone2', 'someone9'), '{}']) {
      await Bun.write(path, bad);
      const database = await open(folder);
      expect(await ids(database)).toEqual(['account-1', 'account-2', 'account-3']);
      await database.close();
      await Bun.write(path, good);
    }
  });

  test('openJsonDatabase() refuses rather than lose: both generations or the journal damaged, or a later schema', async () => {
    await using folder = await temporaryFolder();
    for (let number = 1; number <= 3; number++) {
      const database = await open(folder);
      await add(database, number);
      await database.close();
    }
    const path = join(folder.path, 'accounts.json');
    const good = await Bun.file(path).text();
    await Bun.write(path, good.replace('"schema":2', '"schema":3'));
    expect(String(await failed(open(folder)))).toContain('later version');
    await Bun.write(path, 'x');
    await Bun.write(`${path}.previous`, 'x');
    expect(String(await failed(open(folder)))).toContain('misses changes 1');
    await Bun.write(path, good);
    const lines = [
      '0123456789abcdef {}',
      (await Bun.file(join(folder.path, 'journal.previous.jsonl')).text()).trim(),
      '',
    ];
    await Bun.write(join(folder.path, 'journal.jsonl'), lines.join('\n'));
    expect(String(await failed(open(folder)))).toContain('is damaged');
  });

  for (const code of ['ENOSPC', 'EIO'] as const) {
    for (const operation of operations) {
      test(`openJsonDatabase() survives ${code} at ${operation}: nothing acknowledged is lost, reads go on`, async () => {
        await using folder = await temporaryFolder();
        const disk = faultyDisk();
        // Each write is followed by new files, so that every operation is met.
        const options = { disk, bounds: { journal_bytes: 1 } };
        let database = await open(folder, options);
        const acknowledged: string[] = [];
        for (let number = 0; number < 12; number++) {
          disk.fail(operation, number % 4 > 1 ? code : undefined);
          const results = await Promise.all(
            [0, 1, 2].map(async (part) => {
              const error = await failed(add(database, number * 3 + part));
              if (error === 'nothing') acknowledged.push(`account-${number * 3 + part}`);
              return error;
            }),
          );
          const wanted = code === 'ENOSPC' ? 'storage_full' : 'storage_away';
          for (const error of results.filter((result) => result !== 'nothing')) {
            expect(error instanceof Unavailable && error.refusal.refused).toBe(wanted);
          }
          expect(new Set(await ids(database))).toEqual(new Set(acknowledged));
        }
        expect(disk.failures() > 0 || operation === 'truncate').toBeTrue();
        disk.fail(operation, undefined);
        await add(database, 1_000);
        expect(await database.health()).toMatchObject({ ok: true });
        await database.close();
        database = await open(folder);
        expect(new Set(await ids(database))).toEqual(new Set([...acknowledged, 'account-1000']));
        await database.close();
        expect((await readdir(folder.path)).filter((name) => name.endsWith('.next'))).toEqual([]);
      });
    }
  }

  test('openJsonDatabase() refuses to grow above its cap, and takes removals and small things again', async () => {
    await using folder = await temporaryFolder();
    const database = await open(folder, { bounds: { data_bytes: 2_000 } });
    let error: unknown = 'nothing';
    let number = 0;
    for (; error === 'nothing'; number++) error = await failed(add(database, number));
    expect(error instanceof Unavailable && error.refusal.refused).toBe('storage_full');
    expect((await database.health()).note).toContain('move to MySQL');
    await database.transact(({ accounts }) => accounts.remove({ id: 'account-0' }));
    await add(database, number);
    expect(await ids(database)).not.toContain('account-0');
    await database.close();
  });

  test('openJsonDatabase() ends a transaction that takes too long and goes on with the next', async () => {
    await using folder = await temporaryFolder();
    const database = await open(folder, { bounds: { transaction_ms: 20 } });
    const { promise, resolve } = Promise.withResolvers<void>();
    const late: unknown[] = [];
    const slow = database.transact(async ({ accounts }) => {
      await accounts.insert(account(1));
      await promise;
      late.push(await failed(accounts.insert(account(2))));
    });
    expect(await failed(slow)).toBeInstanceOf(Unavailable);
    await add(database, 3);
    resolve();
    expect(await ids(database)).toEqual(['account-3']);
    expect(String(late[0])).toContain('over');
    await database.close();
    expect(await failed(add(database, 4))).toBeInstanceOf(Unavailable);
  });
});
