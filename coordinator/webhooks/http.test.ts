import { describe, expect, test } from 'bun:test';
import {
  shownWebhookSchema,
  webhookEventSchema,
  webhookSchema,
  webhookSecretSchema,
  webhooksSchema,
} from '../../shared/protocol/webhooks.ts';
import { bounds } from '../kit/limits.ts';
import { routesUnderTest } from '../testing/routes.ts';
import { webhookRow } from '../testing/rows.ts';
import { webhookRoutes } from './http.ts';

const hook = { url: 'https://example.com/hook?key=hidden', events: ['session.ended'] };

const withWebhook = async () => {
  const under = routesUnderTest(webhookRoutes);
  const made = webhookSecretSchema.parse(await under.json('POST', '/webhooks', { body: hook }));
  return { ...under, made, path: `/webhooks/${made.id}` };
};

describe('webhookRoutes()', () => {
  test('webhookRoutes() shows the secret when it is made, and never again', async () => {
    const { made, path, json, request } = await withWebhook();
    expect(made).toMatchObject({ ...hook, enabled: true, version: 1, secret: 'whsec_c2VjcmV0LTE=' });
    const { secret: _, ...shown } = made;
    const list = webhooksSchema.parse(await json('GET', '/webhooks'));
    expect(list.webhooks).toEqual([webhookSchema.parse(shown)]);
    const response = await request('GET', path);
    expect(response.headers.get('etag')).toBe('"1"');
    expect(shownWebhookSchema.parse(await response.json())).toEqual({ ...shown, deliveries: [] } as never);
  });

  test('webhookRoutes() changes what it is given, at the version that was read', async () => {
    const { path, json, request, refused } = await withWebhook();
    const change = { url: 'http://203.0.113.7.example:8080/', enabled: false };
    const response = await request('PATCH', path, { body: change, version: 1 });
    expect(response.headers.get('etag')).toBe('"2"');
    expect(await response.json()).toMatchObject({ ...change, events: hook.events, version: 2 });
    expect(await refused('PATCH', path, { body: change })).toBe('version_required');
    expect(await refused('PATCH', path, { body: change, version: 1 })).toBe('version_conflict');
    const events = ['booking.lost', 'session.ready'];
    expect(await json('PATCH', path, { body: { events }, version: 2 })).toMatchObject({ events, version: 3 });
  });

  test('webhookRoutes() refuses a target that is not public, when it is made and when it is changed', async () => {
    const { path, refused } = await withWebhook();
    for (const url of [
      'http://127.0.0.1/',
      'http://0x7f.1/',
      'http://10.0.0.7/',
      'http://[::ffff:10.0.0.7]/',
    ]) {
      expect(await refused('POST', '/webhooks', { body: { ...hook, url } })).toBe('malformed');
      expect(await refused('PATCH', path, { body: { url }, version: 1 })).toBe('malformed');
    }
  });

  test('webhookRoutes() queues a test event, and gives a new secret', async () => {
    const { path, json, refused, db } = await withWebhook();
    await json('POST', `${path}/test`);
    const { deliveries } = shownWebhookSchema.parse(await json('GET', path));
    expect(deliveries).toMatchObject([{ event: 'test', state: 'waiting', attempts: 0, delivered_at: null }]);
    const [row] = await db.read(({ outbox }) => outbox.find({}));
    expect(webhookEventSchema.parse(JSON.parse(row?.body ?? ''))).toMatchObject({ event: 'test', data: {} });
    const renewed = webhookSecretSchema.parse(await json('POST', `${path}/secret`));
    expect([renewed.secret, renewed.version]).toEqual(['whsec_c2VjcmV0LTI=', 2]);
    await json('PATCH', path, { body: { enabled: false }, version: 2 });
    expect(await refused('POST', `${path}/test`)).toBe('forbidden');
  });

  test('webhookRoutes() removes a webhook with what waits for it', async () => {
    const { path, json, refused, db } = await withWebhook();
    await json('POST', `${path}/test`);
    expect(await refused('DELETE', path)).toBe('version_required');
    expect(await refused('DELETE', path, { version: 7 })).toBe('version_conflict');
    expect(await json('DELETE', path, { version: 1 })).toBeUndefined();
    expect(await db.read(({ outbox }) => outbox.count({}))).toBe(0);
    for (const [method, end] of [
      ['GET', ''],
      ['POST', '/test'],
      ['POST', '/secret'],
    ] as const) {
      expect(await refused(method, path + end)).toBe('webhook_unknown');
    }
    expect(await refused('PATCH', path, { body: { enabled: true }, version: 1 })).toBe('webhook_unknown');
    expect(await refused('DELETE', path, { version: 1 })).toBe('webhook_unknown');
  });

  test('webhookRoutes() notes who did what, and no secret', async () => {
    const { made, path, json, audited } = await withWebhook();
    await json('POST', `${path}/test`);
    await json('POST', `${path}/secret`);
    await json('PATCH', path, { body: { enabled: false }, version: 2 });
    await json('DELETE', path, { version: 3 });
    const noted = await audited();
    expect(noted.map(([actor, action, subject]) => [actor, action, subject])).toEqual(
      ['created', 'tested', 'secret', 'changed', 'deleted'].map((what) => [
        'account-1',
        `webhook.${what}`,
        made.id,
      ]),
    );
    expect(JSON.stringify(noted)).not.toMatch(/hidden|secret-|whsec_/);
  });

  test('webhookRoutes() is for administrators', async () => {
    const { who, path, refused } = await withWebhook();
    for (const [role, code] of [
      ['operator', 'forbidden'],
      ['user', 'forbidden'],
      [undefined, 'account_required'],
    ] as const) {
      who.role = role;
      expect(await refused('GET', '/webhooks')).toBe(code);
      expect(await refused('POST', '/webhooks', { body: hook })).toBe(code);
      expect(await refused('GET', path)).toBe(code);
      expect(await refused('PATCH', path, { body: { enabled: false }, version: 1 })).toBe(code);
      expect(await refused('DELETE', path, { version: 1 })).toBe(code);
      expect(await refused('POST', `${path}/test`)).toBe(code);
      expect(await refused('POST', `${path}/secret`)).toBe(code);
    }
  });

  const bad: object[] = [
    {},
    { ...hook, more: 1 },
    { ...hook, events: [] },
    { ...hook, events: ['session.ended', 'session.ended'] },
    { ...hook, events: ['test'] },
    ...['', 'example.com', 'ftp://example.com', 'file:///etc/passwd', 'https://me:word@example.com'].map(
      (url) => ({ ...hook, url }),
    ),
    { ...hook, url: `https://example.com/${'x'.repeat(2_000)}` },
    { ...hook, url: `https://example.com/${'я'.repeat(500)}` },
  ];
  for (const body of bad) {
    test(`webhookRoutes() refuses ${JSON.stringify(body).slice(0, 90)}`, async () => {
      const { refused } = routesUnderTest(webhookRoutes);
      expect(await refused('POST', '/webhooks', { body })).toBe('malformed');
    });
  }

  test('webhookRoutes() refuses an empty change, a wrong If-Match and one webhook too many', async () => {
    const { path, refused, request, db } = await withWebhook();
    expect(await refused('PATCH', path, { body: {}, version: 1 })).toBe('malformed');
    await db.transact(({ webhooks }) =>
      webhooks.insert(...Array.from({ length: bounds.webhooks - 1 }, (_, at) => webhookRow(at))),
    );
    expect(await refused('POST', '/webhooks', { body: hook })).toBe('too_many');
    expect((await request('GET', '/webhooks')).status).toBe(200);
  });
});
