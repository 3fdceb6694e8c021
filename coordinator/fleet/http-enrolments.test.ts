import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { silentLog } from '../../shared/log.ts';
import { catalogueHostSchema, enrolledSchema, enrolmentSchema } from '../../shared/protocol/catalogue.ts';
import { removals } from '../expiry.ts';
import { describedRoutes } from '../kit/http-openapi.ts';
import { hashOf } from '../kit/secrets.ts';
import { removeExpired } from '../kit/sweep.ts';
import { createHosts } from '../seats/hosts.ts';
import { appUnderTest } from '../testing/app.ts';
import { routesUnderTest } from '../testing/routes.ts';
import { hostRow } from '../testing/rows.ts';
import { memoryStore } from '../testing/store.ts';
import { enrolFromCommandLine } from './enrolments.ts';
import { enrolmentRoutes } from './http-enrolments.ts';
import { catalogueHostRoutes } from './http-hosts.ts';
import { createLives } from './lives.ts';

setDefaultTimeout(30_000);

/** The host "host-a" of operators, locked away, and "host-b" of servers.json. */
const withHosts = async () => {
  const changes = { count: 0 };
  const under = routesUnderTest((parts) => {
    const needs = {
      ...parts,
      hosts: createHosts(),
      lives: createLives(),
      catalogueChanged: () => {
        changes.count += 1;
      },
    };
    return describedRoutes().route('/', catalogueHostRoutes(needs)).route('/', enrolmentRoutes(needs));
  });
  const locked = hostRow('host-a', { quarantined_at: 7 });
  await under.db.transact(({ hosts }) => hosts.insert(locked, hostRow('host-b', { source: 'file' })));
  under.who.role = 'operator';
  const make = async (body: object = {}) =>
    enrolmentSchema.parse(await under.json('POST', '/catalogue/hosts/host-a/enrolments', { body }));
  const enrol = (token: string) => ({ body: { token } });
  const host = async (name: string) => under.db.read(({ hosts }) => hosts.get({ name }));
  return { ...under, changes, make, enrol, host };
};

describe('enrolmentRoutes()', () => {
  test('enrolmentRoutes() gives whoever has the token a new key of the host, once, and unlocks the host', async () => {
    const { json, refused, make, enrol, host, who, changes, audited } = await withHosts();
    const { token, command } = await make();
    expect(command).toBe(`session-agent enroll http://localhost --token=${token}`);
    who.role = undefined;
    const enrolled = enrolledSchema.parse(await json('POST', '/enrolments', enrol(token)));
    expect(enrolled).toEqual({
      server_name: 'host-a',
      key: enrolled.key,
    });
    expect(await host('host-a')).toMatchObject({ key_hash: hashOf(enrolled.key), quarantined_at: null });
    expect(changes.count).toBe(1);
    expect(await refused('POST', '/enrolments', enrol(token))).toBe('enrolment_wrong');
    expect((await audited()).map(([actor, action, subject]) => [actor, action, subject])).toEqual([
      ['account-1', 'host.enrolment', 'host-a'],
      ['account-1', 'host.enrolled', 'host-a'],
    ]);
    expect(JSON.stringify(await audited())).not.toContain(token);
  });

  test('enrolmentRoutes() answers tokens that are made up, used, replaced and expired alike', async () => {
    const { db, clock, make, enrol, request } = await withHosts();
    const replaced = await make();
    const expired = await make({ minutes: 5 });
    clock.advance(5 * 60_000);
    const removed = await make();
    await db.transact(({ hosts }) => hosts.update({ name: 'host-a' }, { source: 'file' }));
    const answers = await Promise.all(
      [replaced.token, expired.token, removed.token, 'made-up'].map(async (token) => {
        const response = await request('POST', '/enrolments', enrol(token));
        return `${response.status} ${await response.text()}`;
      }),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain('enrolment_wrong');
    clock.advance(60 * 60_000);
    await removeExpired({ db, clock, store: memoryStore([]), log: silentLog }, removals);
    expect(await db.read(({ enrolments }) => enrolments.count({}))).toBe(0);
  });

  test('enrolmentRoutes() lets one of fifty through who use one token at the same time', async () => {
    const { make, enrol, request } = await withHosts();
    const { token } = await make();
    const all = Array.from({ length: 50 }, () => request('POST', '/enrolments', enrol(token)));
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([201, ...Array.from({ length: 49 }, () => 410)]);
  });

  test('enrolmentRoutes() leaves hosts of servers.json alone, and tokens to operators', async () => {
    const { refused, who } = await withHosts();
    const body = {};
    expect(await refused('POST', '/catalogue/hosts/host-b/enrolments', { body })).toBe('managed_by_file');
    expect(await refused('POST', '/catalogue/hosts/nobody/enrolments', { body })).toBe('host_unknown');
    const long = { body: { minutes: 10_081 } };
    expect(await refused('POST', '/catalogue/hosts/host-a/enrolments', long)).toBe('malformed');
    who.role = 'user';
    expect(await refused('POST', '/catalogue/hosts/host-a/enrolments', { body })).toBe('forbidden');
    expect(await refused('DELETE', '/catalogue/hosts/host-a/quarantine')).toBe('forbidden');
  });
});

test('enrolFromCommandLine() makes what is missing, adds to what is there, and leaves servers.json alone', async () => {
  const { db, clock, ids, json, enrol } = await withHosts();
  const parts = { db, clock, ids };
  const make = (name: string, apps: string[]) => enrolFromCommandLine(parts, { name, apps, minutes: 5 });
  const appsOf = async (host: string) =>
    (await db.read(({ host_apps }) => host_apps.find({ host }, { order: ['app'] }))).map(({ app }) => app);
  const first = await make('host-c', ['Loft', 'Loft']);
  const second = await make('host-c', ['Villa', 'Loft']);
  expect(await appsOf('host-c')).toEqual(['Loft', 'Villa']);
  expect(await make('host-c', [])).toMatchObject({ host: 'host-c', expires_at: clock.now() + 300_000 });
  expect(await make('host-b', ['Loft'])).toEqual({ refused: 'managed_by_file', detail: 'key' });
  expect(await appsOf('host-b')).toEqual([]);
  expect(isRefusal(first) || isRefusal(second)).toBeFalse();
  const last = await make('host-a', ['Loft']);
  if (isRefusal(last)) throw new Error(last.refused);
  expect(enrolledSchema.parse(await json('POST', '/enrolments', enrol(last.token))).server_name).toBe(
    'host-a',
  );
});

test('enrolmentRoutes() lets nobody try tokens faster than logins', async () => {
  const { request } = await appUnderTest({ starts_per_minute: 3 });
  const body = { token: 'made-up' };
  const statuses: number[] = [];
  for (let tries = 0; tries < 4; tries++) {
    statuses.push((await request('/api/v1/enrolments', { method: 'POST', body })).status);
  }
  expect(statuses).toEqual([410, 410, 410, 429]);
});

describe('catalogueHostRoutes() and the quarantine', () => {
  test('catalogueHostRoutes() shows since when a host is locked, and lets it in again by word or by a new key', async () => {
    const { json, refused, audited } = await withHosts();
    const shown = async () =>
      catalogueHostSchema.parse(await json('GET', '/catalogue/hosts/host-a')).quarantined_at;
    expect(await shown()).toBe(7);
    await json('DELETE', '/catalogue/hosts/host-a/quarantine');
    expect(await shown()).toBeNull();
    await json('DELETE', '/catalogue/hosts/host-a/quarantine');
    expect((await audited()).map(([, action]) => action)).toEqual(['host.released']);
    expect(await refused('DELETE', '/catalogue/hosts/nobody/quarantine')).toBe('host_unknown');
    const again = await withHosts();
    expect(await again.json('POST', '/catalogue/hosts/host-a/key')).toMatchObject({ quarantined_at: null });
  });
});
