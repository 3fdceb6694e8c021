import { expect, test } from 'bun:test';
import { listenAddress, listenFailure, localUrl } from './config.ts';

test('listenAddress() falls back to all addresses for one that is not of this machine', () => {
  const own = ['127.0.0.1', '10.0.0.5'];
  expect(
    ['0.0.0.0', '127.0.0.1', '127.0.0.9', '10.0.0.5', '0.0.0.2'].map((ip) => listenAddress(ip, own)),
  ).toEqual(['0.0.0.0', '127.0.0.1', '127.0.0.9', '10.0.0.5', '0.0.0.0']);
});

test('localUrl() is one that a browser takes', () => {
  expect(localUrl('0.0.0.0', 80)).toBe('http://127.0.0.1:80');
  expect(localUrl('10.0.0.5', 8080)).toBe('http://10.0.0.5:8080');
  expect(localUrl('::1', 8080)).toBe('http://[::1]:8080');
});

test('listenFailure() says what to do', () => {
  const taken = Object.assign(new Error('x'), { code: 'EADDRINUSE' });
  expect(listenFailure(taken, 80)).toContain(
    'Port 80 is taken by another program. Stop that program, or choose',
  );
  expect(listenFailure(Object.assign(new Error('x'), { code: 'EACCES' }), 80)).toContain('more rights');
  expect(listenFailure(new Error('no such address'), 80)).toContain('no such address');
});
