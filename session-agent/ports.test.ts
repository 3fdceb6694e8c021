import { expect, test } from 'bun:test';

import { createServer } from 'node:net';
import { portRangeWithin } from '../shared/testing/port-range.ts';
import { createPorts } from './ports.ts';
import { portRange } from './testing/rig.ts';

const range = () => {
  const { from } = portRangeWithin(10_000, 10_000, 40);
  return { from, to: from + 5 };
};

test('take() lends each port once until it is given back, and says when none are left', async () => {
  const ports = createPorts(range());
  const [first, second] = await Promise.all([ports.take(3), ports.take(3)]);
  expect(new Set([...(first ?? []), ...(second ?? [])]).size).toBe(6);
  expect(await ports.take(1)).toBeUndefined();
  ports.give(first ?? []);
  expect(await ports.take(3)).toEqual(first ?? []);
});

test('take() that cannot have enough keeps nothing', async () => {
  const ports = createPorts(range());
  expect(await ports.take(7)).toBeUndefined();
  expect(await ports.take(6)).toHaveLength(6);
});

test('take() passes over ports that another program listens on', async () => {
  const { from, to } = range();
  const other = createServer();
  await new Promise<void>((listening) => other.listen({ port: from + 1, host: '127.0.0.1' }, listening));
  expect(await createPorts({ from, to }).take(5)).not.toContain(from + 1);
  await new Promise((closed) => other.close(closed));
});

test('createPorts() can be moved to another range, and what is lent from the old one can still be given back', async () => {
  const { from } = portRange();
  const ports = createPorts({ from, to: from + 9 });
  const old = (await ports.take(3)) ?? [];
  ports.move({ from: from + 10, to: from + 39 });
  const fresh = (await ports.take(3)) ?? [];
  expect(fresh).toHaveLength(3);
  expect(fresh.every((port) => port >= from + 10)).toBeTrue();
  ports.give(old);
  ports.move({ from: from + 10, to: from + 39 });
  expect((await ports.take(3))?.some((port) => fresh.includes(port))).toBeFalse();
});
