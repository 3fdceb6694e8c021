import { expect, test } from 'bun:test';
import { networkOf } from './network.ts';

test('networkOf() counts IPv4 by address and IPv6 by /64', () => {
  const rows = [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['unknown', 'unknown'],
  ];
  expect(rows.map(([address = '']) => networkOf(address))).toEqual(rows.map(([, network = '']) => network));
});
