import { expect, test } from 'bun:test';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Refusal, refuse } from '../../shared/errors.ts';
import type { Done, Order } from '../fleet/orders.ts';
import { temporaryFolder } from '../testing/folder.ts';
import { recordedLog } from '../testing/log.ts';
import { listenForOrders, orderRunning, type ServeUnix } from './control.ts';

const serve: ServeUnix = (unix, fetch) => Bun.serve({ unix, fetch, development: false });

const order: Order = { order: 'make_reset_link', email: 'anna@example.com' };

/** Listens on the folder and remembers what it was told. */
const listening = async (directory: string, answer: Done | Refusal = { done: 'a link' }) => {
  const { log, lines } = recordedLog();
  const orders: Order[] = [];
  const obey = async (order: Order) => {
    orders.push(order);
    return answer;
  };
  return { orders, lines, deafen: await listenForOrders(directory, obey, { log, serve }) };
};

test('orderRunning() has the coordinator of the folder carry the order out, and knows when none runs', async () => {
  await using folder = await temporaryFolder();
  expect(await orderRunning(folder.path, order)).toBeUndefined();
  const { orders, deafen } = await listening(folder.path);
  expect(await orderRunning(folder.path, order)).toEqual({ done: 'a link' });
  expect(orders).toEqual([order]);
  await deafen();
  expect(await orderRunning(folder.path, order)).toBeUndefined();
  expect(existsSync(join(folder.path, 'coordinator.sock'))).toBeFalse();
});

test('orderRunning() hands a refusal on as it was', async () => {
  await using folder = await temporaryFolder();
  const { deafen } = await listening(folder.path, refuse('name_taken', 'anna'));
  expect(await orderRunning(folder.path, order)).toEqual({ refused: 'name_taken', detail: 'anna' });
  await deafen();
});

test('listenForOrders() is for the owner alone, and refuses what is no order', async () => {
  await using folder = await temporaryFolder();
  const { orders, deafen } = await listening(folder.path);
  const unix = join(folder.path, 'coordinator.sock');
  expect(statSync(unix).mode & 0o777).toBe(0o600);
  for (const body of ['', '{', '{"order":"stop"}', '{"order":"make_reset_link"}', '[]']) {
    const response = await fetch('http://coordinator/', { unix, method: 'POST', body });
    expect(await response.json()).toEqual({ refused: 'unknown_verb' });
  }
  expect(orders).toEqual([]);
  await deafen();
});

test('listenForOrders() takes over the socket of a coordinator that was killed, and none of one that runs', async () => {
  await using folder = await temporaryFolder();
  const code = `Bun.serve({ unix: process.argv[1], fetch: () => new Response() }); process.kill(process.pid, 'SIGKILL')`;
  const unix = join(folder.path, 'coordinator.sock');
  await Bun.spawn([process.execPath, '-e', code, unix], { stdio: ['ignore', 'ignore', 'ignore'] }).exited;
  expect(existsSync(unix)).toBeTrue();
  expect(await orderRunning(folder.path, order)).toBeUndefined();
  const first = await listening(folder.path);
  const second = await listening(folder.path, { done: 'another' });
  expect(second.lines().map(({ msg }) => msg)).toEqual([
    'commands cannot reach this coordinator while it runs',
  ]);
  await second.deafen();
  expect(await orderRunning(folder.path, order)).toEqual({ done: 'a link' });
  await first.deafen();
});

test('listenForOrders() removes no file that is no socket', async () => {
  await using folder = await temporaryFolder();
  await folder.write('coordinator.sock', 'mine');
  const { lines, deafen } = await listening(folder.path);
  await deafen();
  expect(lines()).toHaveLength(1);
  expect(await Bun.file(join(folder.path, 'coordinator.sock')).text()).toBe('mine');
});
