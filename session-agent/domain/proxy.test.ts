import { expect, test } from 'bun:test';
import { proxyFor } from './proxy.ts';

const wss = 'wss://coordinator.example/agent';

test.each([
  [wss, { HTTPS_PROXY: 'http://proxy:3128' }, 'http://proxy:3128/'],
  [wss, { https_proxy: 'proxy:3128' }, 'http://proxy:3128/'],
  [wss, { HTTPS_PROXY: 'http://u:p@proxy:3128' }, 'http://u:p@proxy:3128/'],
  ['https://coordinator.example/', { https_proxy: 'proxy:3128', HTTPS_PROXY: '' }, 'http://proxy:3128/'],
  [wss, { HTTP_PROXY: 'http://proxy:3128' }, undefined],
  ['ws://coordinator.example/agent', { HTTP_PROXY: 'http://proxy:3128' }, 'http://proxy:3128/'],
  ['ws://coordinator.example/agent', { HTTPS_PROXY: 'http://proxy:3128' }, undefined],
  [wss, {}, undefined],
  [wss, { HTTPS_PROXY: '' }, undefined],
  [wss, { HTTPS_PROXY: 'socks5://proxy:1080' }, undefined],
  [wss, { HTTPS_PROXY: 'http://' }, undefined],
  ['wss://127.0.0.1:8443/agent', { HTTPS_PROXY: 'http://proxy:3128' }, undefined],
  ['wss://localhost/agent', { HTTPS_PROXY: 'http://proxy:3128' }, undefined],
] as const)('proxyFor() of %s with %j is %s', (address, environment, proxy) => {
  expect(proxyFor(address, environment)).toBe(proxy);
});

test.each([
  ['*', true],
  ['coordinator.example', true],
  ['example', true],
  ['.example', true],
  ['*.example', true],
  ['other.example, COORDINATOR.EXAMPLE', true],
  ['coordinator.example:443', true],
  ['coordinator.example:8443', false],
  ['ordinator.example', false],
  ['', false],
  [' , ', false],
])('proxyFor() heeds NO_PROXY=%s: %p', (NO_PROXY, excepted) => {
  const proxy = proxyFor(wss, { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY });
  expect(proxy === undefined).toBe(excepted);
});
