import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { z } from 'zod';
import { systemClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import { openJsonDatabase } from '../store/json/open.ts';
import { startCoordinatorProcess } from '../testing/coordinator-process.ts';
import { temporaryFolder } from '../testing/folder.ts';
import { connectTo, openMigrated } from '../testing/mysql.ts';
import { account, appRow, booking, hostRow, slot } from '../testing/rows.ts';

setDefaultTimeout(120_000);

let server: PrivateMariadb;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server[Symbol.asyncDispose]());

const reportSchema = z.object({
  schema: z.array(z.string()),
  unreadable: z.array(z.looseObject({ look: z.string(), remove: z.string() })),
  findings: z.array(z.looseObject({ advice: z.string() })),
  repaired: z.array(z.looseObject({})),
  rows: z.number(),
  more: z.array(z.string()),
});

/** `coordinator check --json` as its own process, with what it is to look at in front: its exit code and what it prints. */
const run = async (environment: Record<string, string>, flags: readonly string[]) => {
  const main = join(import.meta.dir, '..', 'main.ts');
  const program = Bun.spawn([process.execPath, main, 'check', '--json', ...flags], {
    env: { PATH: process.env.PATH ?? '', ...environment },
  });
  const report = reportSchema.parse(await new Response(program.stdout).json());
  return { exit: await program.exited, report };
};
const check = (url: string, ...flags: string[]) => run({ DATABASE_URL: url }, flags);
const checkFiles = (directory: string, ...flags: string[]) => run({}, ['--data', directory, ...flags]);

test('check() names what a person has to mend with statements that do it, and says when all is well', async () => {
  const url = await server.createDatabase('by_hand');
  const db = await openMigrated(url);
  const later = { starts_at: 4_000_000_200_000, ends_at: 4_000_000_500_000 };
  await db.transact(async (tables) => {
    await tables.accounts.insert(account(1, { role: 'admin' }));
    await tables.hosts.insert(hostRow('host-a'));
    await tables.apps.insert(appRow('garden'), appRow('villa'));
    await tables.bookings.insert(booking(1, later), booking(2, { ...later, code: '2', invite: 'i' }));
    await tables.seat_slots.insert(slot(0, { slot_at: later.starts_at }));
    await tables.codes.insert({ code: '1234', holder: 'booking-1', free_at: null });
    await tables.codes.insert({ code: '2', holder: 'booking-2', free_at: null });
  });
  await db.close();
  const connection = await connectTo(url);
  await connection.query("UPDATE apps SET who_may_start = 'friends' WHERE name = 'villa'");
  await connection.query('ALTER TABLE codes DROP INDEX codes_free');

  expect((await check(url)).report.schema).toEqual(['codes: misses index codes_free (free_at)']);
  const { exit, report } = await check(url, '--repair');
  expect(exit).toBe(1);
  expect(report).toMatchObject({
    schema: [],
    unreadable: [
      { table: 'apps', key: { name: 'villa' }, column: 'who_may_start', wants: 'one of anyone, accounts' },
    ],
    findings: [{ check: 'booking_without_seat', key: { id: 'booking-2' } }],
    repaired: [{ check: 'index_missing', table: 'codes', key: { index: 'codes_free' } }],
  });
  const [rows] = await connection.query(report.unreadable[0]?.look ?? '');
  expect(rows).toMatchObject([{ name: 'villa', who_may_start: 'friends' }]);
  await connection.query(report.unreadable[0]?.remove ?? '');
  const statement =
    /UPDATE bookings SET .* WHERE `id` = '[^']+'/.exec(report.findings[0]?.advice ?? '')?.[0] ?? '';
  await connection.query(statement);
  const mended = await check(url, '--repair');
  expect([mended.exit, mended.report.findings]).toEqual([0, []]);
  expect(mended.report.repaired).toMatchObject([{ check: 'code_of_nobody', key: { code: '2' } }]);
  expect(await check(url)).toMatchObject({ exit: 0, report: { schema: [], unreadable: [], findings: [] } });

  await connection.query('ALTER TABLE codes DROP COLUMN free_at');
  const broken = await check(url);
  expect(broken).toMatchObject({ exit: 1, report: { rows: 0, findings: [] } });
  connection.destroy();
});

/** A data directory with a code that nobody holds, and an account without an administrator. */
const damaged = async (directory: string): Promise<void> => {
  const db = await openJsonDatabase({ directory, clock: systemClock, log: silentLog });
  await db.transact(async (tables) => {
    await tables.codes.insert({ code: '1234', holder: 'nobody', free_at: null });
    await tables.accounts.insert(account(1));
  });
  await db.close();
};

test('check() looks at the files of a data directory, by itself and by the coordinator that runs there', async () => {
  await using stopped = await temporaryFolder();
  await damaged(stopped.path);
  const by_itself = await checkFiles(stopped.path);
  expect(by_itself.report.findings).toMatchObject([
    { check: 'code_of_nobody', key: { code: '1234' }, advice: 'run "coordinator check --repair"' },
    { check: 'no_administrator' },
  ]);
  expect(by_itself.exit).toBe(1);

  await using running = await startCoordinatorProcess({ servers: [], prepare: damaged });
  const found = await checkFiles(running.directory);
  expect([found.exit, found.report.findings.map(({ check }) => check)]).toEqual([
    1,
    expect.arrayContaining(['code_of_nobody', 'no_administrator']),
  ]);
  const mended = await checkFiles(running.directory, '--repair');
  expect(mended.report.repaired).toContainEqual(expect.objectContaining({ check: 'code_of_nobody' }));
  expect([mended.exit, mended.report.findings]).toMatchObject([1, [{ check: 'no_administrator' }]]);
});
