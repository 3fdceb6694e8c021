import { expect, test } from 'bun:test';
import { proxyFor } from './proxy.ts';

const rows: [url: string, environment: Record<string, string>, proxy: string | undefined][] = [
  ['wss://a.example/agent', {}, undefined],
  ['wss://a.example/agent', { HTTPS_PROXY: 'http://p:3128' }, 'http://p:3128/'],
  ['wss://a.example/agent', { https_proxy: 'p.example:3128', HTTPS_PROXY: '' }, 'http://p.example:3128/'],
  ['https://a.example/', { HTTP_PROXY: 'http://p:3128' }, undefined],
  ['ws://a.example/', { HTTP_PROXY: 'http://p:3128', HTTPS_PROXY: 'http://q:1' }, 'http://p:3128/'],
  ['wss://a.example/', { HTTPS_PROXY: 'http://p:3128', NO_PROXY: 'b.example, .a.example' }, undefined],
  ['wss://x.a.example/', { HTTPS_PROXY: 'http://p:3128', no_proxy: 'a.example:443' }, undefined],
  ['wss://xa.example/', { HTTPS_PROXY: 'http://p:3128', no_proxy: 'a.example' }, 'http://p:3128/'],
  ['wss://a.example/', { HTTPS_PROXY: 'http://p:3128', NO_PROXY: '*' }, undefined],
  ['wss://a.example/', { HTTPS_PROXY: 'socks5://p:1080' }, undefined],
];
for (const [url, environment, proxy] of rows) {
  test(`proxyFor() ${url} with ${JSON.stringify(environment)} is ${proxy}`, () => {
    expect(proxyFor(new URL(url), environment)?.href).toBe(proxy);
  });
}
