import { describe, expect, test } from 'bun:test';
import { Hono } from 'hono';
import { errors } from '../../shared/errors.ts';
import { accountSchema, resetLinkSchema } from '../../shared/protocol/accounts.ts';
import { problemSchema } from '../../shared/protocol/http.ts';
import type { Env } from '../kit/http-env.ts';
import { appUnderTest, type Sent } from '../testing/app.ts';
import { addAccounts, loginAs, password, type UnderTest } from '../testing/logins.ts';
import { identify } from './http-identify.ts';
import { makeResetLink } from './resets.ts';
import { createAccessTokens } from './tokens.ts';

const home = 'https://vitrina.example';
const partner = 'https://partner.vitrina.example';
const own = { Origin: home, 'Sec-Fetch-Site': 'same-origin' };
const json = { 'Content-Type': 'application/json' };

/** A browser that is logged in as an administrator. */
const browser = async () => {
  const under = await appUnderTest({ public_url: home, allowed_origins: [partner] });
  await addAccounts(under);
  const { access_token, refresh_token, account } = await loginAs(under, 'account-1');
  const cookie = `__Host-vitrina_access=${access_token}; __Host-vitrina_refresh=${refresh_token}`;
  const reset = await makeResetLink(under.world, account.id, 'account-3');
  return { under, access_token, refresh_token, cookie, reset: 'token' in reset ? reset.token : '' };
};

/** Everything that is stored. */
const dump = ({ world }: UnderTest) =>
  world.db.read(async (tables) => {
    const rows = await Promise.all(Object.values(tables).map((table) => table.find({})));
    return Object.fromEntries(Object.keys(tables).map((name, at) => [name, rows[at]]));
  });

interface Attack {
  method?: string;
  path?: string;
  headers: Record<string, string>;
  body?: string;
}

const foreign = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' };
const everywhere = '/api/v1/logout-everywhere';

const attacks: [name: string, attack: Attack][] = [
  ...[
    'https://evil.example',
    'null',
    '',
    'https://vitrina.example.evil.example',
    'https://evilvitrina.example',
    'https://vitrina.example:8443',
    'http://vitrina.example',
    'https://vitrina.example@evil.example',
    'https://sub.vitrina.example',
    'https://vitrina.example/',
    'https://vitrina.example, https://evil.example',
    'https://evil.example, https://vitrina.example',
    'HTTPS://VITRINA.EXAMPLE',
    'https://vitrina.exаmple',
    'file://',
    'vitrina.example',
    partner,
  ].map((origin): [string, Attack] => [
    `a page of "${origin}"`,
    { headers: { Origin: Buffer.from(origin).toString('latin1') } },
  ]),
  ['a page that is not named', { headers: {} }],
  ['a page that is named as its Referer only', { headers: { Referer: `${home}/` } }],
  ['a page of another site by its metadata', { headers: { Origin: home, 'Sec-Fetch-Site': 'cross-site' } }],
  ['a page of a sibling by its metadata', { headers: { Origin: home, 'Sec-Fetch-Site': 'same-site' } }],
  ['an address that was typed', { headers: { Origin: home, 'Sec-Fetch-Site': 'none' } }],
  [
    'a foreign page that claims to be forwarded',
    {
      headers: { ...foreign, 'X-Forwarded-Host': 'evil.example', Forwarded: 'host=evil.example;proto=https' },
    },
  ],
  ['a foreign page with an invented way to log in', { headers: { ...foreign, Authorization: 'Basic YTpi' } }],
  [
    'a foreign form',
    {
      path: '/api/v1/accounts/account-4/decision',
      headers: { ...foreign, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'decision=approve',
    },
  ],
  [
    'a foreign form that reads as JSON',
    {
      path: '/api/v1/accounts/account-4/decision',
      headers: { ...foreign, 'Content-Type': 'text/plain' },
      body: '{"decision":"approve","reason":"="}',
    },
  ],
  [
    'a form of our own page',
    {
      path: '/api/v1/accounts/account-4/decision',
      headers: { ...own, 'Content-Type': 'text/plain' },
      body: '{"decision":"approve"}',
    },
  ],
  [
    'a foreign change of a role',
    {
      method: 'PATCH',
      path: '/api/v1/accounts/account-3',
      headers: { ...foreign, ...json, 'If-Match': '"1"' },
      body: '{"role":"admin"}',
    },
  ],
  [
    'a change of a role in the clothes of a read',
    {
      method: 'GET',
      path: '/api/v1/accounts/account-3?role=admin',
      headers: { ...foreign, 'X-HTTP-Method-Override': 'PATCH', 'If-Match': '"1"' },
    },
  ],
  ['a foreign reset link', { path: '/api/v1/accounts/account-3/reset-link', headers: foreign }],
  ['a foreign rotation of keys', { path: '/api/v1/keys/rotation', headers: foreign }],
  ['a foreign refresh', { path: '/api/v1/refresh', headers: { ...foreign, ...json }, body: '{}' }],
  ['a refresh by no page', { path: '/api/v1/refresh', headers: json, body: '{}' }],
  ['a foreign logout', { path: '/api/v1/logout', headers: { ...foreign, ...json }, body: '{}' }],
  [
    "a foreign change of the owner's password",
    {
      path: '/api/v1/me/password',
      headers: { ...foreign, ...json },
      body: JSON.stringify({ current_password: password, new_password: 'of the attacker' }),
    },
  ],
  [
    'a foreign session',
    { path: '/api/v1/sessions', headers: { ...foreign, ...json }, body: '{"app":"Loft"}' },
  ],
];

/** Those that bring no cookie, but want one set. */
const loginForgeries: [name: string, headers: Record<string, string>][] = [
  ['a foreign page', foreign],
  ['a partner page', { Origin: partner }],
  ['no page', {}],
  ['a sibling by its metadata', { Origin: home, 'Sec-Fetch-Site': 'same-site' }],
];

describe('identify()', () => {
  for (const [name, { method = 'POST', path = everywhere, headers, body }] of attacks) {
    test(`identify() lets ${name} change nothing`, async () => {
      const { under, cookie } = await browser();
      const before = await dump(under);
      const response = await under.request(`${home}${path}`, {
        method,
        headers: { ...headers, Cookie: cookie },
        ...(body === undefined ? {} : { body }),
      });
      if (method !== 'GET') expect([400, 403]).toContain(response.status);
      expect(response.headers.get('set-cookie')).toBeNull();
      expect(response.headers.get('access-control-allow-credentials')).toBeNull();
      expect(await dump(under)).toEqual(before);
    });
  }

  for (const [name, headers] of loginForgeries) {
    test(`identify() has no part in a login, but ${name} can log nobody in by cookie`, async () => {
      const { under, reset } = await browser();
      const before = await dump(under);
      for (const [path, given] of [
        ['/api/v1/login', { email: 'someone3@example.com', password }],
        ['/api/v1/reset', { token: reset, password: 'of the attacker' }],
      ] as const) {
        const body = { ...given, cookies: true };
        const response = await under.request(`${home}${path}`, { method: 'POST', headers, body });
        expect(problemSchema.parse(await response.json()).code).toBe('origin_refused');
        expect(response.headers.get('set-cookie')).toBeNull();
      }
      expect(await dump(under)).toEqual(before);
    });
  }

  test('identify() makes a link to the public address, whatever the request says of its host', async () => {
    const { under, access_token } = await browser();
    for (const headers of [
      { 'X-Forwarded-Host': 'evil.example' },
      { Forwarded: 'host=evil.example' },
      { 'X-Forwarded-Proto': 'http', 'X-Original-Host': 'evil.example' },
    ] as Record<string, string>[]) {
      const path = `${home}/api/v1/accounts/account-3/reset-link`;
      const response = await under.request(path, { method: 'POST', token: access_token, headers });
      expect(resetLinkSchema.parse(await response.json()).url).toStartWith(`${home}/reset#`);
    }
  });

  test('identify() lets our own pages change things, also those of browsers without metadata', async () => {
    for (const headers of [own, { Origin: home }]) {
      const { under, cookie } = await browser();
      const response = await under.request(`${home}/api/v1/accounts/account-4/decision`, {
        method: 'POST',
        headers: { ...headers, Cookie: cookie },
        body: { decision: 'approve' },
      });
      expect([response.status, accountSchema.parse(await response.json()).state]).toEqual([200, 'approved']);
      const gone = await under.request(`${home}${everywhere}`, {
        method: 'POST',
        headers: { ...headers, Cookie: cookie },
      });
      expect(gone.status).toBe(204);
    }
  });

  /** Who the caller is taken for, on a route of its own. */
  const whoIs = async (headers: Record<string, string>, patch: object = { public_url: home }) => {
    const under = await appUnderTest({ ...patch, allowed_origins: [partner] });
    await addAccounts(under);
    const { access_token } = await loginAs(under, 'account-3');
    const app = new Hono<Env>()
      .use(identify(under.store, createAccessTokens(under.world)))
      .all('/*', (c) => c.text(c.var.caller?.id ?? 'a stranger'));
    const filled = Object.entries(headers).map(([name, value]) => [
      name,
      value.replace('TOKEN', access_token),
    ]);
    return (await app.request(`${home}/any`, { headers: Object.fromEntries(filled) })).text();
  };
  const cookie = '__Host-vitrina_access=TOKEN';
  const socket = { Upgrade: 'websocket' };

  const callers: [name: string, who: string, headers: Record<string, string>, patch?: object][] = [
    ['nobody', 'a stranger', {}],
    ['a bearer of an access token', 'account-3', { Authorization: 'Bearer TOKEN' }],
    ['a bearer in capitals', 'account-3', { Authorization: 'BEARER TOKEN' }],
    ["a bearer of a participant's token", 'a stranger', { Authorization: `Bearer ${'x'.repeat(43)}` }],
    [
      "a bearer of a participant's token who is logged in",
      'a stranger',
      { Authorization: `Bearer ${'x'.repeat(43)}`, Cookie: cookie },
    ],
    ['another scheme', 'a stranger', { Authorization: 'Token TOKEN' }],
    ['a cookie that only reads', 'account-3', { Cookie: cookie }],
    ["a cookie behind a proxy's own login", 'account-3', { Cookie: cookie, Authorization: 'Basic YTpi' }],
    ['a cookie that is no token', 'a stranger', { Cookie: '__Host-vitrina_access=x' }],
    ['a cookie without the prefix', 'a stranger', { Cookie: 'vitrina_access=TOKEN' }],
    [
      'a cookie for development',
      'account-3',
      { Cookie: 'vitrina_access=TOKEN' },
      { public_url: 'http://a.example' },
    ],
    ['a socket of our page', 'account-3', { ...socket, ...own, Cookie: cookie }],
    ['a socket of a partner page', 'a stranger', { ...socket, Origin: partner, Cookie: cookie }],
    ['a socket of no page', 'a stranger', { ...socket, Cookie: cookie }],
    ['a socket of a program', 'account-3', { ...socket, Authorization: 'Bearer TOKEN' }],
  ];
  for (const [name, who, headers, patch] of callers) {
    test(`identify() takes ${name} for ${who}`, async () => {
      expect(await whoIs(headers, patch)).toBe(who);
    });
  }

  test('identify() opens no socket for a foreign page, with or without a cookie', async () => {
    const { under, cookie } = await browser();
    const tries: Record<string, string>[] = [foreign, { Origin: 'null' }, { Origin: `${home}.evil.example` }];
    for (const headers of tries.flatMap((one) => [one, { ...one, Cookie: cookie }])) {
      const response = await under.request(`${home}/ws`, { headers: { ...headers, ...socket } });
      expect([response.status, problemSchema.parse(await response.json()).code]).toEqual([
        errors.origin_refused.http,
        'origin_refused',
      ]);
    }
    expect(under.upgrades).toEqual([]);
  });

  test('identify() lets a browser change nothing as a stranger when its login has only to be refreshed', async () => {
    const { under, access_token, refresh_token } = await browser();
    const refresh = `__Host-vitrina_refresh=${refresh_token}`;
    const access = (token: string) => `__Host-vitrina_access=${token}`;
    const post = (cookie: string, path = '/api/v1/sessions', more: Sent = {}) =>
      under.request(`${home}${path}`, {
        method: 'POST',
        body: { app: 'Castle' },
        ...more,
        headers: { ...own, Cookie: cookie, ...more.headers },
      });
    const codeOf = async (response: Promise<Response>) =>
      problemSchema.parse(await (await response).json()).code;
    const stale = [refresh, access('x'), `${access('x')}; ${refresh}`];
    for (const cookie of stale) {
      expect(await codeOf(post(cookie))).toBe('unauthorized');
      expect(await codeOf(post(cookie, '/api/v1/join', { body: { code: '0000' } }))).toBe('unauthorized');
      // Behind a proxy with a login of its own it is the same.
      const behind = { headers: { Authorization: 'Basic YTpi' } };
      expect(await codeOf(post(cookie, '/api/v1/sessions', behind))).toBe('unauthorized');
      expect((await under.request(`${home}/api/v1/apps`, { headers: { Cookie: cookie } })).status).toBe(200);
      const token = 'x'.repeat(43);
      expect(await codeOf(post(cookie, '/api/v1/sessions', { token }))).toBe('app_unknown');
      const wrong = { email: 'someone3@example.com', password: 'wrong', cookies: true };
      expect(await codeOf(post(cookie, '/api/v1/login', { body: wrong }))).toBe('login_failed');
      for (const path of ['/api/v1/reset', '/api/v1/accounts']) {
        expect(await codeOf(post(cookie, path, { body: {} }))).toBe('malformed');
      }
    }
    expect(await codeOf(post(`${access(access_token)}; ${refresh}`))).toBe('app_unknown');
    expect(await codeOf(post(''))).toBe('app_unknown');

    under.clock.advance(16 * 60_000);
    expect(await codeOf(post(`${access(access_token)}; ${refresh}`))).toBe('unauthorized');
    const refreshed = await post(refresh, '/api/v1/refresh', { body: {} });
    expect(refreshed.status).toBe(200);
    const again = refreshed.headers.getSetCookie().map((one) => one.split(';')[0]);
    expect(await codeOf(post(again.join('; ')))).toBe('app_unknown');
    expect((await post(again[1] ?? '', '/api/v1/logout', { body: {} })).status).toBe(204);
  });
});
