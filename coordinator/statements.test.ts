import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import type { Connection } from 'mysql2/promise';
import { systemIds } from '../shared/ids.ts';
import { fakeClock } from '../shared/testing/clock.ts';
import { type PrivateMariadb, startMariadb } from '../shared/testing/mariadb.ts';
import { changeAccount, listAccounts, register } from './accounts/accounts.ts';
import { createPasswords } from './accounts/passwords.ts';
import { availability } from './bookings/availability.ts';
import { type BookingFilter, book, listBookings } from './bookings/bookings.ts';
import { hostLost } from './bookings/evacuation.ts';
import { cancelBooking } from './bookings/moves.ts';
import { tickBookings } from './bookings/ticks.ts';
import { removals } from './expiry.ts';
import { showCatalogueHost } from './fleet/hosts.ts';
import { removeExpired } from './kit/sweep.ts';
import { openWorld } from './open.ts';
import { listAudit, listRecords } from './records/records.ts';
import { strangersRoom } from './seats/strangers.ts';
import { joinSession } from './sessions/members.ts';
import { cheap } from './testing/app.ts';
import { memoryBus } from './testing/bus.ts';
import { recordedLog } from './testing/log.ts';
import { type Measured, measuredDatabase } from './testing/measured-database.ts';
import { connectTo, openMigrated } from './testing/mysql.ts';
import { account, webhookRow } from './testing/rows.ts';
import { memoryStore } from './testing/store.ts';
import { createDeliveries } from './webhooks/deliveries.ts';

setDefaultTimeout(300_000);

const now = Date.UTC(2026, 10, 2, 9);
const day = 86_400_000;
const bookings = 500_000;
const to_come = 10_000;
/** Milliseconds from a row to the next: five minutes. */
const apart = 300_000;
const first = now - (bookings - to_come) * apart;
const others = 50_000;
const others_first = now - others * apart;

/** Rows as a busy site has them after five years: most bookings are over. Each statement fills one table. */
const fills = [
  `INSERT INTO apps (name, title, description, default_minutes, max_minutes, idle_seconds, who_may_start, lobby, enabled, source, version)
   SELECT CONCAT('app-', seq), '{}', '{}', 30, 120, 300, 'anyone', 0, 1, 'rest', 1 FROM seq_0_to_49`,
  `INSERT INTO hosts (name, key_hash, ip, port, seats, draining, draining_cards, source, created_at, version)
   SELECT CONCAT('host-', seq), 'x', '127.0.0.1', 1, 8, 0, '[]', 'rest', ${first}, 1 FROM seq_0_to_199`,
  "INSERT INTO host_apps (host, app) SELECT CONCAT('host-', seq), CONCAT('app-', seq % 50) FROM seq_0_to_199",
  `INSERT INTO bookings (id, app, account_id, host, seat, starts_at, ends_at, zone, code, invite, state, created_at, version)
   SELECT CONCAT('b', LPAD(seq, 8, '0')), CONCAT('app-', seq % 50), CONCAT('account-', seq % 20000), CONCAT('host-', seq % 200),
     seq DIV 200 % 8, ${first} + seq * ${apart}, ${first} + seq * ${apart} + 3600000, 'UTC', LPAD(seq % 10000, 4, '0'),
     CONCAT('i', seq), IF(seq > ${bookings - to_come}, 'held', ELT(1 + seq % 4, 'used', 'cancelled', 'missed', 'lost')), ${first}, 1
   FROM seq_1_to_${bookings}`,
  `INSERT INTO records (session_id, app, host, account_id, waited_ms, phases, minutes, participants_max, end_reason, started_at, ended_at)
   SELECT CONCAT('s', seq), CONCAT('app-', seq % 50), CONCAT('host-', seq % 200), CONCAT('account-', seq % 20000), 400, '{}', 60, 1, 1,
     ${others_first} + seq * ${apart}, ${others_first} + seq * ${apart} + 3600000 FROM seq_1_to_${others}`,
  `INSERT INTO accounts (id, email, name, password_hash, role, state, epoch, created_at, version)
   SELECT CONCAT('account-', seq), CONCAT(seq, '@x'), 'n', 'x', IF(seq % 10000 = 0, 'admin', 'user'),
     ELT(1 + (seq % 50 = 7) + 2 * (seq % 500 = 9), 'approved', 'rejected', 'pending'), 0, ${first} + seq * ${apart}, 1
   FROM seq_0_to_${others - 1}`,
  `INSERT INTO audit (id, at, actor, action, subject, detail)
   SELECT CONCAT('u', seq), ${others_first} + seq * ${apart}, CONCAT('account-', seq % 5 * 10000), 'host.changed',
     CONCAT('host-', seq % 200), '{}' FROM seq_1_to_${others}`,
  `INSERT INTO outbox (id, webhook_id, event, body, created_at, due_at, attempts, state)
   SELECT CONCAT('e', seq), 'webhook-1', 'session.ended', '{}', ${now} - seq * 1000, ${now} - seq * 1000, 1,
     IF(seq < 20, 'waiting', 'delivered') FROM seq_1_to_${others}`,
  `INSERT INTO codes (code, holder, free_at) SELECT LPAD(seq, 4, '0'), CONCAT('b', seq), ${now} + seq FROM seq_1_to_1000`,
];

/** The server reads what it knows of a table and each of its indexes the first time. */
const statistics_rows = 40;

/** What is allowed: ten rows for each that is found, and one for each value that is looked up. */
const excess = ({ examined, found, values }: Measured): boolean =>
  examined > 10 * found + values + statistics_rows;

let server: PrivateMariadb;
let connection: Connection;
let measured: ReturnType<typeof measuredDatabase>;
beforeAll(async () => {
  const cache = ['--innodb-buffer-pool-size=1G', '--innodb-log-file-size=512M'];
  server = await startMariadb({ options: ['--innodb-flush-log-at-trx-commit=0', ...cache] });
  const url = await server.createDatabase('many');
  await (await openMigrated(url)).close();
  connection = await connectTo(url);
  for (const fill of fills) await connection.query(fill);
  await connection.query('ANALYZE TABLE bookings, records, accounts, audit, outbox');
  measured = measuredDatabase(connection);
});
afterAll(async () => {
  await connection?.end();
  await server?.[Symbol.asyncDispose]();
});

describe('500,000 bookings', () => {
  const clock = fakeClock(now);
  const oldest = Math.floor((now - first) / day);
  const store = memoryStore([], {
    quota_sessions: 1_000,
    keep_bookings_days: oldest - 3,
    keep_records_days: Math.floor((others * apart) / day) - 3,
    keep_audit_days: Math.floor((others * apart) / day) - 3,
    keep_rejected_accounts_days: oldest - 10,
  });
  const services = () => ({
    db: measured.db,
    store,
    files: store,
    clock,
    bus: memoryBus(clock),
    ids: systemIds,
    log: recordedLog().log,
  });
  const visitor = { account: account(4), network: '192.0.2.1', base: 'https://vitrina.example' };
  // Pages after these are in the last quarter: of one in the first half the servers read what is before it, too.
  const list = async (filter: BookingFilter) => {
    for (const after of [undefined, 'b00375004'])
      await listBookings(services(), { ...filter, after }, visitor.base);
  };
  const page = { limit: 50 };
  const passwords = createPasswords(cheap);

  const operations: Record<string, () => Promise<unknown>> = {
    'the bookings of everybody, of an account, an app, a host, a time': async () => {
      for (const filter of [{}, { account_id: 'account-4' }, { app: 'app-4' }, { host: 'host-4' }]) {
        await list(filter);
        await list({ ...filter, from: now });
      }
      for (const host of [{}, { host: 'host-4' }]) await list({ ...host, state: 'held' });
    },
    'a booking and its cancellation': async () => {
      const wanted = { app: 'app-4', date: '2026-11-20', time: '12:00', minutes: 60 };
      const reply = await book(services(), wanted, visitor, systemIds.id());
      if ('refused' in reply || !('id' in reply.body)) throw new Error(JSON.stringify(reply));
      await cancelBooking(services(), String(reply.body.id), visitor, 1);
    },
    'the free times of an app': () =>
      availability(services(), 'app-5', { from: '2026-11-02', to: '2026-11-20' }),
    'the ticks of bookings': () => {
      const idle = {
        startBooked: async () => '',
        endBooked: async () => {},
        elsewhere: () => false,
        usable: () => false,
      };
      return tickBookings({ services: services(), ...idle });
    },
    'a host that is lost': () => hostLost(services(), 'host-7', () => false),
    'the start of a coordinator, an invite, a host of the catalogue, and what strangers may have':
      async () => {
        const world = await openWorld(services());
        await joinSession(world, { invite: 'i250000' }, '192.0.2.1');
        await showCatalogueHost(world, 'host-7');
        await strangersRoom(world, await measured.db.read(async (tables) => tables), 'app-5');
      },
    'the accounts': async () => {
      const admin = account(0, { role: 'admin' });
      for (const state of [undefined, 'pending', 'approved'] as const) {
        for (const after of [undefined, 'account-37509'])
          await listAccounts(services(), { state, after, ...page });
      }
      await changeAccount(services(), admin, { id: 'account-4', version: 1 }, { quota_sessions: 2_000 });
      const anna = { email: 'anna@x.example', name: 'Anna', password: 'correct horse' };
      await register(services(), passwords, { ...anna, network: '192.0.2.1' });
    },
    'the records and the audit log': async () => {
      for (const filter of [
        {},
        { app: 'app-4' },
        { account: 'account-4' },
        { from: now - 40 * day, to: now },
      ]) {
        for (const after of [undefined, 's12504']) await listRecords(services(), filter, { ...page, after });
      }
      for (const filter of [{}, { actor: 'account-20000' }, { subject: 'host-4' }]) {
        for (const after of [undefined, 'u12504']) await listAudit(services(), filter, { ...page, after });
      }
    },
    'the deliveries': async () => {
      await measured.db.transact(({ webhooks }) => webhooks.insert(webhookRow(1), webhookRow(2)));
      const deliveries = createDeliveries(services(), async () => new Response());
      await deliveries.tick();
      await deliveries.stop();
    },
    'what is over': () => removeExpired(services(), removals),
  };

  for (const [name, operate] of Object.entries(operations)) {
    test(`measuredDatabase() finds no statement that examines ten times what it finds: ${name}`, async () => {
      measured.statements.length = 0;
      await operate();
      expect(measured.statements.length).toBeGreaterThan(0);
      expect(measured.statements.filter(excess)).toEqual([]);
    });
  }
});
