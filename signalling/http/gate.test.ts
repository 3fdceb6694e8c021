import { expect, test } from 'bun:test';
import { signAdmission } from '../../shared/admission.ts';
import { type Config, loadConfig } from '../config.ts';
import { live } from '../testing/live.ts';
import { admit, type Role } from './gate.ts';

const now = 1_000_000;

const configOf = async (args: string[], secret?: string): Promise<Config> => {
  const loaded = await loadConfig(args, secret === undefined ? {} : { SIGNALLING_ADMISSION_SECRET: secret });
  if (!('config' in loaded)) throw new Error(JSON.stringify(loaded));
  return loaded.config;
};

const request = (query = '', headers: Record<string, string> = {}) =>
  new Request(`http://server/path${query}`, { headers });

const tokens = ['--player_token', 'pl', '--streamer_token', 'st', '--sfu_token', 'sf'];

const table: [role: Role, query: string, headers: Record<string, string>, in_: boolean][] = [
  ['player', '?token=pl', {}, true],
  ['player', '', { authorization: 'Bearer pl' }, true],
  // A page of 5.2 to 5.4 that offers says so behind whatever query is there.
  ['player', '?token=pl?OfferToReceive=true', {}, true],
  ['player', '?token=pl2?OfferToReceive=true', {}, false],
  ['player', '', {}, false],
  ['player', '?token=st', {}, false],
  ['player', '?token=pl2', {}, false],
  ['player', '?token=', { authorization: 'Basic pl' }, false],
  ['streamer', '?token=st', {}, true],
  ['streamer', '?token=pl', {}, false],
  ['sfu', '?token=sf', {}, true],
  ['sfu', '', {}, false],
];

for (const [role, query, headers, isIn] of table) {
  test(`admit() ${isIn ? 'takes' : 'refuses'} a ${role} showing "${query}" ${JSON.stringify(headers)}`, async () => {
    const answer = admit(request(query, headers), role, await configOf(tokens), now);
    if (isIn) expect(answer).not.toHaveProperty('refused');
    else expect(answer).toEqual({ refused: 'unauthorized' });
  });
}

test('admit() takes everybody when nothing is configured, and remembers the token', async () => {
  expect(admit(request('?token=mine'), 'streamer', await configOf([]), now)).toEqual({ token: 'mine' });
});

test('admit() wants a signed and living admission of players, and of nobody else', async () => {
  const config = await configOf([], 'secret');
  const sign = (expires: number, secret = 'secret') =>
    signAdmission({ participant: 'p', ice_servers: [], expires, view_only: true }, secret);
  const shown = (token: string) => admit(request(`?token=${token}`), 'player', config, now);
  expect(shown(sign(now + 1))).toMatchObject({ admission: { participant: 'p', view_only: true } });
  for (const token of [sign(now), sign(now + 1, 'other'), 'x.y', `${sign(now + 1)}x`]) {
    expect(shown(token)).toEqual({ refused: 'unauthorized' });
  }
  expect(admit(request(), 'streamer', config, now)).toEqual({});
});

test('admit() compares origins exactly and lets programs without one in', async () => {
  const config = await configOf(['--allowed_origins', 'https://a.example, https://b.example:8443']);
  const from = (origin: string) => admit(request('', { origin }), 'player', config, now);
  expect(from('https://a.example')).toEqual({});
  expect(from('https://b.example:8443')).toEqual({});
  expect(admit(request(), 'player', config, now)).toEqual({});
  for (const origin of ['http://a.example', 'https://a.example.evil', 'https://b.example', 'null', '']) {
    expect(from(origin)).toEqual({ refused: 'origin_refused' });
  }
});

/** What Unreal's WebSocket library sends is the address that it dials, without the port. */
const senders: [role: Role, origin: string | undefined, in_: boolean][] = [
  ['player', undefined, true],
  ['streamer', undefined, true],
  ['streamer', 'http://127.0.0.1', true],
  ['streamer', 'http://localhost', true],
  ['streamer', 'http://127.0.0.1:8080', false],
  ['streamer', 'https://127.0.0.1', false],
  ['streamer', 'http://127.0.0.1.evil.example', false],
  ['streamer', 'https://evil.example', false],
  ['streamer', 'null', false],
  ['streamer', '', false],
  ['player', 'http://127.0.0.1', false],
  ['player', 'https://a.example', false],
  ['sfu', 'http://127.0.0.1', false],
];
for (const [role, origin, isIn] of senders) {
  test(`admit() with --refuse_pages ${isIn ? 'takes' : 'refuses'} a ${role} whose Origin is ${origin}`, async () => {
    const config = await configOf(['--refuse_pages', '--allowed_origins', 'https://a.example']);
    const answer = admit(request('', origin === undefined ? {} : { origin }), role, config, now);
    expect(answer).toEqual(isIn ? {} : { refused: 'origin_refused' });
  });
}

test('live() answers an upgrade without credentials with 401, from a foreign site with 403', async () => {
  await using server = await live([...tokens, '--allowed_origins', 'https://a.example']);
  const status = async (headers: Record<string, string>) => {
    const url = server.urls.player.replace('ws:', 'http:');
    const upgrade = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const key = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    return (await fetch(url, { headers: { ...upgrade, ...key, ...headers } })).status;
  };
  expect(await status({})).toBe(401);
  expect(await status({ origin: 'https://evil.example', authorization: 'Bearer pl' })).toBe(403);
});

const marks: [query: string, offers: true | undefined][] = [
  ['?OfferToReceive=true', true],
  ['?offertoreceive', true],
  ['?token=pl?OFFERTORECEIVE=true', true],
  ['?OfferToReceive=false', undefined],
  ['?StreamerId=OfferToReceive', undefined],
  ['', undefined],
];
for (const [query, offers] of marks) {
  test(`admit() sees whether a page is about to offer: "${query}"`, async () => {
    const pass = admit(request(query), 'player', await configOf([]), now);
    expect(pass).toEqual({ ...(query.includes('token') ? { token: 'pl' } : {}), ...(offers && { offers }) });
  });
}
