import { expect, test } from 'bun:test';
import { requestUrl, withoutFinalDot } from './request-url.ts';
import { exchange } from './testing/exchange.ts';

/** What `requestUrl` makes of a request as it comes off the wire. */
const seen = async (request: string): Promise<string> => {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (asked) => new Response(requestUrl(asked)?.href ?? 'nobody'),
  });
  try {
    return (await exchange(server.port ?? 0, request)).split('\r\n\r\n')[1] ?? '';
  } finally {
    await server.stop(true);
  }
};

test.each([
  ['GET /a?b=c HTTP/1.0', [], 'http://localhost/a?b=c'],
  ['GET /a HTTP/1.0', ['Host: x'], 'http://x/a'],
  ['GET /a HTTP/1.1', ['Host:'], 'http://localhost/a'],
  ['GET /a HTTP/1.1', ['Host: Name.Example.:8080'], 'http://name.example:8080/a'],
  ['GET http://other/a HTTP/1.1', ['Host: x'], 'http://x/a'],
  ['GET http://other/a HTTP/1.0', [], 'http://localhost/a'],
  ['GET //other/a HTTP/1.1', ['Host: x'], 'http://x//other/a'],
  ['GET //other/a HTTP/1.0', [], 'http://localhost//other/a'],
  ['GET /%zz HTTP/1.1', ['Host: [::1]:80'], 'http://[::1]/%zz'],
  ['GET /../../a HTTP/1.0', [], 'http://localhost/a'],
  ['GET / HTTP/1.1', ['Host: a', 'Host: b'], 'nobody'],
  ['GET / HTTP/1.1', ['Host: a', 'Host: a'], 'nobody'],
  ['GET / HTTP/1.0', ['Host: a', 'Host: b'], 'nobody'],
  ['GET / HTTP/1.1', ['Host: a,b'], 'nobody'],
  ['GET / HTTP/1.1', ['Host: a b'], 'nobody'],
  ['GET / HTTP/1.1', ['Host: user@evil'], 'nobody'],
  ['GET / HTTP/1.1', ['Host: a/b'], 'nobody'],
  ['GET / HTTP/1.1', ['Host: a:99999'], 'nobody'],
  ['GET / HTTP/1.1', ['Host: [::1'], 'nobody'],
  ['GET / HTTP/1.1', ['Host: exa%6dple'], 'nobody'],
  ['GET / HTTP/1.1', ['Host: .'], 'nobody'],
  ['CONNECT a:443 HTTP/1.1', ['Host: a'], 'nobody'],
])('requestUrl() reads %s %j as %s', async (line, headers, url) => {
  expect(await seen(`${[line, ...headers].join('\r\n')}\r\n\r\n`)).toBe(url);
});

test('requestUrl() goes by the address of a request without headers', () => {
  expect(requestUrl(new Request('https://name.example./a'))?.href).toBe('https://name.example/a');
});

test.each([
  ['name.', 'name'],
  ['name.:8080', 'name:8080'],
  ['name', 'name'],
  ['a.b', 'a.b'],
  ['[::1]:80', '[::1]:80'],
])('withoutFinalDot() makes %s to %s', (host, name) => {
  expect(withoutFinalDot(host)).toBe(name);
});
