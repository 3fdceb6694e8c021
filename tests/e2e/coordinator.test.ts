import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Program } from '../../scripts/program.ts';
import { freePorts } from '../../shared/testing/free-ports.ts';
import {
  ask,
  type Deployment,
  type Extra,
  type Json,
  openVerbs,
  startDeployment,
  startReceiver,
} from './deployment.ts';
import { appProcess, processesOf, until } from './harness.ts';

/**
 * A coordinator on a database of its own, as those see it who run it, who have an account, and who just come by: the
 * compiled programs, and nothing but their command lines, REST and verbs.
 */
const app = 'Linden Garden';
const admin = { email: 'anna@example.com', password: 'correct horse battery' };
const password = 'a quiet afternoon';
const patience_ms = 900_000;

let deployment: Deployment;
let coordinator: Program;
let url: string;
let data: string;
let port: number;
let database: string;
let admin_token: string;
let webhook_secret: string;
const receiver = startReceiver();

const api = (method: string, path: string, body?: unknown, extra?: Extra) =>
  ask(url, method, `/api/v1${path}`, body, extra);
const asAdmin = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  api(method, path, body, { token: admin_token, ...(headers === undefined ? {} : { headers }) });

const login = (email: string, secret: string) => api('POST', '/login', { email, password: secret });
const adminCreate = ['admin', 'create', '--email', admin.email, '--name', 'Anna'];

/** An app and a host over REST, as an operator adds them, and the host's agent with the key that was shown. */
const addHost = async () => {
  const texts = { title: { en: app, ru: 'Липовый сад' }, description: { en: 'Bright family flats' } };
  const lengths = { default_minutes: 30, max_minutes: 60 };
  const added = await asAdmin('POST', '/catalogue/apps', { name: app, ...texts, ...lengths });
  expect(added).toMatchObject({ status: 201, body: { name: app, source: 'rest' } });
  const host = await asAdmin('POST', '/catalogue/hosts', { name: 'studio-1', apps: [app] });
  expect(host.status).toBe(201);
  expect((await asAdmin('GET', '/catalogue/hosts/studio-1')).body.key).toBeUndefined();
  await deployment.agent('studio-1', host.body.key, url, 2, [{ rc_name: app, style: 'garden' }]);
};

beforeAll(async () => {
  deployment = await startDeployment();
  database = await deployment.mariadb.createDatabase('vitrina');
  const environment = { DATABASE_URL: database };
  expect((await deployment.command(['migrate'], environment)).exit).toBe(0);
  const made = await deployment.command(adminCreate, environment, `${admin.password}\n`);
  expect(made).toMatchObject({ exit: 0, err: expect.stringContaining(admin.email) });
  data = deployment.dataFolder('data', {
    ...{ first_join_seconds: 3_600, host_lost_seconds: 3_600 },
    webhook_private_targets: ['127.0.0.1'],
  });
  port = await freePorts();
  ({ url, program: coordinator } = await deployment.serve(data, port, database));
  const entered = await login(admin.email, admin.password);
  expect(entered).toMatchObject({ status: 200, body: { account: { role: 'admin' } } });
  admin_token = entered.body.access_token;
  const events = ['session.started', 'session.ready', 'session.ended', 'booking.created'];
  const webhook = await asAdmin('POST', '/webhooks', { url: receiver.url, events });
  expect(webhook.status).toBe(201);
  webhook_secret = webhook.body.secret;
  await addHost();
}, patience_ms);

afterAll(async () => {
  await deployment?.stop();
  await receiver.stop();
}, 300_000);

const seats = async () => (await api('GET', '/apps')).body.apps?.[0];
const allFree = () => until('both seats are free', seats, (one) => one?.seats_free === 2);

/** A session that was started: its id, its owner's token, and a look at it. */
const sessionOf = ({ body }: { body: Json }) => {
  const { id } = body.session;
  const token: string = body.participant_token;
  return { id, token, get: async () => (await api('GET', `/sessions/${id}`, undefined, { token })).body };
};
const start = async (body: object = {}, extra?: Extra) => {
  await allFree();
  const started = await api('POST', '/sessions', { app, ...body }, extra);
  expect(started.status).toBe(201);
  return sessionOf(started);
};
const ready = (get: () => Promise<Json>) => until('ready', get, ({ phase }) => phase === 'ready');
const end = async ({ id, token }: { id: string; token: string }) => {
  expect((await api('DELETE', `/sessions/${id}`, undefined, { token })).status).toBe(204);
  await allFree();
  expect(processesOf(id)).toEqual([]);
};

/** Somebody who has registered and was approved: the account and its token. */
const approved = async (name: string) => {
  const email = `${name}@example.com`;
  expect((await api('POST', '/accounts', { email, name, password })).status).toBe(202);
  const { accounts } = (await asAdmin('GET', '/accounts?state=pending')).body;
  const { id } = accounts.find((one: Json) => one.email === email);
  expect(await login(email, password)).toMatchObject({ status: 401, body: { code: 'login_failed' } });
  expect((await asAdmin('POST', `/accounts/${id}/decision`, { decision: 'approve' })).status).toBe(200);
  const entered = await login(email, password);
  expect(entered.status).toBe(200);
  return { id, email, token: entered.body.access_token as string };
};

test(
  'the first start(): migrate, and what is said to who forgets it',
  async () => {
    const environment = { DATABASE_URL: await deployment.mariadb.createDatabase('fresh') };
    const run = (args: string[]) => deployment.command(args, environment);
    const serve = ['serve', '--data', data, '--port', '0'];
    const early = await run(serve);
    expect(early).toMatchObject({ exit: 1, err: expect.stringContaining('coordinator migrate') });
    expect((await run(adminCreate)).exit).toBe(1);
    expect(await run(['migrate', '--status'])).toMatchObject({
      exit: 1,
      err: expect.stringContaining('due      0001_first_tables step 1'),
    });
    const { exit, out } = await run(['migrate', '--dry-run']);
    expect(exit).toBe(0);
    const made = (sql: string) =>
      [...sql.matchAll(/^CREATE TABLE (?:IF NOT EXISTS )?`(\w+)`/gm)].map(([, table]) => table ?? '');
    const ours = (sql: string) => made(sql).filter((table) => !table.startsWith('schema_'));
    const files = await Array.fromAsync(
      new Bun.Glob('migrations/*.sql').scan(join(import.meta.dir, '../..')),
    );
    const known = await Promise.all(
      files.map((file) => Bun.file(join(import.meta.dir, '../..', file)).text()),
    );
    expect(ours(out).toSorted()).toEqual(made(known.join('')).toSorted());
    expect(made(out)).toContain('schema_steps');
    expect((await run(['migrate', '--status'])).exit).toBe(1);
    expect((await run(['migrate'])).exit).toBe(0);
    expect(await run(['migrate', '--status'])).toMatchObject({
      exit: 0,
      err: expect.stringContaining('applied  0001_first_tables'),
    });
    expect(await run(['migrate'])).toMatchObject({ exit: 0, err: expect.stringContaining('up to date') });
  },
  patience_ms,
);

test(
  'accounts: pending, approved, and an end where the quota ends; all of it in the audit log',
  async () => {
    const { id, token } = await approved('boris');
    const { headers } = await asAdmin('GET', `/accounts/${id}`);
    const change = { quota_sessions: 1 };
    expect((await asAdmin('PATCH', `/accounts/${id}`, change)).body.code).toBe('version_required');
    const changed = await asAdmin('PATCH', `/accounts/${id}`, change, {
      'if-match': headers.get('etag') ?? '',
    });
    expect(changed.body.quota_sessions).toBe(1);
    const session = await start({}, { token });
    expect(await api('POST', '/sessions', { app }, { token })).toMatchObject({
      status: 429,
      body: { code: 'quota_exceeded' },
    });
    const { sessions } = (await asAdmin('GET', '/sessions')).body;
    expect(sessions).toMatchObject([{ id: session.id, account_id: id, host: 'studio-1' }]);
    await end({ id: session.id, token: admin_token });
    expect((await session.get()).end.reason).toBe('admin_ended');
    expect((await api('POST', '/sessions', { app }, { token })).body.code).toBe('quota_exceeded');
    expect((await api('GET', '/audit', undefined, { token })).body.code).toBe('forbidden');
    const { entries } = (await asAdmin('GET', '/audit?limit=200')).body;
    const actions = entries.map(({ action }: Json) => action);
    for (const action of [
      'account.approved',
      'account.changed',
      'session.end',
      'app.created',
      'host.created',
      'webhook.created',
    ]) {
      expect(actions).toContain(action);
    }
  },
  patience_ms,
);

test(
  'a session(): asked for twice and started once, joined by invite, extended, ended, recorded, told of',
  async () => {
    const key = { headers: { 'idempotency-key': crypto.randomUUID() } };
    const session = await start({ minutes: 5 }, key);
    const again = sessionOf(await api('POST', '/sessions', { app, minutes: 5 }, key));
    expect([again.id, again.token]).toEqual([session.id, session.token]);
    expect((await seats()).seats_free).toBe(1);
    expect((await api('POST', '/sessions', { app, minutes: 10 }, key)).body.code).toBe(
      'idempotency_mismatch',
    );
    const { invite, ends_at } = await ready(session.get);
    const guest = await api('POST', '/join', { invite });
    expect(guest).toMatchObject({ status: 200, body: { owner: false, session: { id: session.id } } });
    const guests = { token: guest.body.participant_token };
    expect((await api('DELETE', `/sessions/${session.id}`, undefined, guests)).body.code).toBe('forbidden');
    await until('it can be extended', session.get, ({ extendable_to }) => extendable_to !== null);
    const extended = await api('POST', `/sessions/${session.id}/extension`, undefined, session);
    expect(Date.parse(extended.body.ends_at)).toBeGreaterThan(Date.parse(ends_at));
    await end(session);
    const record = await until(
      'the record',
      () => asAdmin('GET', `/records/${session.id}`),
      ({ status }) => status === 200,
    );
    expect(record.body).toMatchObject({ app, host: 'studio-1', end: { name: 'owner_ended' } });
    const table = (await asAdmin('GET', '/records.csv')).body.split('\r\n');
    expect(table[0]).toStartWith('session_id,app,host,');
    expect(table.find((line: string) => line.startsWith(session.id))).toContain(`,${app},studio-1,`);
    const mine = () => receiver.received.filter(({ body }) => body.data.session_id === session.id);
    const told = await until('three events', mine, ({ length }) => length >= 3);
    expect(told.map(({ body }) => body.event).toSorted()).toEqual([
      'session.ended',
      'session.ready',
      'session.started',
    ]);
    expect(told.every(({ genuine }) => genuine(webhook_secret) && !genuine('whsec_YW5vdGhlcg=='))).toBeTrue();
  },
  patience_ms,
);

const minute_ms = 60_000;
const slot_ms = 5 * minute_ms;
const timeOf = (at: number) => {
  const [, year, month, day, time] = /^(\d+)-(\d+)-(\d+)T(\d+:\d+)/.exec(new Date(at).toISOString()) ?? [];
  return { date: `${year}-${month}-${day}`, time, zone: 'UTC' };
};
/** As the user's verbs write the date. */
const dayFirst = ({ date, ...rest }: ReturnType<typeof timeOf>) => ({
  ...rest,
  date: date.split('-').reverse().join('/'),
});

test(
  'a booking(): made, seen in what is free, moved, cancelled, and in the calendar',
  async () => {
    await allFree();
    const { token } = await approved('clara');
    const hour = Math.ceil(Date.now() / slot_ms) * slot_ms + 60 * minute_ms;
    const day = (at: number) => new Date(at).toISOString().slice(0, 10);
    const freeAt = async (at: number) => {
      const query = `from=${day(at)}&to=${day(at)}&minutes=30&zone=UTC`;
      const { body } = await api('GET', `/apps/${encodeURIComponent(app)}/availability?${query}`);
      return (
        body.free.find(({ from, to }: Json) => Date.parse(from) <= at && at < Date.parse(to))?.seats ?? 0
      );
    };
    expect(await freeAt(hour)).toBe(2);
    const booked = await api('POST', '/bookings', { app, ...timeOf(hour), minutes: 30 }, { token });
    const starts_at = new Date(hour).toISOString();
    expect(booked).toMatchObject({ status: 201, body: { state: 'held', starts_at, minutes: 30 } });
    const path = `/bookings/${booked.body.id}`;
    expect(await freeAt(hour)).toBe(1);
    expect((await api('POST', '/join', { code: booked.body.code })).body.code).toBe('code_unknown');

    const later = hour + 60 * minute_ms;
    const stale = { token, headers: { 'if-match': '"99"' } };
    expect((await api('PATCH', path, timeOf(later), stale)).body.code).toBe('version_conflict');
    const current = { token, headers: { 'if-match': booked.headers.get('etag') ?? '' } };
    const moved = await api('PATCH', path, timeOf(later), current);
    expect(moved.body).toMatchObject({ starts_at: new Date(later).toISOString(), code: booked.body.code });
    expect(await freeAt(hour)).toBe(2);
    expect(await freeAt(later)).toBe(1);

    const file = await api('GET', `${path}/calendar.ics`, undefined, { token });
    expect(file.headers.get('content-type')).toStartWith('text/calendar');
    const stamp = new Date(later).toISOString().replace(/[-:]|\.\d+/g, '');
    expect(file.body).toContain(`DTSTART:${stamp}\r\n`);

    const now = { token, headers: { 'if-match': moved.headers.get('etag') ?? '' } };
    expect((await api('DELETE', path, undefined, now)).body.state).toBe('cancelled');
    expect(await freeAt(later)).toBe(2);
    expect((await api('GET', path)).status).toBe(401);
    const { bookings } = (await api('GET', '/bookings', undefined, { token })).body;
    expect(bookings.map(({ id, state }: Json) => [id, state])).toEqual([[booked.body.id, 'cancelled']]);
  },
  patience_ms,
);

test(
  'the verbs: a visitor plans a session, starts one, and another one joins it with its code',
  async () => {
    await allFree();
    const [owner, guest] = await Promise.all([openVerbs(url), openVerbs(url)]);
    const answerTo = async (who: typeof owner, id: string) => {
      const find = () => who.came.find((one) => one.id === id && one.msg !== 'SESSION_PROGRESS');
      return until(`an answer to ${id}`, find, (found) => found !== undefined);
    };
    const at = Math.ceil(Date.now() / slot_ms) * slot_ms + 120 * minute_ms;
    owner.say({ verb: 'PLAN_SESSION', rc_name: app, ...dayFirst(timeOf(at)), minutes: 30, id: 'plan' });
    const planned = await answerTo(owner, 'plan');
    expect(planned).toMatchObject({ msg: 'CONNECTION_CODE', starts_at: at });
    expect(planned.code).toMatch(/^\d{4}$/);
    const { token } = planned;
    const booking = await api('GET', `/bookings/${planned.booking_id}`, undefined, { token });
    const version = { token, headers: { 'if-match': booking.headers.get('etag') ?? '' } };
    const cancelled = await api('DELETE', `/bookings/${planned.booking_id}`, undefined, version);
    expect(cancelled.body.state).toBe('cancelled');

    owner.say({ verb: 'CREATE_SESSION', rc_name: app, progress: true, id: 'create' });
    const created = await answerTo(owner, 'create');
    expect(created).toMatchObject({ verb: 'CONNECT_TO_SESSION', ip: '127.0.0.1', port: String(port) });
    guest.say({ verb: 'CONNECT_SESSION_WITH_CODE', code: created.code, id: 'join' });
    const joined = await answerTo(guest, 'join');
    expect(joined).toMatchObject({ verb: 'CONNECT_TO_SESSION', session_id: created.session_id });
    expect(joined.participant_token).not.toBe(created.participant_token);
    owner.close();
    guest.close();
    await end({ id: created.session_id, token: created.participant_token });
  },
  patience_ms,
);

test(
  'kill -9 of the coordinator: the session is there again, its app has not noticed',
  async () => {
    const session = await start();
    const before = await ready(session.get);
    const pid = appProcess(session.id)?.pid;
    expect(pid).toBeGreaterThan(0);
    const guest = await api('POST', '/join', { invite: before.invite });
    coordinator.kill('SIGKILL');
    expect(await coordinator.exited).toBe('SIGKILL');
    ({ program: coordinator } = await deployment.serve(data, port, database));
    // The guest's token was made just before the end: what was answered is kept.
    for (const token of [session.token, guest.body.participant_token]) {
      const kept = await api('GET', `/sessions/${session.id}`, undefined, { token });
      expect(kept).toMatchObject({ status: 200, body: { id: session.id, code: before.code } });
    }
    await until('its host is back', seats, (one) => one?.seats === 2);
    expect(await seats()).toMatchObject({ seats_free: 1 });
    expect((await ready(session.get)).phases).toEqual(before.phases);
    expect(appProcess(session.id)?.pid).toBe(pid);
    const ticket = await api('POST', `/sessions/${session.id}/tickets`, undefined, session);
    expect(ticket.status).toBe(200);
    expect((await asAdmin('GET', '/me')).body.email).toBe(admin.email);

    // Its owner's end was answered: the next coordinator knows of it, and its host carries it out.
    expect((await api('DELETE', `/sessions/${session.id}`, undefined, session)).status).toBe(204);
    coordinator.kill('SIGKILL');
    await coordinator.exited;
    ({ program: coordinator } = await deployment.serve(data, port, database));
    expect((await session.get()).end?.reason).toBe('owner_ended');
    await allFree();
    expect(processesOf(session.id)).toEqual([]);
  },
  patience_ms,
);

test(
  'kill -9 of the database: /readyz says so, sessions go on, and work goes on when it is back',
  async () => {
    const session = await start();
    await ready(session.get);
    await deployment.mariadb.kill();
    const readyz = () => ask(url, 'GET', '/readyz');
    const away = await until('not ready', readyz, ({ status }) => status === 503);
    expect(away.body.parts.database.ok).toBeFalse();
    expect(away.body.parts.store.ok).toBeTrue();
    expect((await ask(url, 'GET', '/healthz')).status).toBe(200);
    const refused = await api('POST', '/sessions', { app });
    expect(refused.status).toBe(503);
    expect(refused.body.retryable).toBeTrue();
    expect((await session.get()).phase).toBe('ready');
    await deployment.mariadb.start();
    await until('ready again', readyz, ({ status }) => status === 200);
    await end(session);
    await until(
      'the record',
      () => asAdmin('GET', `/records/${session.id}`),
      ({ status }) => status === 200,
    );
    await end(await start());
  },
  patience_ms,
);

test(
  'import(): the files of a JSON coordinator go into an empty database, once',
  async () => {
    const files = deployment.dataFolder('files');
    const made = await deployment.command([...adminCreate, '--data', files], {}, `${admin.password}\n`);
    expect(made.exit).toBe(0);
    const onFiles = await deployment.serve(files, 0, undefined);
    const enter = (at: string) =>
      ask(at, 'POST', '/api/v1/login', { email: admin.email, password: admin.password });
    const { access_token: token } = (await enter(onFiles.url)).body;
    const added = await ask(onFiles.url, 'POST', '/api/v1/catalogue/apps', { name: 'Loft' }, { token });
    expect(added.status).toBe(201);
    await onFiles.program.stop();

    const target = await deployment.mariadb.createDatabase('imported');
    const environment = { DATABASE_URL: target };
    expect((await deployment.command(['migrate'], environment)).exit).toBe(0);
    const copied = await deployment.command(['import', files], environment);
    expect(copied).toMatchObject({ exit: 0, err: expect.stringMatching(/^Copied \d+ rows\.\n$/) });
    const twice = await deployment.command(['import', files], environment);
    expect(twice).toMatchObject({ exit: 1, err: expect.stringContaining('not empty') });
    const moved = await deployment.serve(files, 0, target);
    const apps = await ask(moved.url, 'GET', '/api/v1/catalogue/apps', undefined, { token });
    expect(apps).toMatchObject({ status: 200, body: { apps: [{ name: 'Loft', source: 'rest' }] } });
    expect((await enter(moved.url)).status).toBe(200);
    await moved.program.stop();
  },
  patience_ms,
);
