import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { type Program, startProgram } from '../../scripts/program.ts';
import { type Layout, type System, startSystem } from '../../scripts/system.ts';
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

/** Runs a command of a coordinator on the database; its exit code and what it said. */
const command = async (coordinator: string, url: string, ...args: string[]) => {
  const child = Bun.spawn([coordinator, ...args], {
    env: { ...process.env, DATABASE_URL: url },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const said = (
    await Promise.all([child.stdout, child.stderr].map((pipe) => new Response(pipe).text()))
  ).join('');
  return { code: await child.exited, said };
};

const migrate = async (coordinator: string, url: string): Promise<void> => {
  const { code, said } = await command(coordinator, url, 'migrate');
  if (code !== 0) throw new Error(said);
};

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

/** Another coordinator on the same database and the same files. */
const beside = async (
  coordinator: string,
  name: string,
  of: string,
  url: string,
): Promise<Program & { base: string }> => {
  const data = join(folder, name);
  cpSync(join(folder, of, 'coordinator'), data, {
    recursive: true,
    filter: (path) => !path.endsWith('.sock'),
  });
  const program = startProgram([coordinator, 'serve', '--data', data, '--port', '0'], {
    log: createWriteStream(join(folder, `${name}.log`)),
    environment: { ...process.env, DATABASE_URL: url },
  });
  const { url: base } = await program.line((line) => line.msg === 'listening');
  return { ...program, base: String(base) };
};

/** A session on the host that gets as far as a picture could be shown. */
const play = async (base: string): Promise<void> => {
  const { session, participant_token } = await ask(base, 'POST', '/sessions', { app: 'Loft' });
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
  test('releaseBefore() goes on beside this release on the newer schema, and starts on it again', async () => {
    const before = await releaseBefore();
    const url = await server.createDatabase('release_before');
    // Where the history is shallow, this release stands in on the stored first schema: what is said of that holds of any.
    const coordinator = before?.coordinator ?? now;
    const days = before === undefined ? 'iso' : 'verbs';
    await migrate(coordinator, url);
    let old: System | undefined;
    let young: Program | undefined;
    let again: Program | undefined;
    try {
      old = await start('old', url, {
        coordinator: [coordinator],
        agent: [executable('session-agent-linux-x64')],
        configuration: unknown_then,
      });
      await play(old.url);
      const first = await book(old.url, days);
      await migrate(now, url);
      expect((await command(now, url, 'migrate', '--status')).code).toBe(0);
      await play(old.url);
      const second = await book(old.url, days);
      const fresh = await beside(now, 'young', 'old', url);
      young = fresh;
      const third = await book(fresh.base, 'iso');
      for (const booked of [first, second, third]) {
        expect([await bookingAt(old.url, booked), await bookingAt(fresh.base, booked)]).toEqual([200, 200]);
      }
      const back = await beside(coordinator, 'again', 'old', url);
      again = back;
      expect(await bookingAt(back.base, third)).toBe(200);
      const { code, said } = await command(now, url, 'check', '--json');
      expect([code, said === '' ? [] : JSON.parse(said).findings]).toEqual([0, []]);
    } finally {
      await Promise.all([young?.stop(), again?.stop()]);
      await old?.stop();
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
    expect((await command(now, url, 'migrate', '--status')).code).toBe(0);
    expect([had, await bookings()]).toEqual([had, had]);
    expect(had).toHaveLength(1);
    const statements: string[] = JSON.parse(
      readFileSync(join(fixtures, 'release-before-statements.json'), 'utf8'),
    );
    for (const sql of statements) await (await connection.prepare(sql)).close();
    expect(statements.length).toBeGreaterThan(40);
    await connection.end();
    const coordinator = await start('stored', url, {
      coordinator: [now],
      agent: [executable('session-agent-linux-x64')],
    });
    try {
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
