import { expect, test } from 'bun:test';
import { expectedAt, freeForOthers, inOrder, isGone, nextOffers, type Waiting } from './rules-queue.ts';

const rules = { claim_ms: 60_000, forgotten_ms: 60_000, present_ms: 15_000 };
const one = (id: string, patch: Partial<Waiting> = {}): Waiting => ({
  id,
  state: 'waiting',
  created_at: 0,
  seen_at: 0,
  claim_until: null,
  ...patch,
});
const ids = (queue: readonly Waiting[]) => queue.map(({ id }) => id);

test('inOrder() goes by coming, then by id', () => {
  expect(ids(inOrder([one('c', { created_at: 2 }), one('b'), one('a')]))).toEqual(['a', 'b', 'c']);
});

test('nextOffers() offers each free seat once, to the first ones', () => {
  const queue = [one('a'), one('b', { created_at: 1 }), one('c', { created_at: 2 })];
  const offered = one('o', { state: 'offered', claim_until: 9 });
  expect(ids(nextOffers(queue, 0))).toEqual([]);
  expect(ids(nextOffers(queue, 2))).toEqual(['a', 'b']);
  expect(ids(nextOffers([...queue, offered], 2))).toEqual(['a']);
  expect(ids(nextOffers([...queue, offered], 0))).toEqual([]);
});

test('isGone() when a claim runs out, or a place is not asked for any more', () => {
  const claimed = one('o', { state: 'offered', claim_until: 100 });
  expect([isGone(claimed, 99, rules), isGone(claimed, 100, rules)]).toEqual([false, true]);
  expect([isGone(one('w'), 59_999, rules), isGone(one('w'), 60_000, rules)]).toEqual([false, true]);
});

test('freeForOthers() keeps a seat for each who queues', () => {
  expect([freeForOthers(0, 2), freeForOthers(1, 2), freeForOthers(3, 2)]).toEqual([2, 1, 0]);
});

test('expectedAt() is when so many sessions must have ended, or unknown', () => {
  expect([expectedAt(1, [30, 10, 20]), expectedAt(3, [30, 10, 20]), expectedAt(4, [30, 10, 20])]).toEqual([
    10,
    30,
    null,
  ]);
});
