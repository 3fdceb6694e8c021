import { expect, test } from 'bun:test';
import { isPrivate, type Mapping, natKind } from './nat.ts';

const mapping = (server: string, mapped: string): Mapping => {
  const [address = '', port] = mapped.split(':');
  return { server: { address: server, port: 3_478 }, mapped: { address, port: Number(port) } };
};

test('natKind() tells what different servers saw of one socket', () => {
  const own = ['127.0.0.1', '10.0.0.2'];
  const a = mapping('192.0.2.1', '203.0.113.5:4000');
  expect(natKind([], own)).toBe('blocked');
  expect(natKind([a], own)).toBe('unknown');
  expect(natKind([a, mapping('192.0.2.1', '203.0.113.5:4000')], own)).toBe('unknown');
  expect(natKind([a, mapping('192.0.2.2', '203.0.113.5:4000')], own)).toBe('independent');
  expect(natKind([a, mapping('192.0.2.1', '203.0.113.5:4001')], own)).toBe('dependent');
  expect(natKind([a, mapping('192.0.2.2', '203.0.113.6:4000')], own)).toBe('dependent');
  expect(natKind([mapping('192.0.2.1', '10.0.0.2:4000')], own)).toBe('open');
});

test('isPrivate() knows the addresses that nobody outside reaches', () => {
  const inside = [
    '10.0.0.1',
    '127.0.0.1',
    '192.168.1.1',
    '172.16.0.1',
    '172.31.9.9',
    '100.64.0.1',
    '100.127.1.1',
  ];
  const outside = ['11.0.0.1', '172.32.0.1', '100.128.0.1', '192.169.0.1', '203.0.113.5', '100.63.0.1'];
  expect([...inside, ...outside].filter(isPrivate)).toEqual(inside);
});
