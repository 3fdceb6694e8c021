import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import { seeded } from '../../shared/testing/random.ts';
import { checkData } from '../check/run.ts';
import { capacityText } from '../seats/hosts.ts';
import type { Database } from '../store/database.ts';
import { bookingClient, type Coordinators, type Known, newSeen, type Seen } from './booking-client.ts';
import { bookingFaults } from './bookings.ts';
import { storedCardFaults } from './card-faults.ts';
import { openMigrated } from './mysql.ts';
import { account, appRow, hostRow } from './rows.ts';

const clients = 64;
const hosts = ['host-a', 'host-b', 'host-c', 'host-d', 'host-e'];
const seats_per_host = 4;
const quota = 3;
/** Of some of the hosts: the second card has one encoder for its two seats. */
const cards = [0, 1].map((index) => ({ index, seats: 2, vram_mb: null, encoders: index === 0 ? null : 1 }));
const needs = [{ rc_name: 'garden', vram_mb: 0, encoders: 1 }];
const bound = ['host-b', 'host-d'];

/** A coordinator in a process of its own. */
const startServer = async (url: string): Promise<{ port: number; process: Bun.Subprocess }> => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'booking-server.ts'), url], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
  let said = '';
  for await (const chunk of child.stdout) {
    said += Buffer.from(chunk).toString();
    if (said.includes('\n')) return { port: Number(said), process: child };
  }
  throw new Error('a coordinator did not start');
};

/** Two coordinators on one database, each of the three to be killed. */
interface System extends AsyncDisposable, Coordinators {
  readonly db: Database;
  killCoordinator(which: 0 | 1): Promise<void>;
  killDatabase(): Promise<void>;
}

const seed = (db: Database, accounts: number): Promise<void> =>
  db.transact(async (tables) => {
    await tables.apps.insert(appRow('garden', { max_minutes: 120 }));
    for (const name of hosts) {
      const capacity = bound.includes(name) ? capacityText({ cards, needs, placing: 'spread' }) : null;
      await tables.hosts.insert(hostRow(name, { seats: seats_per_host, capacity }));
      await tables.host_apps.insert({ host: name, app: 'garden' });
    }
    await tables.accounts.insert(account(999, { role: 'admin' }));
    for (let number = 1; number <= clients; number++) await tables.accounts.insert(account(number));
    for (let number = 1001; number <= 1000 + accounts; number++) {
      await tables.accounts.insert(account(number, { quota_sessions: quota }));
    }
  });

const startSystem = async (mariadb: PrivateMariadb, accounts: number): Promise<System> => {
  const url = await mariadb.createDatabase('contention');
  const db = await openMigrated(url);
  await seed(db, accounts);
  const urls = [url, mariadb.elsewhere(url)] as const;
  const servers = await Promise.all(urls.map(startServer));
  const ports = servers.map(({ port }) => port);
  let killing = 0;
  /** Until the first answer after the return the disturbance is ours. */
  const disturb = async (work: () => Promise<unknown>): Promise<void> => {
    killing += 1;
    await work();
    await db.read(({ apps }) => apps.get({ name: 'garden' }));
    const { promise, resolve } = Promise.withResolvers<void>();
    systemClock.after(500, resolve);
    await promise;
    killing -= 1;
  };
  return {
    db,
    ports,
    disturbed: () => killing > 0,
    killCoordinator: (which) =>
      disturb(async () => {
        servers[which]?.process.kill('SIGKILL');
        await servers[which]?.process.exited;
        const started = await startServer(urls[which]);
        servers[which] = started;
        ports[which] = started.port;
      }),
    killDatabase: () =>
      disturb(async () => {
        await mariadb.kill();
        await mariadb.start();
      }),
    async [Symbol.asyncDispose]() {
      await db.close();
      for (const { process: child } of servers) {
        child.kill('SIGKILL');
        await child.exited;
      }
    },
  };
};

/** Kills in turn, one whenever so many more attempts have been made. The last kill of a round is the database's. */
const disturbing = (system: System, attempts: number, kills: number) => {
  const every = attempts / (kills + 1);
  let done = 0;
  let running: Promise<unknown> = Promise.resolve();
  let databases = 0;
  return {
    look(made: number): void {
      if (done >= kills || made < every * (done + 1)) return;
      done += 1;
      const database = done % 5 === 3;
      if (database) databases += 1;
      const kill = database ? system.killDatabase : () => system.killCoordinator(done % 2 === 0 ? 0 : 1);
      running = running.then(kill);
    },
    async end() {
      await running;
      return { coordinators: done - databases, databases };
    },
  };
};

const mondayAfter = (now: number): number => {
  const day = new Date(now);
  return Date.UTC(
    day.getUTCFullYear(),
    day.getUTCMonth(),
    day.getUTCDate() + 7 - ((day.getUTCDay() + 6) % 7),
  );
};

/** Acknowledged bookings that the database does not have as they were acknowledged. */
const lostOf = async (db: Database, told: readonly Known[]): Promise<string[]> => {
  const rows = await db.read(({ bookings }) => bookings.find({}));
  const there = new Map(rows.map((row) => [row.id, row]));
  return told.flatMap((known) =>
    [...known.values()].flatMap(({ id, state, starts_at, ends_at, code, version }) => {
      const row = there.get(id);
      const same =
        row?.state === state &&
        row.starts_at === starts_at &&
        row.ends_at === ends_at &&
        row.code === code &&
        row.version === version;
      return same ? [] : [id];
    }),
  );
};

const part = (sorted: readonly number[], share: number): number =>
  Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;

const book = async (system: System, attempts: number, number: number) => {
  const seen = newSeen();
  const week = mondayAfter(systemClock.now());
  const kills = disturbing(system, attempts, Math.max(3, Math.floor(attempts / 2_000)));
  const started = systemClock.monotonic();
  const all = Array.from({ length: clients }, (_, at) =>
    bookingClient(system, seen, seeded(number * 1_000 + at), { account: at + 1, week }),
  );
  await Promise.all(
    all.map(async (client) => {
      while (seen.attempts < attempts) {
        await client.step();
        kills.look(seen.attempts);
      }
    }),
  );
  const killed = await kills.end();
  const seconds = (systemClock.monotonic() - started) / 1_000;
  const took = seen.took.sort((a, b) => a - b);
  const faults = [...(await bookingFaults(system.db)), ...(await storedCardFaults(system.db))];
  const lost = await lostOf(
    system.db,
    all.map(({ known }) => known),
  );
  const { took: _, faults: bad, ...counts } = seen;
  return {
    ...counts,
    seconds: Math.round(seconds),
    per_second: Math.round(seen.attempts / seconds),
    killed,
    p50_ms: part(took, 0.5),
    p99_ms: part(took, 0.99),
    overlaps: faults.length,
    lost: lost.length,
    bad: bad.length,
    first: [...faults, ...lost, ...bad].slice(0, 5),
  };
};

/** Each account tries to make more bookings at a time than its quota; those that hold another number than it. */
const raceQuotas = async (system: System, accounts: number, parallel: number) => {
  const seen: Seen = newSeen();
  const week = mondayAfter(systemClock.now());
  const wrong: string[] = [];
  for (let number = 1001; number <= 1000 + accounts; number++) {
    const racers = Array.from({ length: parallel }, (_, at) =>
      // A random generator each: they ask for different times, in different orders.
      bookingClient(system, seen, seeded(number * 100 + at), { account: number, week }),
    );
    await Promise.all(racers.map((racer) => racer.step()));
    const account_id = account(number).id;
    const held = await system.db.read(({ bookings }) => bookings.count({ account_id, state: 'held' }));
    if (held !== quota) wrong.push(`${account_id} holds ${held}`);
  }
  const { created, refused, faults, unasked } = seen;
  return { accounts, parallel, created, refused, unasked, wrong: wrong.length + faults.length };
};

export interface ContentionOptions {
  readonly attempts: number;
  readonly seed: number;
  readonly accounts: number;
  readonly parallel: number;
}

/** Lets clients fight for seats while coordinators and the database are killed, then accounts for their quotas. */
export const contend = async ({ attempts, seed: number, accounts, parallel }: ContentionOptions) => {
  await using mariadb = await startMariadb();
  await using system = await startSystem(mariadb, accounts);
  const quotas = await raceQuotas(system, accounts, parallel);
  const bookings = await book(system, attempts, number);
  const { findings } = await checkData({ db: system.db, clock: systemClock, ids: systemIds }, false);
  return { seed: number, clients, seats: hosts.length * seats_per_host, bookings, quotas, findings };
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: { attempts: { type: 'string' }, seed: { type: 'string' }, accounts: { type: 'string' } },
  });
  const report = await contend({
    attempts: Number(values.attempts ?? 100_000),
    seed: Number(values.seed ?? 1),
    accounts: Number(values.accounts ?? 200),
    parallel: 50,
  });
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  const { overlaps, lost, bad } = report.bookings;
  process.exit(overlaps + lost + bad + report.quotas.wrong + report.findings.length > 0 ? 1 : 0);
}
