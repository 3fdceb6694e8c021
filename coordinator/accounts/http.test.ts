import { describe, expect, test } from 'bun:test';
import { errors } from '../../shared/errors.ts';
import {
  accountSchema,
  accountsSchema,
  keyRotationSchema,
  loggedInSchema,
  registeredSchema,
  resetLinkSchema,
} from '../../shared/protocol/accounts.ts';
import { problemSchema } from '../../shared/protocol/http.ts';
import { appUnderTest, type Sent } from '../testing/app.ts';
import { addAccounts, loginAs, password, type UnderTest } from '../testing/logins.ts';
import { accountRoutes } from './http.ts';
import { loginRoutes } from './http-logins.ts';

const api = '/api/v1';
const home = 'http://localhost';
const page = { Origin: home, 'Sec-Fetch-Site': 'same-origin' };

const started = async (patch: object = {}) => {
  const under = await appUnderTest(patch);
  await addAccounts(under);
  const admin = (await loginAs(under, 'account-1')).access_token;
  return { under, admin };
};

const post = (under: UnderTest, path: string, body: unknown, more: Sent = {}) =>
  under.request(`${api}${path}`, { method: 'POST', body, ...more });

const refusedBy = async (response: Response): Promise<string> => {
  const { code, status } = problemSchema.parse(await response.json());
  expect([response.status, status]).toEqual([errors[code].http, errors[code].http]);
  return code;
};

/** What a browser would keep and send. */
const jar = (response: Response): Map<string, { value: string; attributes: string }> =>
  new Map(
    response.headers.getSetCookie().map((cookie) => {
      const [, name = '', value = '', attributes = ''] = /^([^=]+)=([^;]*)(.*)$/.exec(cookie) ?? [];
      return [name, { value, attributes }];
    }),
  );

const cookieOf = (kept: ReturnType<typeof jar>): string =>
  [...kept].map(([name, { value }]) => `${name}=${value}`).join('; ');

describe(`${accountRoutes.name}()`, () => {
  test('accountRoutes() leads from registration over approval to a login', async () => {
    const { under, admin } = await started();
    const wanted = { email: 'New@Example.com', name: 'New', password };
    const registered = await post(under, '/accounts', wanted);
    expect([registered.status, registeredSchema.parse(await registered.json())]).toEqual([
      202,
      { pending_review: 'if eligible' },
    ]);
    expect(await refusedBy(await post(under, '/login', { email: wanted.email, password }))).toBe(
      'login_failed',
    );
    const listed = await under.request(`${api}/accounts?state=pending&limit=1`, { token: admin });
    const first = accountsSchema.parse(await listed.json());
    const more = await under.request(`${api}/accounts?state=pending&after=${first.next}`, { token: admin });
    const second = accountsSchema.parse(await more.json());
    const pending = [...first.accounts, ...second.accounts].map(({ email }) => email);
    expect([pending.toSorted(), second.next]).toEqual([['new@example.com', 'someone4@example.com'], null]);
    const { id = '' } = [...first.accounts, ...second.accounts].find(({ name }) => name === 'New') ?? {};
    const decide = (body: object) => post(under, `/accounts/${id}/decision`, body, { token: admin });
    expect(await refusedBy(await decide({ decision: 'reject' }))).toBe('malformed');
    const decided = accountSchema.parse(await (await decide({ decision: 'approve' })).json());
    expect(decided).toMatchObject({ state: 'approved', decided_by: 'account-1' });
    expect(await refusedBy(await decide({ decision: 'approve' }))).toBe('account_decided');
    const entered = await post(under, '/login', { email: ' NEW@example.com ', password });
    const { access_token: token = '', account } = loggedInSchema.parse(await entered.json());
    expect(account.email).toBe('new@example.com');
    expect(accountSchema.parse(await (await under.request(`${api}/me`, { token })).json())).toEqual(account);
  });

  test('accountRoutes() answers a registration alike for an address that has an account', async () => {
    const { under } = await started();
    const answers = [];
    for (const email of [
      'free@example.com',
      'someone3@example.com',
      'someone4@example.com',
      'free@example.com',
    ]) {
      const response = await post(under, '/accounts', { email, name: 'Free', password });
      answers.push(JSON.stringify([response.status, [...response.headers], await response.text()]));
    }
    expect(new Set(answers).size).toBe(1);
    for (const [body, code] of [
      [{ email: 'x@example.com', name: 'X', password: 'short' }, 'password_weak'],
      [{ email: 'no address', name: 'X', password }, 'malformed'],
      [{ email: 'x@example.com', name: ' ', password }, 'malformed'],
      [{ email: 'x@example.com', name: 'X', password: 'x'.repeat(257) }, 'malformed'],
      [{ email: 'x@example.com', name: 'X', password, role: 'admin' }, 'malformed'],
      ['{', 'malformed'],
    ] as const) {
      expect(await refusedBy(await post(under, '/accounts', body))).toBe(code);
    }
  });

  test('accountRoutes() changes an account with If-Match only, as it was read', async () => {
    const { under, admin: token } = await started();
    const path = `${api}/accounts/account-3`;
    const read = await under.request(path, { token });
    expect(read.headers.get('etag')).toBe('"1"');
    const change = (body: object, etag?: string) =>
      under.request(path, {
        method: 'PATCH',
        token,
        body,
        headers: etag === undefined ? {} : { 'If-Match': etag },
      });
    expect(await refusedBy(await change({ role: 'operator' }))).toBe('version_required');
    expect(await refusedBy(await change({ role: 'operator' }, '"2"'))).toBe('version_conflict');
    for (const wrong of ['1', '*', '"x"']) {
      expect(await refusedBy(await change({ role: 'operator' }, wrong))).toBe('malformed');
    }
    const changed = await change({ role: 'operator', quota_sessions: 5 }, '"1"');
    expect(changed.headers.get('etag')).toBe('"2"');
    expect(accountSchema.parse(await changed.json())).toMatchObject({ role: 'operator', quota_sessions: 5 });
    expect(await refusedBy(await change({ state: 'pending' }, '"2"'))).toBe('malformed');
    expect(await refusedBy(await change({ quota_minutes: -1 }, '"2"'))).toBe('malformed');
    const demoted = await under.request(`${api}/accounts/account-1`, {
      method: 'PATCH',
      token,
      body: { role: 'user' },
      headers: { 'If-Match': '"1"' },
    });
    expect(await refusedBy(demoted)).toBe('last_admin');
    expect(await refusedBy(await under.request(`${api}/accounts/nobody`, { token }))).toBe('account_unknown');
  });

  test('accountRoutes() is for administrators, registration aside', async () => {
    const { under } = await started();
    const routes: [method: string, path: string, body?: object][] = [
      ['GET', '/accounts'],
      ['GET', '/accounts/account-3'],
      ['PATCH', '/accounts/account-3', { role: 'admin' }],
      ['POST', '/accounts/account-4/decision', { decision: 'approve' }],
      ['POST', '/accounts/account-3/reset-link'],
      ['POST', '/keys/rotation'],
    ];
    const tokens = [undefined, 'account-2', 'account-3'] as const;
    for (const [method, path, body] of routes) {
      for (const id of tokens) {
        const token = id && (await loginAs(under, id)).access_token;
        const response = await under.request(`${api}${path}`, {
          method,
          headers: { 'If-Match': '"1"' },
          ...(token === undefined ? {} : { token }),
          ...(body === undefined ? {} : { body }),
        });
        expect(await refusedBy(response)).toBe(id === undefined ? 'account_required' : 'forbidden');
      }
    }
  });

  test('accountRoutes() makes a reset link that works once, and rotates keys without logging anybody out', async () => {
    const { under, admin: token } = await started();
    const made = await under.request(`${api}/accounts/account-3/reset-link`, { method: 'POST', token });
    const link = resetLinkSchema.parse(await made.json());
    expect([made.status, link.url]).toEqual([201, `${home}/reset#${link.token}`]);
    const reset = (body: object) => post(under, '/reset', { token: link.token, ...body });
    expect(await refusedBy(await reset({ password: 'short' }))).toBe('password_weak');
    const used = await reset({ password: 'another horse' });
    expect(loggedInSchema.parse(await used.json()).account.id).toBe('account-3');
    expect(await refusedBy(await reset({ password: 'third horse 3' }))).toBe('reset_link_wrong');
    const rotated = await under.request(`${api}/keys/rotation`, { method: 'POST', token });
    expect([rotated.status, keyRotationSchema.parse(await rotated.json()).created_at]).toEqual([
      201,
      under.clock.now(),
    ]);
    under.clock.advance(600_000);
    expect((await under.request(`${api}/me`, { token })).status).toBe(200);
  });

  test('accountRoutes() shows no secret, neither in an answer nor in the log', async () => {
    const { under, admin: token } = await started();
    const link = await under.request(`${api}/accounts/account-3/reset-link`, { method: 'POST', token });
    const secrets = [token, resetLinkSchema.parse(await link.json()).token, password, '$argon2id$'];
    const login = await post(under, '/login', { email: 'someone3@example.com', password });
    const { refresh_token = '' } = loggedInSchema.parse(await login.json());
    await post(under, '/refresh', { refresh_token });
    under.clock.advance(10_000);
    expect(await refusedBy(await post(under, '/refresh', { refresh_token }))).toBe('unauthorized');
    await post(under, '/login', { email: 'someone3@example.com', password: `${password} wrong` });
    const shown = [
      under.recorded.text(),
      await (await under.request(`${api}/accounts`, { token })).text(),
      JSON.stringify(await under.world.db.read(({ audit }) => audit.find({}))),
    ].join('\n');
    expect(shown).toContain('used twice');
    for (const secret of [...secrets, refresh_token]) expect(shown).not.toContain(secret);
  });
});

describe(`${loginRoutes.name}()`, () => {
  test('loginRoutes() answers alike, in status, headers and body, whatever is wrong with a login', async () => {
    const { under } = await started();
    const answers = [];
    for (const [email, given] of [
      ['someone3@example.com', 'wrong'],
      ['nobody@example.com', password],
      ['someone4@example.com', password],
      ['someone5@example.com', password],
      ['someone4@example.com', 'wrong'],
      ['no address', password],
    ]) {
      const response = await post(under, '/login', { email, password: given });
      answers.push(JSON.stringify([response.status, [...response.headers], await response.text()]));
    }
    expect([new Set(answers).size, answers[0]]).toEqual([1, expect.stringContaining('login_failed')]);
    const throttled = [];
    for (const email of ['someone3@example.com', 'someone4@example.com', 'nobody@example.com']) {
      under.clock.advance(3_600_000);
      for (let at = 0; at < 10; at++) await post(under, '/login', { email, password: 'wrong' });
      const response = await post(under, '/login', { email, password });
      throttled.push(JSON.stringify([response.status, [...response.headers], await response.text()]));
    }
    expect([new Set(throttled).size, throttled[0]]).toEqual([1, expect.stringContaining('login_throttled')]);
  });

  for (const [url, prefix, secure] of [
    ['https://vitrina.example', '__Host-', '; Secure'],
    [home, '', ''],
  ] as const) {
    test(`loginRoutes() keeps a page of ${url} logged in by cookies that no script can read`, async () => {
      const { under } = await started(url === home ? {} : { public_url: url });
      const own = { Origin: url, 'Sec-Fetch-Site': 'same-origin' };
      const send = (path: string, body: object, cookie = '') =>
        under.request(`${url}${api}${path}`, { method: 'POST', body, headers: { ...own, Cookie: cookie } });
      const entered = await send('/login', { email: 'someone3@example.com', password, cookies: true });
      const { access_token, refresh_token, expires } = loggedInSchema.parse(await entered.json());
      expect([access_token, refresh_token, expires]).toEqual([
        undefined,
        undefined,
        under.clock.now() + 900_000,
      ]);
      const kept = jar(entered);
      expect([...kept.keys()]).toEqual(
        ['access', 'refresh', 'device'].map((which) => `${prefix}vitrina_${which}`),
      );
      for (const { attributes } of kept.values()) {
        expect(attributes).toMatch(/^; Max-Age=\d+; Path=\/; HttpOnly/);
        expect([attributes.includes('; Secure'), attributes.includes('Domain')]).toEqual([
          secure !== '',
          false,
        ]);
        expect(attributes).toContain('; SameSite=Strict');
      }
      const me = (cookie: string) => under.request(`${url}${api}/me`, { headers: { Cookie: cookie } });
      expect((await me(cookieOf(kept))).status).toBe(200);
      const refreshed = await send('/refresh', {}, cookieOf(kept));
      const next = jar(refreshed);
      expect(loggedInSchema.parse(await refreshed.json()).refresh_token).toBeUndefined();
      expect([(await me(cookieOf(next))).status, cookieOf(next) === cookieOf(kept)]).toEqual([200, false]);
      const gone = await send('/logout', {}, cookieOf(next));
      expect([gone.status, cookieOf(jar(gone))]).toEqual([
        204,
        `${prefix}vitrina_access=; ${prefix}vitrina_refresh=`,
      ]);
      const late = await send('/refresh', {}, cookieOf(next));
      expect([await refusedBy(late), cookieOf(jar(late))]).toEqual(['unauthorized', cookieOf(jar(gone))]);
    });
  }

  test('loginRoutes() gives every login tokens of its own, whatever the browser had before', async () => {
    const { under } = await started();
    const planted = 'vitrina_access=planted; vitrina_refresh=planted';
    const enter = async (cookie: string) =>
      jar(
        await post(
          under,
          '/login',
          { email: 'someone3@example.com', password, cookies: true },
          { headers: { ...page, Cookie: cookie } },
        ),
      );
    const first = await enter(planted);
    const second = await enter(cookieOf(first));
    const values = [...first.values(), ...second.values()].map(({ value }) => value);
    expect([new Set(values).size, values.includes('planted')]).toEqual([5, false]);
  });

  test('loginRoutes() tells a stranger when to try again, and lets a known browser or program in at once', async () => {
    const { under } = await started({ starts_per_minute: 12 });
    const email = 'someone3@example.com';
    const enter = (body: object, headers: Record<string, string> = page) =>
      post(under, '/login', { email, password, ...body }, { headers });
    const cookie = cookieOf(jar(await enter({ cookies: true })));
    const { device_token } = loggedInSchema.parse(await (await enter({})).json());
    // The login itself is over: what is left says only that somebody has logged in here before.
    const device = /vitrina_device=[^;]+/.exec(cookie)?.[0] ?? '';
    for (let at = 0; at < 10; at++) await enter({ password: 'wrong' });
    const told = async (response: Response) => {
      const { code, retry_after } = problemSchema.parse(await response.json());
      expect([response.status, response.headers.get('retry-after')]).toEqual([429, String(retry_after)]);
      return [code, retry_after];
    };
    expect(await told(await enter({}))).toEqual(['too_many_messages', 5]);
    expect((await enter({ cookies: true }, { ...page, Cookie: device })).status).toBe(200);
    expect((await enter({ device_token })).status).toBe(200);
    under.clock.advance(20_000);
    expect(await told(await enter({}))).toEqual(['login_throttled', 60]);
    expect(await told(await enter({ device_token: `${device_token}x` }))).toEqual(['login_throttled', 60]);
    expect((await enter({ device_token })).status).toBe(200);
    under.clock.advance(60_000);
    expect((await enter({})).status).toBe(200);
  });

  test('accountRoutes() tells who registers too often when to try again', async () => {
    const { under } = await started({ starts_per_minute: 100 });
    const register = (at: number) =>
      post(under, '/accounts', { email: `new${at}@example.com`, name: 'New', password });
    for (let at = 0; at < 10; at++) expect((await register(at)).status).toBe(202);
    const response = await register(10);
    const { retry_after = 0 } = problemSchema.parse(await response.json());
    expect(response.headers.get('retry-after')).toBe(String(retry_after));
    under.clock.advance(retry_after * 1_000 - 1_000);
    expect((await register(11)).status).toBe(429);
    under.clock.advance(1_000);
    expect((await register(12)).status).toBe(202);
  });

  test('loginRoutes() logs out everywhere and changes the password, and old tokens are void at once', async () => {
    const { under } = await started();
    const [a, b] = [await loginAs(under, 'account-3'), await loginAs(under, 'account-3')];
    const change = { current_password: password, new_password: 'another horse' };
    const wrong = await post(
      under,
      '/me/password',
      { ...change, current_password: 'wrong' },
      { token: a.access_token },
    );
    expect(await refusedBy(wrong)).toBe('login_failed');
    const changed = await post(under, '/me/password', change, { token: a.access_token });
    const { access_token: token = '', refresh_token = '' } = loggedInSchema.parse(await changed.json());
    for (const old of [a, b]) {
      expect(await refusedBy(await under.request(`${api}/me`, { token: old.access_token }))).toBe(
        'unauthorized',
      );
      expect(await refusedBy(await post(under, '/refresh', { refresh_token: old.refresh_token }))).toBe(
        'unauthorized',
      );
    }
    expect((await under.request(`${api}/me`, { token })).status).toBe(200);
    expect((await under.request(`${api}/logout-everywhere`, { method: 'POST', token })).status).toBe(204);
    expect(await refusedBy(await under.request(`${api}/me`, { token }))).toBe('unauthorized');
    expect(await refusedBy(await post(under, '/refresh', { refresh_token }))).toBe('unauthorized');
    expect((await post(under, '/logout', { refresh_token })).status).toBe(204);
    for (const path of ['/logout-everywhere', '/me/password']) {
      expect(await refusedBy(await post(under, path, change))).toBe('account_required');
    }
  });
});
