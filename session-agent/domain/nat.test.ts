import { expect, test } from 'bun:test';
import { type Mapping, natKind } from './nat.ts';

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
