import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { type Program, startProgram } from '../../scripts/program.ts';
import { type Layout, startSystem } from '../../scripts/system.ts';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import { ensureBuilt, executable, portRange, until } from './harness.ts';
import { releaseBefore } from './release-before.ts';

let server: PrivateMariadb;
const folder = mkdtempSync(join(tmpdir(), 'vitrina-release-'));
beforeAll(async () => {
  await ensureBuilt();
  server = await startMariadb();
}, 300_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

/** A database as the release before left it, and the statements that it prepares while it runs. */
const fixtures = join(import.meta.dir, '..', 'fixtures');
const now = executable('coordinator-linux-x64');

/** Runs a command of a coordinator on the database, with that on its standard input; its exit code and what it wrote. */
const command = async (coordinator: string, url: string, args: string[], input = '') => {
  const child = Bun.spawn([coordinator, ...args], {
    env: { ...process.env, DATABASE_URL: url },
    stdin: Buffer.from(input),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out, err };
};

const must = async (...given: Parameters<typeof command>): Promise<string> => {
  const { code, out, err } = await command(...given);
  if (code !== 0) throw new Error(`${given[2].join(' ')}: ${code} ${err}`);
  return out;
};
const migrate = (coordinator: string, url: string) => must(coordinator, url, ['migrate']);

/** Somebody who can log in, made by the command line. */
const anna = { email: 'anna@vitrina.example', password: 'correct horse battery' };
const makeAnna = (coordinator: string, url: string) =>
  must(coordinator, url, ['admin', 'create', '--email', anna.email, '--name', 'Anna'], `${anna.password}\n`);

// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at field by field in assertions
const ask = async (base: string, method: string, path: string, body?: object): Promise<any> => {
  const response = await fetch(`${base}/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
};

/** What the release before does not know in its files. */
const unknown_then = {
  anonymous_sessions_per_network: undefined,
  anonymous_network_percent: undefined,
  anonymous_unused_sessions_per_network: undefined,
  anonymous_queue_places_per_network: undefined,
};

const start = (name: string, url: string, layout: Pick<Layout, 'coordinator' | 'agent'> & Partial<Layout>) =>
  startSystem({
    folder: join(folder, name),
    port: 0,
    environment: { DATABASE_URL: url },
    hosts: [
      {
        ...{ server_name: 'host-1', seats: 3, ports: portRange(), resolution: { width: 160, height: 90 } },
        apps: [{ rc_name: 'Loft', style: 'loft' }],
      },
    ],
    ...layout,
  });

type Serving = Program & { base: string };

/** Another coordinator on the same database and on these files; at that port, where somebody looks for one. */
const serve = async (coordinator: string, data: string, url: string, port = '0'): Promise<Serving> => {
  const program = startProgram([coordinator, 'serve', '--data', data, '--port', port], {
    log: createWriteStream(`${data}.log`, { flags: 'a' }),
    environment: { ...process.env, DATABASE_URL: url },
  });
  const { url: base } = await program.line((line) => line.msg === 'listening');
  return { ...program, base: String(base) };
};

/** A session on the host that gets as far as a picture could be shown; once the host is there. */
const play = async (base: string): Promise<void> => {
  const { session, participant_token } = await until(
    'a session starts',
    () => ask(base, 'POST', '/sessions', { app: 'Loft' }).catch((error: Error) => ({ error: error.message })),
    ({ session }) => session !== undefined,
  );
  const headers = { authorization: `Bearer ${participant_token}` };
  await until(
    'the session is ready',
    async () =>
      (await fetch(`${base}/api/v1/sessions/${session.id}`, { headers })).json() as Promise<{
        phase: string;
      }>,
    ({ phase }) => phase === 'ready',
  );
  await fetch(`${base}/api/v1/sessions/${session.id}`, { method: 'DELETE', headers });
};

let day = 1;
/** A booking on a day of its own; the release before writes days as its verbs do. */
const book = (base: string, days: 'iso' | 'verbs') => {
  const date = new Date(Date.now() + day++ * 86_400_000).toISOString().slice(0, 10);
  const written = days === 'iso' ? date : date.split('-').reverse().join('/');
  return ask(base, 'POST', '/bookings', {
    app: 'Loft',
    date: written,
    time: '10:00',
    minutes: 30,
    zone: 'UTC',
  });
};
const bookingAt = async (base: string, { id, token }: { id: string; token: string }) =>
  (await fetch(`${base}/api/v1/bookings/${id}`, { headers: { authorization: `Bearer ${token}` } })).status;

/** The release before on a database of its own, and what it has stored; as its commit makes it where history reaches so far. */
describe('releaseBefore()', () => {
  test('releaseBefore() goes on beside this release on the newer schema, and each starts on it in the place of the other', async () => {
    const before = await releaseBefore();
    const url = await server.createDatabase('release_before');
    // Where the history is shallow, this release stands in on the stored first schema: what is said of that holds of any.
    const coordinator = before?.coordinator ?? now;
    const days = before === undefined ? 'iso' : 'verbs';
    await migrate(coordinator, url);
    await makeAnna(coordinator, url);
    const old = await start('old', url, {
      coordinator: [coordinator],
      agent: [executable('session-agent-linux-x64')],
      configuration: unknown_then,
    });
    const running: Program[] = [old.coordinator];
    try {
      await play(old.url);
      const first = await book(old.url, days);
      await migrate(now, url);
      await must(now, url, ['migrate', '--status']);
      await play(old.url);
      const second = await book(old.url, days);

      const files = join(folder, 'old', 'coordinator');
      cpSync(files, join(folder, 'young'), { recursive: true, filter: (path) => !path.endsWith('.sock') });
      const young = await serve(now, join(folder, 'young'), url);
      running.push(young);
      const third = await book(young.base, 'iso');
      for (const booked of [first, second, third]) {
        expect([await bookingAt(old.url, booked), await bookingAt(young.base, booked)]).toEqual([200, 200]);
      }
      for (const base of [old.url, young.base]) {
        expect(await ask(base, 'POST', '/login', anna)).toMatchObject({ account: { name: 'Anna' } });
      }
      await young.stop();

      // Rolled forward and back, in the place of the one before: the host comes to each.
      let place: Program = old.coordinator;
      for (const coordinated of [now, coordinator]) {
        await place.stop();
        const next = await serve(coordinated, files, url, new URL(old.url).port);
        running.push(next);
        place = next;
        await play(old.url);
        expect(await bookingAt(old.url, third)).toBe(200);
      }
      expect(JSON.parse(await must(now, url, ['check', '--json']))).toMatchObject({
        schema: [],
        unreadable: [],
        findings: [],
        more: [],
      });
    } finally {
      await Promise.all(running.map((program) => program.stop()));
      await old.stop();
    }
  }, 240_000);

  test('releaseBefore() left a database that is migrated with all that is in it, and on which its statements run', async () => {
    const url = await server.createDatabase('stored_before');
    const { searchParams, username, pathname } = new URL(url);
    const connection = await createConnection({
      socketPath: searchParams.get('socket') ?? '',
      user: username,
      database: pathname.slice(1),
      multipleStatements: true,
    });
    await connection.query(readFileSync(join(fixtures, 'release-before.sql'), 'utf8'));
    const bookings = async () =>
      (await connection.query('SELECT id, starts_at, code, state FROM bookings'))[0];
    const had = await bookings();
    await migrate(now, url);
    await must(now, url, ['migrate', '--status']);
    expect([had, await bookings()]).toEqual([had, had]);
    expect(had).toHaveLength(1);
    const statements: string[] = JSON.parse(
      readFileSync(join(fixtures, 'release-before-statements.json'), 'utf8'),
    );
    for (const sql of statements) await (await connection.prepare(sql)).close();
    expect(statements.length).toBeGreaterThan(40);
    // What it does not know of can be left out of the rows that it adds.
    const [wanted] = await connection.query<RowDataPacket[]>(
      `SELECT TABLE_NAME AS table_name, COLUMN_NAME AS column_name FROM information_schema.COLUMNS
       WHERE TABLE_SCHEMA = DATABASE() AND IS_NULLABLE = 'NO' AND COLUMN_DEFAULT IS NULL`,
    );
    const added = statements.flatMap((sql) => {
      const [, table, columns = ''] = /^insert into `(\w+)` \(([^)]*)\)/.exec(sql) ?? [];
      return table === undefined ? [] : [{ table, columns: columns.split(', ') }];
    });
    expect(added.length).toBeGreaterThan(5);
    expect(
      added.flatMap(({ table, columns }) =>
        wanted.filter(
          ({ table_name, column_name }) => table_name === table && !columns.includes(`\`${column_name}\``),
        ),
      ),
    ).toEqual([]);
    await connection.end();
    const coordinator = await start('stored', url, {
      coordinator: [now],
      agent: [executable('session-agent-linux-x64')],
    });
    try {
      expect(await ask(coordinator.url, 'POST', '/login', anna)).toMatchObject({ account: { name: 'Anna' } });
      expect((await ask(coordinator.url, 'GET', '/apps')).apps).toMatchObject([
        { name: 'Loft', seats_free: 3 },
      ]);
    } finally {
      await coordinator.stop();
    }
  }, 240_000);

  test('releaseBefore() has an agent that serves a coordinator of this release', async () => {
    const before = await releaseBefore();
    const url = await server.createDatabase('agent_before');
    await migrate(now, url);
    const system = await start('agents', url, {
      coordinator: [now],
      agent: [before?.agent ?? executable('session-agent-linux-x64')],
    });
    try {
      await play(system.url);
    } finally {
      await system.stop();
    }
  }, 240_000);
});
