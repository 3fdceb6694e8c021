import { describe, expect, test } from 'bun:test';
import { problemSchema, ticketSchema } from '../../shared/protocol/http.ts';
import { exchange } from '../../shared/testing/exchange.ts';
import { appUnderTest, type Sent } from '../testing/app.ts';
import { startRig } from '../testing/rig.ts';
import { allowOrigins } from './cors.ts';
import { checkHost } from './guards.ts';

const partner = 'https://partner.example';
const allowing = { allowed_origins: [partner] };

const corsHeaders = (headers: Headers): string[] =>
  [...headers.keys()].filter((name) => name.startsWith('access-control')).sort();

describe(`${checkHost.name}()`, () => {
  const named = { public_url: 'https://vitrina.example' };
  const hosts: [host: string, patch: object, served: boolean][] = [
    ['anything.example', {}, false],
    ['localhost.evil.example', {}, false],
    ['10.0.0.1.evil.example', {}, false],
    ['localhost:8080', {}, true],
    ['10.0.0.1:8080', {}, true],
    ['[2001:db8::1]:8080', {}, true],
    ['Tour-Machine:8080', {}, true],
    ['tour-machine.evil.example', {}, false],
    ['vitrina.example', named, true],
    ['vitrina.example:8443', named, true],
    ['VITRINA.example', named, true],
    ['localhost:8080', named, true],
    ['127.0.0.1:8080', named, true],
    ['[::1]:8080', named, true],
    ['10.0.0.1', named, false],
    ['evil.example', named, false],
    ['vitrina.example.evil.example', named, false],
    ['evilvitrina.example', named, false],
    ['vitrina.example.', named, true],
    ['vitrina.example.:8443', named, true],
    ['vitrina.example..', named, false],
    ['evil.example.', named, false],
    ['localhost.:8080', {}, true],
    ['Tour-Machine.', {}, true],
    ['10.0.0.1', { ...named, allowed_hosts: ['10.0.0.1'] }, true],
    ['second.example', { allowed_hosts: ['Second.example'] }, true],
    ['second.example.', { allowed_hosts: ['Second.example'] }, true],
    ['evil.example', { allowed_hosts: ['second.example'] }, false],
  ];
  for (const [host, patch, served] of hosts) {
    test(`checkHost() ${served ? 'serves' : 'refuses'} ${host} under ${JSON.stringify(patch)}`, async () => {
      const under = await appUnderTest(patch);
      const url = (path: string) => `http://${host}${path}`;
      for (const path of ['/api/v1/apps', '/readyz', '/openapi.json']) {
        const response = await under.request(url(path));
        expect(response.status).toBe(served ? 200 : 421);
        if (!served) expect(problemSchema.parse(await response.json()).code).toBe('misdirected');
      }
      const upgrade = { headers: { Upgrade: 'websocket' } };
      expect((await under.request(url('/ws'), upgrade)).status).toBe(served ? 200 : 421);
      expect(under.upgrades.length).toBe(served ? 1 : 0);
      expect((await under.request(url('/healthz'))).status).toBe(200);
    });
  }

  test('checkHost() serves requests without a Host, as HAProxy checks, and refuses two', async () => {
    await using rig = await startRig(named);
    const status = async (...lines: string[]) =>
      (await exchange(Number(new URL(rig.base).port), `${lines.join('\r\n')}\r\n\r\n`)).slice(9, 12);
    for (const path of ['/healthz', '/readyz', '/api/v1/apps']) {
      expect([path, await status(`GET ${path} HTTP/1.0`)]).toEqual([path, '200']);
      expect([path, await status(`GET ${path} HTTP/1.1`, 'Host:')]).toEqual([path, '200']);
      expect([path, await status(`GET ${path} HTTP/1.1`, 'Host: vitrina.example.')]).toEqual([path, '200']);
      expect([path, await status(`GET http://evil/${path.slice(1)} HTTP/1.1`, 'Host: localhost')]).toEqual([
        path,
        '200',
      ]);
      for (const second of ['evil.example', 'localhost'])
        expect(await status(`GET ${path} HTTP/1.1`, 'Host: localhost', `Host: ${second}`)).toBe('400');
      expect(await status(`GET ${path} HTTP/1.1`, 'Host: a b')).toBe('400');
      expect(await status(`GET ${path} HTTP/1.1`, 'Host: [::1')).toBe('400');
      expect(await status(`GET ${path} HTTP/1.1`)).toBe('400');
    }
    expect(await status('HEAD /healthz HTTP/1.0')).toBe('200');
    expect(await status('OPTIONS /healthz HTTP/1.0')).toBe('200');
    expect(await status('OPTIONS /readyz HTTP/1.0')).toBe('200');
    expect(await status('OPTIONS / HTTP/1.0')).toBe('204');
    expect(await status('CONNECT localhost:443 HTTP/1.1', 'Host: localhost')).toBe('404');
    expect(await status('POST /api/v1/sessions HTTP/1.0', 'Content-Length: 2', '', '{}')).toBe('400');
    expect(rig.recorded.messages('error')).toEqual([]);
  });

  test('checkHost() leaves links to public_url, whatever Host and Forwarded headers say', async () => {
    const under = await appUnderTest(named);
    under.connect();
    const created = await under.request('/api/v1/sessions', { method: 'POST', body: { app: 'Loft' } });
    const { session, participant_token: token } = JSON.parse(await created.text());
    under.ready(session.id);
    const headers = {
      Forwarded: 'host=evil.example;proto=http',
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Proto': 'http',
      'X-Original-URL': 'http://evil.example/',
    };
    const path = `http://127.0.0.1:1/api/v1/sessions/${session.id}/tickets`;
    const ticket = ticketSchema.parse(
      await (await under.request(path, { method: 'POST', token, headers })).json(),
    );
    expect(ticket.signalling_url).toStartWith('wss://vitrina.example/api/v1/sessions/');
  });
});

describe(`${allowOrigins.name}()`, () => {
  const preflight = (origin: string): Sent => ({
    method: 'OPTIONS',
    headers: {
      Origin: origin,
      'Access-Control-Request-Method': 'PATCH',
      'Access-Control-Request-Headers': 'authorization',
    },
  });

  test('allowOrigins() answers the preflight of a listed site', async () => {
    const response = await (await appUnderTest(allowing)).request('/api/v1/sessions', preflight(partner));
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe(partner);
    expect(response.headers.get('access-control-allow-methods')).toContain('PATCH');
    expect(response.headers.get('access-control-allow-headers')).toBe(
      'Authorization, Content-Type, If-Match, Idempotency-Key',
    );
    expect(response.headers.get('access-control-max-age')).toBe('600');
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect(response.headers.get('vary')).toContain('Origin');
  });

  test('allowOrigins() lets a listed site read answers and refusals', async () => {
    const under = await appUnderTest(allowing);
    for (const path of ['/api/v1/apps', '/api/v1/castles']) {
      const { headers } = await under.request(path, { headers: { Origin: partner } });
      expect(headers.get('access-control-allow-origin')).toBe(partner);
      expect(headers.get('access-control-expose-headers')).toBe('ETag, Retry-After, X-Incident-Id');
      expect(headers.get('vary')).toContain('Origin');
    }
    expect(corsHeaders((await under.request('/healthz', { headers: { Origin: partner } })).headers)).toEqual(
      [],
    );
  });

  for (const origin of [
    'https://evil.example',
    'https://partner.example.evil.example',
    'https://evil-partner.example',
    'https://partner.example:8443',
    'http://partner.example',
    'https://sub.partner.example',
    'null',
    'https://PARTNER.example',
  ]) {
    test(`allowOrigins() gives pages of ${origin} nothing`, async () => {
      const under = await appUnderTest(allowing);
      const read = await under.request('/api/v1/apps', { headers: { Origin: origin } });
      expect([read.status, corsHeaders(read.headers), read.headers.get('vary')]).toEqual([200, [], 'Origin']);
      const asked = await under.request('/api/v1/sessions', preflight(origin));
      expect([asked.status, corsHeaders(asked.headers)]).toEqual([403, []]);
    });
  }
});
