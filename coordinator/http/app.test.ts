import { describe, expect, test } from 'bun:test';
import { errors } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import {
  appsSchema,
  type Participation,
  participationSchema,
  problemSchema,
  sessionSchema,
  ticketSchema,
} from '../../shared/protocol/http.ts';
import { bounds } from '../kit/limits.ts';
import { appUnderTest, type Sent } from '../testing/app.ts';
import { createApp } from './app.ts';

type Under = Awaited<ReturnType<typeof appUnderTest>>;

const refusedBy = async (under: Under, path: string, sent: Sent = {}): Promise<string> => {
  const response = await under.request(path, sent);
  const body = problemSchema.parse(await response.json());
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect([response.status, body.status]).toEqual([errors[body.code].http, errors[body.code].http]);
  return body.code;
};

const create = async (under: Under): Promise<Participation> => {
  const response = await under.request('/api/v1/sessions', { method: 'POST', body: { app: 'Loft' } });
  expect(response.status).toBe(201);
  return participationSchema.parse(await response.json());
};

const started = async () => {
  const under = await appUnderTest();
  under.connect();
  const owner = await create(under);
  under.ready(owner.session.id);
  return { under, owner, path: `/api/v1/sessions/${owner.session.id}`, token: owner.participant_token };
};

describe(`${createApp.name}() catalogue`, () => {
  test('createApp() lists apps with their seats', async () => {
    const under = await appUnderTest({}, { picture: 'loft.svg', title: [{ en: 'The loft' }] });
    const list = async () => appsSchema.parse(await (await under.request('/api/v1/apps')).json()).apps[0];
    const loft = {
      name: 'Loft',
      title: { en: 'The loft' },
      description: { en: 'About Loft' },
      picture: '/api/v1/apps/Loft/picture',
      default_minutes: 60,
      max_minutes: 240,
      who_may_start: 'anyone' as const,
      lobby: false,
    };
    expect(await list()).toEqual({ ...loft, seats: 0, seats_free: 0 });
    under.connect();
    expect(await list()).toEqual({ ...loft, seats: 1, seats_free: 1 });
    await create(under);
    expect(await list()).toEqual({ ...loft, seats: 1, seats_free: 0 });
  });

  test('createApp() serves pictures of the catalogue, which can run nothing', async () => {
    const under = await appUnderTest({}, { picture: 'loft.svg' });
    const response = await under.request('/api/v1/apps/Loft/picture');
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(response.headers.get('cache-control')).toContain('max-age');
    for (const name of ['Villa', '..%2f..%2fservers.json', '..%2fservers.json', '%00', 'loft.svg']) {
      expect(await refusedBy(under, `/api/v1/apps/${name}/picture`)).toBe('not_found');
    }
  });
});

describe(`${createApp.name}() sessions`, () => {
  test('createApp() creates, shows, joins, hands tickets out and ends', async () => {
    const { under, owner, path, token } = await started();
    expect(under.orders[0]).toMatchObject({ verb: 'CREATE_SESSION', session_id: owner.session.id });
    const shown = async (as: string) =>
      sessionSchema.parse(await (await under.request(path, { token: as })).json());
    expect(await shown(token)).toMatchObject({
      phase: 'ready',
      participants: 1,
      code: owner.session.code,
      end: null,
    });

    const joined = await under.request('/api/v1/join', {
      method: 'POST',
      body: { code: owner.session.code },
    });
    const guest = participationSchema.parse(await joined.json());
    expect([joined.status, guest.owner, guest.session.id]).toEqual([200, false, owner.session.id]);
    expect((await shown(guest.participant_token)).participants).toBe(2);

    const issued = await under.request(`${path}/tickets`, { method: 'POST', token });
    const ticket = ticketSchema.parse(await issued.json());
    expect(ticket.signalling_url).toMatch(new RegExp(`^ws://localhost${path}/signalling\\?ticket=[\\w-]+$`));
    expect(ticket.expires).toBe(under.clock.now() + bounds.ticket_ms);

    expect(await refusedBy(under, path, { method: 'DELETE', token: guest.participant_token })).toBe(
      'forbidden',
    );
    expect(
      (await under.request(`${path}/leave`, { method: 'POST', token: guest.participant_token })).status,
    ).toBe(204);
    expect((await shown(token)).participants).toBe(1);
    for (const _ of ['once', 'again'])
      expect((await under.request(path, { method: 'DELETE', token })).status).toBe(204);
    const text = 'You have ended the session for everyone.';
    expect(await shown(token)).toMatchObject({
      phase: 'ended',
      end: { reason: 'owner_ended', code: 3, text },
    });
    expect(await refusedBy(under, `${path}/tickets`, { method: 'POST', token })).toBe('session_ended');
  });

  test('createApp() refuses what cannot be, each with its code', async () => {
    const under = await appUnderTest();
    const post = (path: string, body: unknown) => refusedBy(under, path, { method: 'POST', body });
    expect(await post('/api/v1/sessions', { app: 'Castle' })).toBe('app_unknown');
    expect(await post('/api/v1/sessions', { app: 'Loft' })).toBe('app_offline');
    expect(await post('/api/v1/join', { code: '0000' })).toBe('code_unknown');
    under.connect();
    const { session, participant_token: token } = await create(under);
    expect(await post('/api/v1/sessions', { app: 'Loft' })).toBe('servers_busy');
    const path = `/api/v1/sessions/${session.id}`;
    expect(await refusedBy(under, `${path}/tickets`, { method: 'POST', token })).toBe('session_not_ready');
    for (const method of ['GET', 'DELETE']) {
      expect(await refusedBy(under, path, { method })).toBe('unauthorized');
      expect(await refusedBy(under, path, { method, token: 'wrong' })).toBe('unauthorized');
      expect(await refusedBy(under, '/api/v1/sessions/other', { method, token })).toBe('session_unknown');
    }
    expect(await refusedBy(under, `${path}?after=-1`, { token })).toBe('malformed');
    expect(await refusedBy(under, '/api/v1/castles')).toBe('not_found');
    expect(await refusedBy(under, '/', { method: 'DELETE' })).toBe('not_found');
  });

  test('createApp() reads bodies strictly', async () => {
    const under = await appUnderTest();
    const bodies: unknown[] = [
      '',
      '{',
      'null',
      '[]',
      '{}',
      { app: 7 },
      { app: '' },
      { app: 'Loft', more: 1 },
      { app: 'x'.repeat(101) },
      { app: 'a\u0000b' },
    ];
    for (const body of bodies) {
      expect(await refusedBy(under, '/api/v1/sessions', { method: 'POST', body })).toBe('malformed');
    }
    for (const code of [1234, '123', '12a4', '12345678901', null]) {
      expect(await refusedBy(under, '/api/v1/join', { method: 'POST', body: { code } })).toBe('malformed');
    }
    const form = { method: 'POST', body: '{"app":"Loft"}', headers: { 'Content-Type': 'text/plain' } };
    expect(await refusedBy(under, '/api/v1/sessions', form)).toBe('malformed');
    const large = { method: 'POST', body: { app: 'x'.repeat(limits.body_bytes) } };
    expect(await refusedBy(under, '/api/v1/sessions', large)).toBe('frame_too_large');
  });

  test('createApp() holds a long poll until the session changes, and no longer than it may', async () => {
    const { under, owner, path, token } = await started();
    const { version } = under.world.sessions.get(owner.session.id) ?? { version: 0 };
    const poll = async () => {
      const before = under.clock.pending();
      const answer = under.request(`${path}?after=${version}`, { token });
      while (under.clock.pending() === before) await Promise.resolve();
      return { answer: answer.then(async (response) => sessionSchema.parse(await response.json())), before };
    };
    expect(
      sessionSchema.parse(await (await under.request(`${path}?after=${version - 1}`, { token })).json())
        .version,
    ).toBe(version);
    const timed = await poll();
    under.clock.advance(bounds.long_poll_ms);
    expect((await timed.answer).version).toBe(version);
    const held = await poll();
    await under.request(path, { method: 'DELETE', token });
    expect((await held.answer).phase).toBe('ended');
    expect(under.clock.pending()).toBe(held.before);
  });

  test('createApp() takes a picture of up to 2 MiB, and no other body of that size', async () => {
    const under = await appUnderTest();
    const sent = (method: string, body: string): Sent => ({ method, body, headers: { 'If-Match': '"1"' } });
    const path = '/api/v1/catalogue/apps/Loft';
    const large = 'x'.repeat(limits.body_bytes + 1);
    expect(await refusedBy(under, `${path}/picture`, sent('PUT', large))).toBe('account_required');
    expect(await refusedBy(under, path, sent('PATCH', large))).toBe('frame_too_large');
    const larger = 'x'.repeat(bounds.picture_bytes + 1);
    expect(await refusedBy(under, `${path}/picture`, sent('PUT', larger))).toBe('frame_too_large');
  });

  test('createApp() keeps what operators and administrators do from everybody else', async () => {
    const under = await appUnderTest();
    for (const path of ['catalogue/apps', 'catalogue/hosts', 'records', 'records.csv', 'webhooks', 'audit']) {
      expect(await refusedBy(under, `/api/v1/${path}`)).toBe('account_required');
    }
  });

  test('createApp() answers no fault of its own with more than an incident id', async () => {
    const under = await appUnderTest({}, { picture: 'loft.svg' });
    under.store.pictures.read = () => {
      throw new Error('the secret plan');
    };
    const response = await under.request('/api/v1/apps/Loft/picture');
    const text = await response.text();
    const { code, incident } = problemSchema.parse(JSON.parse(text));
    expect([response.status, code, response.headers.get('x-incident-id')]).toEqual([
      500,
      'internal',
      incident ?? '',
    ]);
    expect(text).not.toContain('plan');
    expect(under.recorded.text()).toContain(`"incident":"${incident}"`);
  });
});

describe(`${createApp.name}() edges`, () => {
  test('createApp() puts the headers of an API on every answer, and none of CORS', async () => {
    const under = await appUnderTest();
    for (const path of ['/api/v1/apps', '/healthz', '/nowhere']) {
      const { headers } = await under.request(path, { headers: { Origin: 'https://evil.example' } });
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  const origins: [origin: string, patch: object, allowed: boolean][] = [
    ['http://localhost', {}, true],
    ['http://localhost:81', {}, false],
    ['http://localhost.evil.example', {}, false],
    ['https://evil.example', {}, false],
    ['null', {}, false],
    ['', {}, false],
    ['https://vitrina.example', { public_url: 'https://vitrina.example' }, true],
    ['http://vitrina.example', { public_url: 'https://vitrina.example' }, false],
    ['https://partner.example', { allowed_origins: ['https://partner.example'] }, true],
    ['https://partner.example.evil.example', { allowed_origins: ['https://partner.example'] }, false],
  ];
  for (const [origin, patch, allowed] of origins) {
    test(`createApp() ${allowed ? 'lets' : 'does not let'} a page of "${origin}" change things under ${JSON.stringify(patch)}`, async () => {
      const under = await appUnderTest(patch);
      const sent = { method: 'POST', body: { code: '0000' }, headers: { Origin: origin } };
      expect(await refusedBy(under, '/api/v1/join', sent)).toBe(allowed ? 'code_unknown' : 'origin_refused');
      const response = await under.request('/ws', { headers: { Upgrade: 'websocket', Origin: origin } });
      expect([response.status, under.upgrades.length]).toEqual(allowed ? [200, 1] : [403, 0]);
    });
  }

  test('createApp() is alive while it stops, but not ready', async () => {
    const under = await appUnderTest();
    expect(await (await under.request('/healthz')).json()).toEqual({ ok: true });
    expect((await under.request('/readyz')).status).toBe(200);
    under.store.health = () => ({ ok: false, note: 'gone' });
    under.state.stopping = true;
    const ready = await under.request('/readyz');
    expect([ready.status, await ready.json()]).toEqual([
      503,
      {
        ok: false,
        parts: {
          store: { ok: false, note: 'gone' },
          database: { ok: true },
          process: { ok: false, note: 'shutting down' },
        },
        hosts_connected: 0,
      },
    ]);
    expect((await under.request('/healthz')).status).toBe(200);
    expect(await refusedBy(under, '/ws', { headers: { Upgrade: 'websocket' } })).toBe('shutting_down');
  });
});
