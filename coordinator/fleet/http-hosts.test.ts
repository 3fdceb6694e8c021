import { describe, expect, test } from 'bun:test';
import { catalogueHostSchema, catalogueHostsSchema, hostKeySchema } from '../../shared/protocol/catalogue.ts';
import { bounds } from '../kit/limits.ts';
import { hashOf } from '../kit/secrets.ts';
import { createHosts } from '../seats/hosts.ts';
import { host } from '../testing/domain.ts';
import { routesUnderTest } from '../testing/routes.ts';
import { appRow, booking, hostRow, session } from '../testing/rows.ts';
import { catalogueHostRoutes } from './http-hosts.ts';
import { createLives } from './lives.ts';

/** The host "host-a" of operators with the app "garden", and "host-b" of servers.json; an app "tower" on none. */
const withHosts = async () => {
  const changes = { count: 0 };
  const known = { hosts: createHosts(), lives: createLives() };
  const under = routesUnderTest((parts) =>
    catalogueHostRoutes({
      ...parts,
      ...known,
      catalogueChanged: () => {
        changes.count += 1;
      },
    }),
  );
  await under.db.transact(async (tables) => {
    await tables.apps.insert(appRow('garden'), appRow('tower'));
    await tables.hosts.insert(hostRow('host-a'), hostRow('host-b', { source: 'file' }));
    await tables.host_apps.insert({ host: 'host-a', app: 'garden' });
  });
  under.who.role = 'operator';
  const keyHash = async (name: string) =>
    (await under.db.read(({ hosts }) => hosts.get({ name })))?.key_hash ?? '';
  return { ...under, ...known, changes, keyHash, a: '/catalogue/hosts/host-a', b: '/catalogue/hosts/host-b' };
};

describe('catalogueHostRoutes()', () => {
  test('catalogueHostRoutes() lists and shows hosts, without anything of their keys', async () => {
    const { json, request, a } = await withHosts();
    const { hosts } = catalogueHostsSchema.parse(await json('GET', '/catalogue/hosts'));
    expect(hosts.map(({ name, apps, source }) => [name, apps, source])).toEqual([
      ['host-a', ['garden'], 'rest'],
      ['host-b', [], 'file'],
    ]);
    const response = await request('GET', a);
    expect(response.headers.get('etag')).toBe('"1"');
    expect(catalogueHostSchema.parse(await response.json())).toEqual(hosts[0] as never);
  });

  test('catalogueHostRoutes() adds a host and shows its key once, kept as its hash', async () => {
    const { json, refused, keyHash, clock, changes } = await withHosts();
    const body = { name: 'host-c', apps: ['tower', 'garden'] };
    const made = hostKeySchema.parse(await json('POST', '/catalogue/hosts', { body }));
    expect(made).toMatchObject({ name: 'host-c', apps: ['garden', 'tower'], seats: 0, draining: false });
    expect(made.created_at).toBe(clock.now());
    expect(await keyHash('host-c')).toBe(hashOf(made.key));
    expect(await json('GET', '/catalogue/hosts/host-c')).not.toHaveProperty('key');
    expect(await refused('POST', '/catalogue/hosts', { body })).toBe('name_taken');
    const strange = { name: 'host-d', apps: ['castle'] };
    expect(await refused('POST', '/catalogue/hosts', { body: strange })).toBe('app_unknown');
    for (const wrong of [
      {},
      { name: 'host-d' },
      { ...body, seats: 3 },
      { name: 'x', apps: ['garden', 'garden'] },
    ]) {
      expect(await refused('POST', '/catalogue/hosts', { body: wrong })).toBe('malformed');
    }
    expect(changes.count).toBe(1);
  });

  test('catalogueHostRoutes() drains a host and replaces its apps, at the version that was read', async () => {
    const { json, refused, a, changes } = await withHosts();
    expect(await json('PATCH', a, { body: { draining: true }, version: 1 })).toMatchObject({
      draining: true,
      apps: ['garden'],
      version: 2,
    });
    expect(await json('PATCH', a, { body: { apps: ['tower'] }, version: 2 })).toMatchObject({
      draining: true,
      apps: ['tower'],
      version: 3,
    });
    expect(await json('GET', a)).toMatchObject({ apps: ['tower'], version: 3 });
    expect(await refused('PATCH', a, { body: { apps: ['castle'] }, version: 3 })).toBe('app_unknown');
    expect(await refused('PATCH', a, { body: {}, version: 3 })).toBe('malformed');
    expect(await refused('PATCH', a, { body: { draining: false } })).toBe('version_required');
    expect(await refused('PATCH', a, { body: { draining: false }, version: 2 })).toBe('version_conflict');
    expect(await refused('PATCH', '/catalogue/hosts/x', { body: { draining: true }, version: 1 })).toBe(
      'host_unknown',
    );
    expect(changes.count).toBe(2);
  });

  test('catalogueHostRoutes() drains single cards, of those that the host has', async () => {
    const { db, json, refused, a, b, audited } = await withHosts();
    const cards = [0, 1].map((index) => ({ index, seats: 5, vram_mb: null, encoders: null }));
    const capacity = JSON.stringify({ cards, needs: [], placing: 'spread' });
    await db.transact(({ hosts }) => hosts.update({ name: 'host-a' }, { capacity }));
    const drained = (draining_cards: unknown, version: number) => ({ body: { draining_cards }, version });
    const changed = catalogueHostSchema.parse(await json('PATCH', a, drained([1, 0], 2)));
    expect(changed).toMatchObject({ draining: false, draining_cards: [0, 1], version: 3 });
    expect(await json('PATCH', a, drained([1], 3))).toMatchObject({ draining_cards: [1] });
    expect(await refused('PATCH', a, drained([2], 4))).toBe('malformed');
    expect(await refused('PATCH', a, drained([1, 1], 4))).toBe('malformed');
    expect(await refused('PATCH', a, drained([-1], 4))).toBe('malformed');
    // Its agent has not come yet: nobody knows its cards.
    expect(await json('PATCH', b, drained([7], 1))).toMatchObject({ draining_cards: [7] });
    await db.transact(({ hosts }) => hosts.update({ name: 'host-b' }, { capacity }));
    expect(await json('PATCH', b, drained([7, 1], 3))).toMatchObject({ draining_cards: [1, 7] });
    expect(await json('PATCH', b, { body: { draining: true }, version: 4 })).toMatchObject({
      draining: true,
      draining_cards: [1, 7],
    });
    expect((await audited()).at(-2)).toEqual([
      'account-1',
      'host.changed',
      'host-b',
      { draining_cards: [7, 1] },
    ]);
  });

  test('catalogueHostRoutes() shows cards, what runs on them and what the host says of itself', async () => {
    const { db, json, hosts, lives, a } = await withHosts();
    const cards = [0, 1].map((index) => ({ index, seats: 5, vram_mb: 24_000, encoders: null }));
    const needs = [{ rc_name: 'garden', vram_mb: 4_000, encoders: 1 }];
    const capacity = { cards, needs, placing: 'pack' as const };
    await db.transact(async (tables) => {
      const stored = { capacity: JSON.stringify(capacity), draining_cards: '[1]' };
      await tables.hosts.update({ name: 'host-a' }, stored);
      const running = [0, 4, 5].map((seat) => session(seat, { seat, phase: 'ready' }));
      await tables.sessions.insert(...running, session(9, { seat: 6, phase: 'ended' }));
    });
    const away = catalogueHostSchema.parse(await json('GET', a));
    expect(away).toMatchObject({
      ...{ link: 'away', last_seen_at: null, agent_version: null, figures: null, needs, placing: 'pack' },
      cards: [
        { ...cards[0], draining: false, sessions: 2, warm: [] },
        { ...cards[1], draining: true, sessions: 1, warm: [] },
      ],
    });
    const figures = { cpu_percent: 12.5, memory_used_mb: 900, memory_total_mb: 64_000, cards: [] };
    hosts.put(
      host('host-a', {
        ...{
          seats: 10,
          capacity: { ...capacity, placing: 'spread' },
          figures,
          heard_at: 77,
          version: '1.2.3',
        },
        warm: [{ rc_name: 'garden', card: 1, ready: 2 }],
        placed: new Map([['session-0', 1]]),
      }),
    );
    expect(catalogueHostSchema.parse(await json('GET', a))).toMatchObject({
      ...{ link: 'connected', last_seen_at: 77, agent_version: '1.2.3', figures, placing: 'spread' },
      cards: [
        { sessions: 1, warm: [] },
        { sessions: 2, warm: [{ rc_name: 'garden', ready: 2 }] },
      ],
    });
    hosts.drop('host-a');
    lives.lost.set('host-a', 77);
    await db.transact((tables) => tables.hosts.update({ name: 'host-a' }, { held_by: 'other' }));
    const { hosts: listed } = catalogueHostsSchema.parse(await json('GET', '/catalogue/hosts'));
    expect(listed.map(({ link, last_seen_at }) => [link, last_seen_at])).toEqual([
      ['elsewhere', 77],
      ['away', null],
    ]);
  });

  test('catalogueHostRoutes() leaves to servers.json what it says, and drains its hosts', async () => {
    const { json, refused, b } = await withHosts();
    expect(await refused('PATCH', b, { body: { apps: [] }, version: 1 })).toBe('managed_by_file');
    expect(await refused('POST', `${b}/key`)).toBe('managed_by_file');
    expect(await refused('DELETE', b, { version: 1 })).toBe('managed_by_file');
    expect(await json('PATCH', b, { body: { draining: true }, version: 1 })).toMatchObject({
      draining: true,
    });
  });

  test('catalogueHostRoutes() gives a host a new key in place of the old one', async () => {
    const { json, refused, keyHash, a } = await withHosts();
    const { key, version } = hostKeySchema.parse(await json('POST', `${a}/key`));
    expect([await keyHash('host-a'), version]).toEqual([hashOf(key), 2]);
    expect(await refused('POST', '/catalogue/hosts/x/key')).toBe('host_unknown');
  });

  test('catalogueHostRoutes() adds no more hosts than there may be', async () => {
    const { db, refused } = await withHosts();
    const more = Array.from({ length: bounds.hosts - 2 }, (_, at) => hostRow(`more-${at}`));
    await db.transact(({ hosts }) => hosts.insert(...more));
    const body = { name: 'host-c', apps: ['garden'] };
    expect(await refused('POST', '/catalogue/hosts', { body })).toBe('too_many');
  });

  test('catalogueHostRoutes() removes a host on which nothing is booked and nothing runs', async () => {
    const { db, json, refused, a } = await withHosts();
    const booked = booking(1, { state: 'open' });
    const running = session(1, { phase: 'ready' });
    await db.transact(async ({ bookings, sessions }) => {
      await bookings.insert(booked, booking(2, { state: 'missed' }));
      await sessions.insert(running, session(2, { phase: 'ended' }), session(3, { host: 'host-b' }));
    });
    expect(await refused('DELETE', a)).toBe('version_required');
    expect(await refused('DELETE', a, { version: 2 })).toBe('version_conflict');
    expect(await refused('DELETE', a, { version: 1 })).toBe('in_use');
    await db.transact(({ bookings }) => bookings.update({ id: booked.id }, { state: 'used' }));
    expect(await refused('DELETE', a, { version: 1 })).toBe('in_use');
    await db.transact(({ sessions }) => sessions.update({ id: running.id }, { phase: 'ended' }));
    await json('DELETE', a, { version: 1 });
    expect(await refused('GET', a)).toBe('host_unknown');
    expect(await db.read(({ host_apps }) => host_apps.count({}))).toBe(0);
  });

  test('catalogueHostRoutes() notes each edit with who made it, and no key', async () => {
    const { clock, json, audited, a } = await withHosts();
    await json('POST', '/catalogue/hosts', { body: { name: 'host-c', apps: [] } });
    clock.advance(1);
    await json('POST', `${a}/key`);
    clock.advance(1);
    await json('PATCH', a, { body: { draining: true }, version: 2 });
    clock.advance(1);
    await json('DELETE', a, { version: 3 });
    const noted = await audited();
    expect(noted).toEqual([
      ['account-1', 'host.created', 'host-c', { apps: [] }],
      ['account-1', 'host.key', 'host-a', {}],
      ['account-1', 'host.changed', 'host-a', { draining: true }],
      ['account-1', 'host.deleted', 'host-a', {}],
    ]);
  });

  test('catalogueHostRoutes() is for operators', async () => {
    const { who, refused, a } = await withHosts();
    for (const [role, code] of [
      ['user', 'forbidden'],
      [undefined, 'account_required'],
    ] as const) {
      who.role = role;
      expect(await refused('GET', '/catalogue/hosts')).toBe(code);
      expect(await refused('GET', a)).toBe(code);
      expect(await refused('POST', '/catalogue/hosts', { body: { name: 'host-c', apps: [] } })).toBe(code);
      expect(await refused('PATCH', a, { body: { draining: true }, version: 1 })).toBe(code);
      expect(await refused('POST', `${a}/key`)).toBe(code);
      expect(await refused('DELETE', a, { version: 1 })).toBe(code);
    }
  });
});
