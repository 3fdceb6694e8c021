import { describe, expect, test } from 'bun:test';
import { loadSite } from '../http/pages.ts';
import page from '../site/index.html';
import { appUnderTest } from '../testing/app.ts';
import { answerFixed, fixed, hasCopy } from './http-fixed.ts';

const site = await loadSite(page);
const under = await appUnderTest({}, { picture: 'loft.svg' }, site);
const ask = (path: string, tags?: string) =>
  under.request(path, tags === undefined ? {} : { headers: { 'If-None-Match': tags } });

describe(`${fixed.name}()`, () => {
  test('fixed() gives other bytes another tag', () => {
    const tag = (text: string) => fixed(new TextEncoder().encode(text), 'text/plain').etag;
    expect([tag('a'), tag('a') === tag('b')]).toEqual([tag('a'), false]);
    expect(tag('a')).toMatch(/^"[a-z0-9]+"$/);
  });
});

describe(`${answerFixed.name}()`, () => {
  const fixedPaths = ['/', '/s/x', '/i/x', '/reset', '/docs', '/docs/style.css', '/openapi.json'];
  for (const path of [...fixedPaths, '/api/v1/apps/Loft/picture', ...site.assets.keys()]) {
    test(`answerFixed() sends ${path.replace(/-[a-z0-9]{8}/, '')} once`, async () => {
      const first = await ask(path);
      const etag = first.headers.get('etag') ?? '';
      expect([first.status, (await first.text()).length > 0]).toEqual([200, true]);
      const again = await ask(path, etag);
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
      for (const name of ['cache-control', 'content-security-policy', 'x-content-type-options']) {
        expect([name, again.headers.get(name)]).toEqual([name, first.headers.get(name)]);
      }
    });
  }
});

describe(`${hasCopy.name}()`, () => {
  test('hasCopy() finds the tag in a list, marked as weak, or any', async () => {
    const etag = (await ask('/docs')).headers.get('etag') ?? '';
    for (const tags of [etag, `W/${etag}`, `"x", ${etag}`, `"x",W/${etag} , "y"`, '*']) {
      expect([tags, (await ask('/docs', tags)).status]).toEqual([tags, 304]);
    }
    for (const tags of ['', '"x"', etag.slice(1, -1), `x${etag}`, 'W/"x"', `"*"`]) {
      expect([tags, (await ask('/docs', tags)).status]).toEqual([tags, 200]);
    }
  });
});
