import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { EncryptJWT } from 'jose';
import { systemIds } from '../../shared/ids.ts';
import { problemSchema } from '../../shared/protocol/http.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { appUnderTest } from '../testing/app.ts';
import { memoryBus } from '../testing/bus.ts';
import { memoryDatabase } from '../testing/database.ts';
import { recordedLog } from '../testing/log.ts';
import { account } from '../testing/rows.ts';
import { memoryStore } from '../testing/store.ts';
import { createAccessTokens } from './tokens.ts';

setDefaultTimeout(60_000);

const anna = account(1);
const out = account(2, { state: 'rejected' });
const waiting = account(3, { state: 'pending' });
const revoked = account(4, { epoch: 3 });
const life_seconds = 900;

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();

/** An app with accounts and a key, and what is needed to forge its tokens, the key included. */
const forge = async () => {
  const under = await appUnderTest();
  const { db } = under.world;
  await db.transact(({ accounts }) => accounts.insert(anna, out, waiting, revoked));
  const good = (await createAccessTokens(under.world).issue(anna)).access_token;
  const [key] = await db.read(({ signing_keys }) => signing_keys.find({}));
  if (key === undefined) throw new Error('no key');
  const now = Math.floor(under.clock.now() / 1_000);
  const header = { alg: 'HS256', typ: 'at+jwt', kid: key.id };
  const claims = {
    epoch: 0,
    iss: 'vitrina',
    aud: 'vitrina-api',
    sub: anna.id,
    jti: 'jti',
    iat: now,
    exp: now + life_seconds,
  };
  const encode = (part: unknown): string =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
  const unsigned = (head: unknown, body: unknown): string => `${encode(head)}.${encode(body)}`;
  const hmac = (text: string, secret: string = key.secret, hash = 'sha256'): string =>
    `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
  /** Signed with our very key; a change of `undefined` leaves the field out. */
  const token = (changes: object = {}, heads: object = {}): string =>
    hmac(unsigned({ ...header, ...heads }, { ...claims, ...changes }));
  return { under, db, key, now, header, claims, good, encode, unsigned, hmac, token };
};

type Forge = Awaited<ReturnType<typeof forge>>;
type Case = [name: string, make: (forge: Forge) => string | Promise<string>];

const [encodedHead, encodedBody] = [0, 1].map((at) => (text: string) => text.split('.')[at] ?? '') as [
  (text: string) => string,
  (text: string) => string,
];
const signatureOf = (text: string): string => text.split('.')[2] ?? '';

const structure: Case[] = [
  ['a dot', () => '.'],
  ['two dots', () => '..'],
  ['three letters', () => 'a.b.c'],
  ['no signature', ({ good }) => `${encodedHead(good)}.${encodedBody(good)}`],
  ['an empty signature', ({ good }) => `${encodedHead(good)}.${encodedBody(good)}.`],
  ['an empty payload', ({ hmac, header, encode }) => hmac(`${encode(header)}.`)],
  ['a part too many', ({ good }) => `${good}.x`],
  ['a dot too many', ({ good }) => `${good}.`],
  ['a space before it', ({ good }) => ` \u00a0${good}`],
  ['two tokens', ({ good }) => `${good}, ${good}`],
  ['padding', ({ good }) => `${good}=`],
  ['spare bits of the signature set', ({ good }) => good.slice(0, -1) + nextLetter(good.at(-1) ?? '')],
  ['a cut signature', ({ good }) => good.slice(0, -4)],
  ['a longer signature', ({ good }) => `${good}AAAA`],
  [
    'the signature of another token',
    ({ good, token }) => good.slice(0, good.lastIndexOf('.') + 1) + signatureOf(token()),
  ],
  [
    'another payload under a good signature',
    ({ good, encode, claims }) =>
      `${encodedHead(good)}.${encode({ ...claims, sub: 'account-2' })}.${signatureOf(good)}`,
  ],
  ['a payload that is an array', ({ hmac, unsigned, header }) => hmac(unsigned(header, []))],
  ['a payload that is null', ({ hmac, unsigned, header }) => hmac(unsigned(header, null))],
  ['a payload that is no JSON', ({ hmac, unsigned, header }) => hmac(unsigned(header, 'sub=account-1'))],
  [
    'a payload that is no UTF-8',
    ({ hmac, encode, header }) =>
      hmac(`${encode(header)}.${Buffer.from('{"sub":"\xff"}', 'latin1').toString('base64url')}`),
  ],
  ['a header that is null', ({ hmac, unsigned, claims }) => hmac(unsigned(null, claims))],
  [
    'spaces in its JSON',
    ({ hmac, unsigned, header, claims }) => hmac(unsigned(header, JSON.stringify(claims, null, 1))),
  ],
  ['100 KB of claims', ({ token }) => token({ more: 'x'.repeat(100_000) })],
  ['100 KB of header', ({ token }) => token({}, { more: 'x'.repeat(100_000) })],
  ['100 KB of dots', () => '.'.repeat(100_000)],
  ['100 KB of signature', ({ good }) => good + 'A'.repeat(100_000)],
  ['10,000 nested arrays', ({ hmac, unsigned, header }) => hmac(unsigned(header, '['.repeat(10_000)))],
];

const algorithms: Case[] = [
  ...['none', 'None', 'NONE', 'nOnE', ''].map(
    (alg): Case => [
      `the algorithm "${alg}" without a signature`,
      ({ unsigned, header, claims }) => `${unsigned({ ...header, alg }, claims)}.`,
    ],
  ),
  ['the algorithm none with a good signature', ({ token }) => token({}, { alg: 'none' })],
  ['no algorithm', ({ token }) => token({}, { alg: undefined })],
  ['a list of algorithms', ({ token }) => token({}, { alg: ['HS256'] })],
  ['the algorithm hs256', ({ token }) => token({}, { alg: 'hs256' })],
  [
    'HS384',
    ({ hmac, unsigned, header, claims, key }) =>
      hmac(unsigned({ ...header, alg: 'HS384' }, claims), key.secret, 'sha384'),
  ],
  [
    'HS512',
    ({ hmac, unsigned, header, claims, key }) =>
      hmac(unsigned({ ...header, alg: 'HS512' }, claims), key.secret, 'sha512'),
  ],
  [
    'RS256',
    ({ unsigned, header, claims }) => {
      const text = unsigned({ ...header, alg: 'RS256' }, claims);
      return `${text}.${sign('sha256', Buffer.from(text), rsa.privateKey).toString('base64url')}`;
    },
  ],
  ['RS256 in the header of a HMAC', ({ token }) => token({}, { alg: 'RS256' })],
  ['a public key as the secret', ({ hmac, unsigned, header, claims }) => hmac(unsigned(header, claims), pem)],
  [
    'ES256',
    ({ unsigned, header, claims }) => {
      const text = unsigned({ ...header, alg: 'ES256' }, claims);
      const signature = sign('sha256', Buffer.from(text), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' });
      return `${text}.${signature.toString('base64url')}`;
    },
  ],
  [
    'EdDSA',
    ({ unsigned, header, claims }) => {
      const text = unsigned({ ...header, alg: 'EdDSA' }, claims);
      return `${text}.${sign(null, Buffer.from(text), ed.privateKey).toString('base64url')}`;
    },
  ],
  [
    'a JWE under our key',
    ({ key, claims, header }) =>
      new EncryptJWT(claims)
        .setProtectedHeader({ ...header, alg: 'dir', enc: 'A256GCM' })
        .encrypt(Buffer.from(key.secret.padEnd(32, 'x')).subarray(0, 32)),
  ],
];

const keys: Case[] = [
  ['another secret', ({ hmac, unsigned, header, claims }) => hmac(unsigned(header, claims), 'another')],
  ['an empty secret', ({ hmac, unsigned, header, claims }) => hmac(unsigned(header, claims), '')],
  ['an unknown key', ({ token }) => token({}, { kid: 'other' })],
  ['no key', ({ token }) => token({}, { kid: undefined })],
  ['a key that is a number', ({ token }) => token({}, { kid: 1 })],
  ['a key called __proto__', ({ token }) => token({}, { kid: '__proto__' })],
  [
    'a key that is a path, and its content',
    ({ hmac, unsigned, header, claims }) => hmac(unsigned({ ...header, kid: '../../dev/null' }, claims), ''),
  ],
  [
    'a key that is SQL',
    ({ hmac, unsigned, header, claims }) =>
      hmac(unsigned({ ...header, kid: "x' UNION SELECT 'a" }, claims), 'a'),
  ],
  [
    'a key whose time is over',
    async ({ db, hmac, unsigned, header, claims, under }) => {
      const row = { id: 'old', purpose: 'access', secret: 'old', created_at: 0 } as const;
      await db.transact(({ signing_keys }) => signing_keys.insert({ ...row, expires_at: under.clock.now() }));
      return hmac(unsigned({ ...header, kid: 'old' }, claims), 'old');
    },
  ],
  ['a key of its own', ({ token }) => token({}, { jwk: rsa.publicKey.export({ format: 'jwk' }) })],
  ['an address of keys', ({ token }) => token({}, { jku: 'https://evil.example/keys' })],
  ['an address of a certificate', ({ token }) => token({}, { x5u: 'https://evil.example/x' })],
  ['an unencoded payload', ({ token }) => token({}, { b64: false, crit: ['b64'] })],
  ['a header field that must be understood', ({ token }) => token({}, { crit: ['x'], x: 1 })],
  ['no type', ({ token }) => token({}, { typ: undefined })],
  ['the type JWT', ({ token }) => token({}, { typ: 'JWT' })],
  ['the type of a refresh token', ({ token }) => token({}, { typ: 'refresh+jwt' })],
  ['a type in capitals', ({ token }) => token({}, { typ: 'AT+JWT' })],
  [
    'two algorithms',
    ({ hmac, unsigned, header, claims }) =>
      hmac(unsigned(JSON.stringify(header).replace('{', '{"alg":"none",'), claims)),
  ],
];

const twice =
  (name: string, value: unknown): Case[1] =>
  ({ hmac, unsigned, header, claims }) =>
    hmac(unsigned(header, JSON.stringify(claims).replace('{', `{"${name}":${JSON.stringify(value)},`)));

const claimed: Case[] = [
  ['another issuer', ({ token }) => token({ iss: 'vitrina2' })],
  ['no issuer', ({ token }) => token({ iss: undefined })],
  ['two issuers', ({ token }) => token({ iss: ['vitrina', 'other'] })],
  ['another audience', ({ token }) => token({ aud: 'vitrina' })],
  ['the audience of a reset link', ({ token }) => token({ aud: 'vitrina-reset' })],
  ['no audience', ({ token }) => token({ aud: undefined })],
  ['two audiences', ({ token }) => token({ aud: ['vitrina-api', 'other'] })],
  ['no subject', ({ token }) => token({ sub: undefined })],
  ['an unknown subject', ({ token }) => token({ sub: 'nobody' })],
  ['a subject that is a number', ({ token }) => token({ sub: 1 })],
  ['a subject that is an object', ({ token }) => token({ sub: { id: anna.id } })],
  ['a rejected account', ({ token }) => token({ sub: out.id })],
  ['a pending account', ({ token }) => token({ sub: waiting.id })],
  ['an earlier epoch', ({ token }) => token({ sub: revoked.id, epoch: 2 })],
  ['a later epoch', ({ token }) => token({ epoch: 1 })],
  ['an epoch that is a string', ({ token }) => token({ epoch: '0' })],
  ['no epoch', ({ token }) => token({ epoch: undefined })],
  ['an end that is a string', ({ token, claims }) => token({ exp: String(claims.exp) })],
  ['an end that is null', ({ token }) => token({ exp: null })],
  ['no end', ({ token }) => token({ exp: undefined })],
  ['an end that has passed', ({ token, now }) => token({ iat: now - life_seconds - 5, exp: now - 5 })],
  ['an end in a year', ({ token, now }) => token({ exp: now + 31_536_000 })],
  ['an end in 10^20 seconds', ({ token }) => token({ exp: 1e20 })],
  ['a beginning that is a string', ({ token, claims }) => token({ iat: String(claims.iat) })],
  ['no beginning', ({ token }) => token({ iat: undefined })],
  ['a beginning in six seconds', ({ token, now }) => token({ iat: now + 6, exp: now + 6 + life_seconds })],
  [
    'a beginning in a year',
    ({ token, now }) => token({ iat: now + 31_536_000, exp: now + 31_536_000 + life_seconds }),
  ],
  ['a beginning long ago', ({ token, now }) => token({ iat: now - 31_536_000 })],
  ['a negative beginning', ({ token }) => token({ iat: -1, exp: life_seconds - 1 })],
  ['a time before which it is void', ({ token, now }) => token({ nbf: now + 60 })],
  ['no id', ({ token }) => token({ jti: undefined })],
  ['an id that is a number', ({ token }) => token({ jti: 1 })],
  ['a role', ({ token }) => token({ role: 'admin' })],
  ['two subjects', twice('sub', out.id)],
  ['two ends', twice('exp', 1)],
  ['two epochs', twice('epoch', 7)],
];

function nextLetter(letter: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return letters[letters.indexOf(letter) ^ 1] ?? '';
}

const cases = [...structure, ...algorithms, ...keys, ...claimed];
/** The promise is 5 ms each; a machine may be 40 times slower than the one that it was measured on. */
const each_ms = 5 * 40;

describe('createAccessTokens()', () => {
  test('createAccessTokens() takes what it issued, and what these tests make the same way', async () => {
    const { under, good, token, now } = await forge();
    const tokens = createAccessTokens(under.world);
    for (const right of [
      good,
      token(),
      token({ sub: revoked.id, epoch: 3 }),
      token({ iat: now + 5, exp: now + 5 + life_seconds }),
    ]) {
      expect(await tokens.accountOf(right)).toBeDefined();
      expect((await under.request('/api/v1/me', { token: right })).status).toBe(200);
    }
    expect(good.length).toBeLessThan(500);
  });

  test('createAccessTokens() has more than 60 forgeries tried on it', () => {
    expect(cases.length).toBeGreaterThan(60);
    expect(new Set(cases.map(([name]) => name)).size).toBe(cases.length);
  });

  for (const [name, make] of cases) {
    test(`createAccessTokens() refuses a token with ${name}`, async () => {
      const forged = await forge();
      const token = await make(forged);
      const tokens = createAccessTokens(forged.under.world);
      await tokens.accountOf(forged.good);
      const started = performance.now();
      expect(await tokens.accountOf(token)).toBeUndefined();
      expect(performance.now() - started).toBeLessThan(each_ms);
      const headers = { Authorization: `Bearer ${Buffer.from(token).toString('latin1')}` };
      const response = await forged.under.request('/api/v1/me', { headers });
      expect([response.status, problemSchema.parse(await response.json()).code]).toEqual([
        401,
        'unauthorized',
      ]);
    });
  }

  test('createAccessTokens() refuses what was good when its account is out, logged out everywhere, or its time over', async () => {
    const { under, db, good } = await forge();
    const tokens = createAccessTokens(under.world);
    const change = (changes: object) =>
      db.transact(({ accounts }) => accounts.update({ id: anna.id }, changes));
    expect(await tokens.accountOf(good)).toMatchObject({ id: anna.id });
    await change({ state: 'rejected' });
    expect(await tokens.accountOf(good)).toBeUndefined();
    await change({ state: 'approved', epoch: 1 });
    expect(await tokens.accountOf(good)).toBeUndefined();
    await change({ epoch: 0 });
    under.clock.advance((life_seconds + 4) * 1_000);
    expect(await tokens.accountOf(good)).toMatchObject({ id: anna.id });
    under.clock.advance(1_000);
    expect(await tokens.accountOf(good)).toBeUndefined();
  });

  test('createAccessTokens() takes nothing more by a key from its removal from the database on', async () => {
    const { under, db, good } = await forge();
    const tokens = createAccessTokens(under.world);
    expect(await tokens.accountOf(good)).toBeDefined();
    await db.transact(({ signing_keys }) => signing_keys.remove({ purpose: 'access' }));
    expect(await tokens.accountOf(good)).toBeUndefined();
  });

  test('createAccessTokens() changes keys while two coordinators work, and no token is refused for it', async () => {
    const clock = fakeClock();
    const db = memoryDatabase();
    await db.transact(({ accounts }) => accounts.insert(anna));
    const rest = {
      db,
      clock,
      bus: memoryBus(clock),
      ids: systemIds,
      log: recordedLog().log,
      store: memoryStore([]),
    };
    const both = [createAccessTokens(rest), createAccessTokens(rest)] as const;
    const kept: { token: string; expires: number }[] = [];
    const kids = new Set<string>();
    await Promise.all(both.map((tokens) => tokens.issue(anna)));
    for (let second = 0; second < 2_400; second += 1.5) {
      if (second === 300 || second === 1_200) await both[0].rotateKeys(anna);
      for (const [at, tokens] of both.entries()) {
        const { access_token, expires } = await tokens.issue(anna);
        const [head = ''] = access_token.split('.');
        kids.add(String(JSON.parse(Buffer.from(head, 'base64url').toString()).kid));
        expect(await both[at === 0 ? 1 : 0].accountOf(access_token)).toBeDefined();
        if (second % 60 === 0) kept.push({ token: access_token, expires });
      }
      clock.advance(1_500);
      if (second % 60 !== 0) continue;
      for (const { token } of kept.filter((one) => one.expires > clock.now())) {
        for (const tokens of both) expect(await tokens.accountOf(token)).toBeDefined();
      }
    }
    expect(kids.size).toBe(3);
    const rows = await db.read(({ signing_keys }) => signing_keys.find({}));
    expect(rows.filter(({ expires_at }) => expires_at === null)).toHaveLength(1);
  });
});
