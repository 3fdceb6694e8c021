import { describe, expect, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentKeys } from '../../shared/testing/wrong-types.ts';
import { configurationSchema } from './settings.ts';

const firstDesign = { ip: '0.0.0.2', port: '333', time_between_updates_seconds: '30' };

describe('configurationSchema()', () => {
  test('configurationSchema() reads the first design and fills the defaults in', () => {
    expect(configurationSchema.parse(firstDesign)).toEqual({
      ip: '0.0.0.2',
      port: 333,
      time_between_updates_seconds: 30,
      allowed_hosts: [],
      trusted_proxy_hops: 0,
      ice_servers: [],
      coordinator_name: 'main',
      allowed_origins: [],
      code_digits: 4,
      first_join_seconds: 60,
      leave_grace_seconds: 10,
      silent_page_seconds: 900,
      host_lost_seconds: 120,
      start_timeout_seconds: 120,
      requests_per_second: 20,
      requests_burst: 100,
      starts_per_minute: 30,
      connections_per_address: 200,
      webhook_private_targets: [],
      time_zone: 'UTC',
      booking_open_minutes: 10,
      booking_start_minutes: 2,
      booking_no_show_minutes: 15,
      booking_days_ahead: 60,
      bookings_per_account: 20,
      anonymous_sessions_per_network: 4,
      anonymous_network_percent: 50,
      anonymous_unused_sessions_per_network: 5,
      anonymous_queue_places_per_network: 4,
      anonymous_bookings_held_per_network: 3,
      anonymous_queue_percent: 75,
      anonymous_calendar_percent: 50,
      anonymous_bookings_per_network: 5,
      quota_period: 'week',
      keep_events_days: 7,
    });
  });

  test('configurationSchema() takes networks, addresses and names that webhooks may reach, and nothing else', () => {
    const targets = (list: unknown[]) =>
      configurationSchema.safeParse({ ...firstDesign, webhook_private_targets: list }).success;
    expect(targets(['10.0.0.0/8', '127.0.0.1', '::1', 'fd00::/8', 'hooks.internal'])).toBeTrue();
    for (const wrong of ['10.0.0.0/33', 'fd00::/129', '/8', 'http://x/', '10.0.0.0/x', '*', '']) {
      expect([wrong, targets([wrong])]).toEqual([wrong, false]);
    }
  });

  test('configurationSchema() reduces addresses to origins', () => {
    const read = configurationSchema.parse({
      ...firstDesign,
      public_url: 'https://Vitrina.example:443/',
      allowed_origins: ['http://other.example:8080'],
    });
    expect([read.public_url, read.allowed_origins]).toEqual([
      'https://vitrina.example',
      ['http://other.example:8080'],
    ]);
  });

  const wrong = [
    { public_url: 'https://vitrina.example/path' },
    { public_url: 'ftp://vitrina.example' },
    { public_url: 'vitrina.example' },
    { ip: 'localhost' },
    { allowed_hosts: ['vitrina.example:443'] },
    { allowed_hosts: ['https://vitrina.example'] },
    { allowed_hosts: ['vitrina.example/'] },
    { trusted_proxy_hops: -1 },
    { port: '65536' },
    { code_digits: 3 },
    { time_between_updates_seconds: 0 },
    { ice_servers: [{ urls: 'stun.example' }] },
    { ice_servers: [{ urls: ['http://stun.example'] }] },
    { ice_servers: [{ urls: ['turn::19303'], username: 'u', credential: 'c' }] },
    { ice_servers: [{ urls: ['stun:stun.example?transport=udp'] }] },
    { ice_servers: [{ urls: ['turn:turn.example'] }] },
    { ice_servers: [{ urls: ['turn:turn.example'], username: '', credential: '' }] },
    { turn: { urls: ['turn:'], secret_file: 'turn.secret' } },
    { first_join: 3 },
    { redis_url: 'http://127.0.0.1' },
    { keep_records_days: 6 },
    { keep_bookings_days: 30, quota_period: 'month' },
    { keep_events_days: 0 },
    { turn: { urls: ['stun:turn.example'], secret_file: 'turn.secret' } },
    { turn: { urls: ['turn:turn.example'] } },
    { turn: { urls: ['turn:turn.example'], secret_file: 'turn.secret', ttl_seconds: 5 } },
  ];
  for (const patch of wrong) {
    test(`configurationSchema() refuses ${JSON.stringify(patch)}`, () => {
      expect(configurationSchema.safeParse({ ...firstDesign, ...patch }).success).toBe(false);
    });
  }

  test('configurationSchema() is what the table of settings in docs/operations.md says, defaults included', async () => {
    const page = await readFile(join(import.meta.dir, '..', '..', 'docs', 'operations.md'), 'utf8');
    const [, section = ''] = page.split('\n## Settings\n');
    const [table = ''] = section.split('\n## ');
    const rows = [...table.matchAll(/^\| `(\w+)` +\| (?:`([^`]*)`)? *\|/gm)];
    const defaults: Record<string, unknown> = configurationSchema.parse(firstDesign);
    const given = (key: string) =>
      Object.hasOwn(firstDesign, key) ? undefined : JSON.stringify(defaults[key]);
    expect(Object.fromEntries(rows.map(([, key = '', shown]) => [key, shown]))).toEqual(
      Object.fromEntries(Object.keys(configurationSchema.shape).map((key) => [key, given(key)])),
    );
  });
});

test('configurationSchema() says of each key what it wants', () => {
  expect(silentKeys(configurationSchema)).toEqual([]);
});
