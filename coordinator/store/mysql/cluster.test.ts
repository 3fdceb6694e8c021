import { expect, setDefaultTimeout, test } from 'bun:test';
import { freePorts } from '../../../shared/testing/free-ports.ts';
import { startMariadb } from '../../../shared/testing/mariadb.ts';
import { connectTo, openMigrated } from '../../testing/mysql.ts';
import { account, slot } from '../../testing/rows.ts';
import type { Tables } from '../tables.ts';

setDefaultTimeout(120_000);

const key = { name: 'held', window_at: 7 };
const look = { look: 'x', spelling: 'y'.repeat(64), account_id: '' };

/** A row of each kind: with a version, with another number, with none but in its key. */
const locks = async ({ accounts, counters, seat_slots, account_looks }: Tables) => [
  await accounts.lock({ id: 'account-1' }),
  await counters.lock(key),
  await seat_slots.lock(slot(1)),
  await account_looks.lock(look),
  await accounts.lock({ id: 'nobody' }),
];

/** What locking writes on a server with these options: rows changed, and what the rows were before, then, and after. */
const locked = async (options: readonly string[]) => {
  await using server = await startMariadb({ options });
  const url = await server.createDatabase('locked');
  const database = await openMigrated(url);
  await using connection = await connectTo(url);
  const written = async (): Promise<number> => {
    const [rows] = await connection.query("SHOW GLOBAL STATUS LIKE 'Handler_update'");
    return Array.isArray(rows) && rows[0] !== undefined && 'Value' in rows[0]
      ? Number(rows[0].Value)
      : Number.NaN;
  };
  await database.transact(async (tables) => {
    await tables.accounts.insert(account(1));
    await tables.counters.insert({ ...key, hits: 3, expires_at: 9 });
    await tables.seat_slots.insert(slot(1));
    await tables.account_looks.insert(look);
  });
  const before = await written();
  const rows = await database.transact(locks);
  const after = await database.transact(locks);
  const writes = (await written()) - before;
  await database.close();
  return { writes, rows, after };
};

const there = [account(1), { ...key, hits: 3, expires_at: 9 }, slot(1), look, undefined];

test('lock() writes what it locks on a node of a cluster, which no other node would notice else, and changes nothing', async () => {
  const port = await freePorts(2);
  const cluster = await locked([
    '--wsrep-on=ON',
    '--wsrep-provider=/usr/lib/galera/libgalera_smm.so',
    '--wsrep-new-cluster',
    '--wsrep-cluster-address=gcomm://',
    '--wsrep-node-address=127.0.0.1',
    `--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:${port};ist.recv_addr=127.0.0.1:${port + 1}`,
    '--binlog-format=ROW',
  ]);
  expect(cluster).toEqual({ writes: 2 * 4 * 2, rows: there, after: there });
});

test('lock() writes nothing on a server by itself', async () => {
  expect(await locked([])).toEqual({ writes: 0, rows: there, after: there });
});
