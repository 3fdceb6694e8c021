import { describe, expect, test } from 'bun:test';
import { catalogueAppSchema, catalogueAppsSchema } from '../../shared/protocol/catalogue.ts';
import { bounds } from '../kit/limits.ts';
import { routesUnderTest } from '../testing/routes.ts';
import { appRow, booking, hostRow } from '../testing/rows.ts';
import { appDefaults } from './catalogue.ts';
import { catalogueAppRoutes } from './http.ts';

const png = (length = 100): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return bytes;
};

/** The app "garden" of operators, and "tower" of servers.json, both on "host-a". */
const withApps = async () => {
  const changes = { count: 0 };
  const under = routesUnderTest((parts) =>
    catalogueAppRoutes({
      ...parts,
      catalogueChanged: () => {
        changes.count += 1;
      },
    }),
  );
  await under.db.transact(async (tables) => {
    await tables.apps.insert(
      appRow('garden', { title: '{"en":"The garden"}' }),
      appRow('tower', { source: 'file', picture: 'tower.webp' }),
    );
    await tables.hosts.insert(hostRow('host-a'));
    await tables.host_apps.insert({ host: 'host-a', app: 'garden' }, { host: 'host-a', app: 'tower' });
  });
  under.who.role = 'operator';
  const show = async (name: string) =>
    catalogueAppSchema.parse(await under.json('GET', `/catalogue/apps/${encodeURIComponent(name)}`));
  return { ...under, changes, show, garden: '/catalogue/apps/garden', tower: '/catalogue/apps/tower' };
};

describe('catalogueAppRoutes()', () => {
  test('catalogueAppRoutes() lists and shows apps with their hosts', async () => {
    const { json, request, garden, show } = await withApps();
    const { apps } = catalogueAppsSchema.parse(await json('GET', '/catalogue/apps'));
    expect(apps.map(({ name, hosts, source }) => [name, hosts, source])).toEqual([
      ['garden', ['host-a'], 'rest'],
      ['tower', ['host-a'], 'file'],
    ]);
    expect(await show('garden')).toMatchObject({ title: { en: 'The garden' }, version: 1 });
    expect((await request('GET', garden)).headers.get('etag')).toBe('"1"');
  });

  test('catalogueAppRoutes() adds an app with what is given and defaults', async () => {
    const { json, show, refused, changes } = await withApps();
    const given = { title: { en: 'Courtyard', ru: 'Двор' }, max_minutes: 300, quota_sessions: 3 };
    const body = { name: ' Двор «А/Б» ', ...given };
    expect(await json('POST', '/catalogue/apps', { body })).toMatchObject({
      name: 'Двор «А/Б»',
      ...appDefaults,
      ...given,
      description: {},
      picture: null,
      hosts: [],
      source: 'rest',
      version: 1,
    });
    expect(await show('Двор «А/Б»')).toMatchObject(given);
    expect(await refused('POST', '/catalogue/apps', { body })).toBe('name_taken');
    expect(await refused('POST', '/catalogue/apps', { body: { name: 'tower' } })).toBe('name_taken');
    expect(changes.count).toBe(1);
  });

  test('catalogueAppRoutes() changes what is given, at the version that was read', async () => {
    const { json, show, refused, garden, changes } = await withApps();
    const change = { title: { en: 'Garden' }, picture: 'garden.svg', lobby: true, idle_seconds: 0 };
    expect(await json('PATCH', garden, { body: change, version: 1 })).toMatchObject({
      ...change,
      version: 2,
    });
    expect(await show('garden')).toMatchObject({ ...change, default_minutes: 30, version: 2 });
    const body = { enabled: false };
    expect(await refused('PATCH', garden, { body })).toBe('version_required');
    expect(await refused('PATCH', garden, { body, version: 1 })).toBe('version_conflict');
    expect(await refused('PATCH', '/catalogue/apps/castle', { body, version: 1 })).toBe('app_unknown');
    expect(await refused('PATCH', garden, { body: { max_minutes: 25 }, version: 2 })).toBe('malformed');
    expect(changes.count).toBe(1);
  });

  test('catalogueAppRoutes() leaves to servers.json what it says, and changes the rest', async () => {
    const { json, refused, tower } = await withApps();
    for (const body of [{ title: {} }, { description: {} }, { picture: null }, { lobby: true, title: {} }]) {
      expect(await refused('PATCH', tower, { body, version: 1 })).toBe('managed_by_file');
    }
    expect(await refused('DELETE', tower, { version: 1 })).toBe('managed_by_file');
    expect(await refused('PUT', `${tower}/picture`, { bytes: png(), version: 1 })).toBe('managed_by_file');
    const body = {
      enabled: false,
      lobby: true,
      who_may_start: 'accounts',
      default_minutes: 45,
      max_minutes: 45,
      idle_seconds: 30,
      quota_minutes: 0,
      quota_sessions: null,
    };
    expect(await json('PATCH', tower, { body, version: 1 })).toMatchObject(body);
  });

  const wrong: object[] = [
    {},
    { more: 1 },
    { name: 'other' },
    { default_minutes: 7 },
    { default_minutes: 0 },
    { max_minutes: 1_445 },
    { idle_seconds: 29 },
    { idle_seconds: -1 },
    { who_may_start: 'nobody' },
    { quota_sessions: -1 },
    { picture: '../servers.json' },
    { picture: 'a/b.png' },
    { picture: 'a.html' },
    { title: { english: 'x' } },
    { title: { en: 'x'.repeat(201) } },
    { title: 'x' },
  ];
  for (const body of wrong) {
    test(`catalogueAppRoutes() refuses the change ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const { refused, garden } = await withApps();
      expect(await refused('PATCH', garden, { body, version: 1 })).toBe('malformed');
    });
  }

  test('catalogueAppRoutes() refuses names that no database can hold', async () => {
    const { refused } = await withApps();
    for (const name of ['', ' ', 'a\u0000b', '\ud800', 'x'.repeat(101), 7]) {
      expect(await refused('POST', '/catalogue/apps', { body: { name } })).toBe('malformed');
    }
    expect(await refused('GET', '/catalogue/apps/%20')).toBe('app_unknown');
  });

  test('catalogueAppRoutes() adds no more apps than there may be', async () => {
    const { db, refused } = await withApps();
    const more = Array.from({ length: bounds.apps - 2 }, (_, at) => appRow(`more-${at}`));
    await db.transact(({ apps }) => apps.insert(...more));
    expect(await refused('POST', '/catalogue/apps', { body: { name: 'one more' } })).toBe('too_many');
  });

  test('catalogueAppRoutes() removes an app that nobody has booked, from its hosts too', async () => {
    const { db, json, refused, garden } = await withApps();
    const held = booking(1, { app: 'garden', state: 'held' });
    await db.transact(({ bookings }) => bookings.insert(held, booking(2, { app: 'tower' })));
    expect(await refused('DELETE', garden)).toBe('version_required');
    expect(await refused('DELETE', garden, { version: 1 })).toBe('in_use');
    await db.transact(({ bookings }) => bookings.update({ id: held.id }, { state: 'cancelled' }));
    expect(await refused('DELETE', garden, { version: 2 })).toBe('version_conflict');
    await json('DELETE', garden, { version: 1 });
    expect(await refused('GET', garden)).toBe('app_unknown');
    expect(await db.read(({ host_apps }) => host_apps.find({}))).toEqual([{ host: 'host-a', app: 'tower' }]);
  });

  test('catalogueAppRoutes() takes a picture for what it is, and drops the one before', async () => {
    const { json, show, store, garden } = await withApps();
    await json('PUT', `${garden}/picture`, { bytes: png(50), version: 1 });
    const first = await show('garden');
    expect(first.picture).toMatch(/^upload-[\w-]+\.png$/);
    expect(store.uploads.get(first.picture ?? '')).toEqual(png(50));
    await json('PUT', `${garden}/picture`, { bytes: png(bounds.picture_bytes), version: 2 });
    const second = await show('garden');
    expect([...store.uploads.keys()]).toEqual([second.picture ?? '']);
    expect(second.version).toBe(3);
  });

  test('catalogueAppRoutes() refuses what is no picture, and keeps nothing of it', async () => {
    const { refused, store, garden } = await withApps();
    const svg = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>');
    const upload = (bytes: Uint8Array<ArrayBuffer>, version = 1, path = garden) =>
      refused('PUT', `${path}/picture`, { bytes, version });
    expect(await upload(svg)).toBe('malformed');
    expect(await upload(new Uint8Array())).toBe('malformed');
    expect(await upload(png(bounds.picture_bytes + 1))).toBe('frame_too_large');
    expect(await upload(png(), 7)).toBe('version_conflict');
    expect(await upload(png(), 1, '/catalogue/apps/castle')).toBe('app_unknown');
    expect(await refused('PUT', `${garden}/picture`, { bytes: png() })).toBe('version_required');
    expect(store.uploads.size).toBe(0);
  });

  test('catalogueAppRoutes() notes each edit with who made it', async () => {
    const { clock, json, garden, audited } = await withApps();
    await json('POST', '/catalogue/apps', { body: { name: 'yard' } });
    clock.advance(1);
    await json('PATCH', garden, { body: { lobby: true }, version: 1 });
    clock.advance(1);
    await json('PUT', `${garden}/picture`, { bytes: png(), version: 2 });
    clock.advance(1);
    await json('DELETE', garden, { version: 3 });
    expect(await audited()).toMatchObject([
      ['account-1', 'app.created', 'yard', {}],
      ['account-1', 'app.changed', 'garden', { lobby: true }],
      ['account-1', 'app.changed', 'garden', { picture: expect.stringContaining('upload-') }],
      ['account-1', 'app.deleted', 'garden', {}],
    ]);
  });

  test('catalogueAppRoutes() is for operators', async () => {
    const { who, refused, garden } = await withApps();
    for (const [role, code] of [
      ['user', 'forbidden'],
      [undefined, 'account_required'],
    ] as const) {
      who.role = role;
      expect(await refused('GET', '/catalogue/apps')).toBe(code);
      expect(await refused('GET', garden)).toBe(code);
      expect(await refused('POST', '/catalogue/apps', { body: { name: 'yard' } })).toBe(code);
      expect(await refused('PATCH', garden, { body: { lobby: true }, version: 1 })).toBe(code);
      expect(await refused('PUT', `${garden}/picture`, { bytes: png(), version: 1 })).toBe(code);
      expect(await refused('DELETE', garden, { version: 1 })).toBe(code);
    }
  });
});
