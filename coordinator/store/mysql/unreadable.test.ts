import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../../../shared/clock.ts';
import { systemIds } from '../../../shared/ids.ts';
import { type PrivateMariadb, startMariadb } from '../../../shared/testing/mariadb.ts';
import { recordedLog } from '../../testing/log.ts';
import { connectTo, openMigrated } from '../../testing/mysql.ts';
import { appRow, booking, hostRow, webhookRow } from '../../testing/rows.ts';
import { Unreadable } from '../database.ts';
import { openMysqlDatabase } from './database.ts';

setDefaultTimeout(120_000);

let server: PrivateMariadb;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server[Symbol.asyncDispose]());

/** A database with ten bookings, and the means to spoil rows of it. */
const filled = async (name: string) => {
  const url = await server.createDatabase(name);
  await (await openMigrated(url)).close();
  const { log, lines } = recordedLog();
  const database = await openMysqlDatabase({ url, clock: systemClock, ids: systemIds, log });
  await database.transact(async ({ bookings, apps, webhooks, hosts }) => {
    await bookings.insert(...Array.from({ length: 10 }, (_, number) => booking(number)));
    await apps.insert(appRow('garden'), appRow('villa'));
    await hosts.insert(hostRow('a'), hostRow('b'));
    await webhooks.insert(webhookRow(1), webhookRow(2));
  });
  const connection = await connectTo(url);
  return {
    database,
    lines,
    spoil: (sql: string) => connection.query(sql),
    async [Symbol.asyncDispose]() {
      await database.close();
      connection.destroy();
    },
  };
};

test('openMysqlDatabase() leaves rows that it cannot read out of lists, whole pages still, and names each once', async () => {
  await using one = await filled('lists');
  const { database, lines, spoil } = one;
  // A word of a newer version, and what no version writes.
  await spoil("UPDATE bookings SET state = 'paused' WHERE id IN ('booking-1', 'booking-2', 'booking-4')");
  await spoil("UPDATE bookings SET starts_at = -1 WHERE id = 'booking-9'");
  const ids = (limit?: number, after?: ReturnType<typeof booking>) =>
    database.read(async ({ bookings }) => {
      const page = { ...(limit === undefined ? {} : { limit }), ...(after === undefined ? {} : { after }) };
      return (await bookings.find({}, page)).map(({ id }) => id.replace('booking-', '')).join('');
    });
  expect(await ids()).toBe('035678');
  expect(await ids(3)).toBe('035');
  expect(await ids(1, booking(0))).toBe('3');
  expect(await ids(9, booking(5))).toBe('678');
  const backwards = await database.read(({ bookings }) =>
    bookings.find({}, { order: ['starts_at'], descending: true, limit: 4 }),
  );
  expect(backwards.map(({ id }) => id)).toEqual(['booking-8', 'booking-7', 'booking-6', 'booking-5']);
  expect(await database.read(({ bookings }) => bookings.find({ account_id: 'account-1' }))).toHaveLength(6);
  const left = lines().filter(({ msg }) => msg === 'a row cannot be read and is left out of lists');
  expect(left.map(({ table, row, column }) => [table, row, column]).toSorted()).toEqual([
    ['bookings', '{"id":"booking-1"}', 'state'],
    ['bookings', '{"id":"booking-2"}', 'state'],
    ['bookings', '{"id":"booking-4"}', 'state'],
    ['bookings', '{"id":"booking-9"}', 'starts_at'],
  ]);
});

test('openMysqlDatabase() refuses such a row by its name to who asks for it, and changes nothing', async () => {
  await using one = await filled('refused');
  const { database, spoil } = one;
  await spoil("UPDATE bookings SET state = 'paused' WHERE id = 'booking-1'");
  const asked = [
    database.read(({ bookings }) => bookings.get({ id: 'booking-1' })),
    database.transact(async ({ bookings }) => {
      await bookings.insert(booking(50));
      return bookings.lock({ id: 'booking-1' });
    }),
  ];
  for (const result of await Promise.allSettled(asked)) {
    const reason: unknown = result.status === 'rejected' ? result.reason : undefined;
    expect(reason).toBeInstanceOf(Unreadable);
    expect(reason).toMatchObject({ table: 'bookings', key: '{"id":"booking-1"}', column: 'state' });
    expect(reason).toMatchObject({ refusal: { refused: 'row_unreadable' } });
  }
  expect(await database.read(({ bookings }) => bookings.get({ id: 'booking-50' }))).toBeUndefined();
  expect(await database.read(({ bookings }) => bookings.get({ id: 'booking-0' }))).toBeDefined();
});

const spoilt: [column: string, sql: string][] = [
  ['title', "UPDATE apps SET title = '{' WHERE name = 'villa'"],
  ['who_may_start', "UPDATE apps SET who_may_start = 'friends' WHERE name = 'villa'"],
  ['lobby', "UPDATE apps SET lobby = 2 WHERE name = 'villa'"],
  ['events', "UPDATE webhooks SET events = '7' WHERE id = 'webhook-2'"],
  ['capacity', "UPDATE hosts SET capacity = 'x' WHERE name = 'b'"],
  ['draining_cards', "UPDATE hosts SET draining_cards = '{}' WHERE name = 'b'"],
];
for (const [column, sql] of spoilt) {
  test(`openMysqlDatabase() isolates a row whose ${column} is spoilt`, async () => {
    await using one = await filled(`spoilt_${column}`);
    const { database, lines, spoil } = one;
    await spoil(sql);
    const found = await database.read(async ({ apps, webhooks, hosts }) => [
      (await apps.find({})).length,
      (await webhooks.find({})).length,
      (await hosts.find({})).length,
    ]);
    expect(found.reduce((sum, rows) => sum + rows, 0)).toBe(5);
    expect(lines().map((line) => line.column)).toEqual([column]);
  });
}
