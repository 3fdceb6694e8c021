import { expect, test } from 'bun:test';
import { ownAddresses } from './own-addresses.ts';

test('ownAddresses() tells of this machine, and of none where the machine does not', () => {
  expect(ownAddresses().map(({ address }) => address)).toContain('127.0.0.1');
  const silent = () => {
    throw new Error('A system error occurred: uv_interface_addresses returned Unknown system error 1');
  };
  expect(ownAddresses(silent)).toEqual([]);
});
