import { describe, expect, test } from 'bun:test';
import page from '../site/index.html';
import { appUnderTest } from '../testing/app.ts';
import { loadSite, siteRoutes } from './pages.ts';

const site = await loadSite(page);

const paths = (html: string): string[] =>
  [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);

describe('loadSite()', () => {
  test('loadSite() builds a page that names what it loads by content', () => {
    const named = paths(new TextDecoder().decode(site.page.bytes));
    expect(named.map((path) => path.split('.').at(-1))).toEqual(['svg', 'css', 'js']);
    for (const path of named) {
      expect(path).toMatch(/^\/[a-z]+-[a-z0-9]{8}\.(svg|css|js)$/);
      expect(site.assets.get(path)?.bytes.length).toBeGreaterThan(100);
    }
  });
});

describe(`${siteRoutes.name}()`, () => {
  test('siteRoutes() serves one page at every address of the site, under a strict policy', async () => {
    const under = await appUnderTest({ public_url: 'https://vitrina.example' }, {}, site);
    for (const path of ['/', '/s/abc', '/i/abc']) {
      const response = await under.request(path);
      const { headers } = response;
      expect([response.status, headers.get('content-type')]).toEqual([200, 'text/html;charset=utf-8']);
      expect(headers.get('cache-control')).toBe('no-cache');
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
          "media-src 'self' blob: mediastream:; connect-src 'self' ws://vitrina.example wss://vitrina.example; " +
          "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      );
      expect(headers.get('permissions-policy')).toContain('microphone=(self)');
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('strict-transport-security')).toContain('max-age=');
    }
  });

  test('siteRoutes() leaves what is no address of the site to nothingHere(), which shows a page to people', async () => {
    const under = await appUnderTest({}, {}, site);
    const lost = ['/s/', '/s/a/b', '/i/', '/i/abc)', `/i/${'a'.repeat(65)}`, '/x', '/index.html'];
    for (const path of [...lost, '/site/main.tsx', '/..%2f..%2fpackage.json', '/apiary']) {
      const { status, headers } = await under.request(path);
      expect([path, status, headers.get('content-type')]).toEqual([path, 404, 'text/html;charset=utf-8']);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    }
    for (const path of ['/api/v1/castles', '/api', '/agent/x', '/healthz/x', '/docs/x', '/metrics/x']) {
      const { status, headers } = await under.request(path);
      expect([path, status, headers.get('content-type')]).toEqual([path, 404, 'application/problem+json']);
    }
    expect((await under.request('/x', { method: 'POST' })).headers.get('content-type')).toContain('json');
    expect([(await under.request('/s/a/')).status, (await under.request('/i/a/')).status]).toEqual([
      200, 200,
    ]);
  });

  test('siteRoutes() sends the page once, and what it loads for good', async () => {
    const under = await appUnderTest({}, {}, site);
    const first = await under.request('/');
    expect(first.headers.get('strict-transport-security')).toBeNull();
    const again = await under.request('/s/x', {
      headers: { 'If-None-Match': first.headers.get('etag') ?? '' },
    });
    expect([again.status, await again.text()]).toEqual([304, '']);
    for (const path of site.assets.keys()) {
      const response = await under.request(path);
      expect([response.status, response.headers.get('cache-control')]).toEqual([
        200,
        'public, max-age=31536000, immutable',
      ]);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect((await response.bytes()).length).toBe(site.assets.get(path)?.bytes.length ?? 0);
    }
  });
});
