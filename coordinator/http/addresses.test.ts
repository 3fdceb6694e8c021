import { describe, expect, test } from 'bun:test';
import { callerAddress } from './addresses.ts';

const proxy = '10.0.0.1';

describe('callerAddress()', () => {
  const cases: [what: string, forwarded: string | null, hops: number, address: string][] = [
    ['believes nobody without a proxy', '1.1.1.1', 0, proxy],
    ['takes what the one proxy wrote', '1.1.1.1', 1, '1.1.1.1'],
    ['does not count a spoofed entry before one proxy', '9.9.9.9, 1.1.1.1', 1, '1.1.1.1'],
    ['takes what the outer of two proxies wrote', '1.1.1.1, 10.0.0.2', 2, '1.1.1.1'],
    ['does not count spoofed entries before two proxies', '8.8.8.8,9.9.9.9, 1.1.1.1,10.0.0.2', 2, '1.1.1.1'],
    ['takes the socket when the header is missing', null, 1, proxy],
    ['takes the socket when the header is empty', '', 1, proxy],
    ['takes the socket when the header is too short', '1.1.1.1', 2, proxy],
    ['takes the socket when the entry is garbage', 'evil', 1, proxy],
    ['takes the socket when the entry is empty', '1.1.1.1,', 1, proxy],
    ['takes the socket when the entry is half an address', '1.1.1', 1, proxy],
    ['takes the socket when the entry names a zone', 'fe80::1%eth0', 1, proxy],
    ['does not fall back to an entry further left', '1.1.1.1, unknown', 1, proxy],
    ['reads IPv6', '9.9.9.9, 2001:db8::1', 1, '2001:db8::1'],
    ['reads IPv6 in brackets', '[2001:db8::1]', 1, '2001:db8::1'],
    ['drops the port of IPv6', '[2001:db8::1]:4711', 1, '2001:db8::1'],
    ['drops the port of IPv4', '1.1.1.1:4711', 1, '1.1.1.1'],
    ['is not confused by space', ' 9.9.9.9 ,\t1.1.1.1 ', 1, '1.1.1.1'],
  ];
  for (const [what, forwarded, hops, address] of cases) {
    test(`callerAddress() ${what}`, () => {
      expect(callerAddress(forwarded, proxy, hops)).toBe(address);
    });
  }
});
