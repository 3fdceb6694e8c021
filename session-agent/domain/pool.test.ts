import { expect, test } from 'bun:test';
import { chooseCard, clear, type Held, pick, plan, type Target, warmBackoff } from './pool.ts';

const card = (index: number, seats = 2) => ({ index, seats, vram_mb: 8_000, encoders: 3 });
const flat = { rc_name: 'Flat', vram_mb: 2_000, encoders: 1 };
let count = 0;
const held = (use: Held['use'], state: Held['state'], more: Partial<Held> = {}): Held => ({
  ...flat,
  id: `i${++count}`,
  card: 0,
  use,
  state,
  stale: false,
  ...more,
});
const target = (instances: number, more: Partial<Target> = {}): Target => ({
  ...flat,
  instances,
  on: new Map(),
  waiting: false,
  ...more,
});
const room = (held: Held[], cards = [card(0), card(1)]) => ({ cards, placing: 'spread' as const, held });

test('chooseCard() takes the emptiest card when spreading and the fullest that has room when packing', () => {
  const busy = room([held('session', 'ready', { card: 0 })]);
  expect(chooseCard(busy, flat)).toBe(1);
  expect(chooseCard({ ...busy, placing: 'pack' }, flat)).toBe(0);
  expect(chooseCard(busy, { ...flat, vram_mb: 7_000 })).toBe(1);
  expect(chooseCard(busy, { ...flat, vram_mb: 9_000 })).toBeUndefined();
});

test('clear() needs nothing while there is room, and finds none beside sessions that fill the card', () => {
  const session = held('session', 'ready');
  expect(clear(card(0), [session], flat)).toEqual({ stop: [], wait_for: [] });
  expect(clear(card(0), [session, held('session', 'stopping')], flat)).toBeUndefined();
});

test('clear() stops as few warm instances as it must, those that are not ready and of other apps first', () => {
  const own = held('warm', 'ready');
  const other = held('warm', 'ready', { rc_name: 'Tower' });
  const starting = held('warm', 'starting');
  expect(clear(card(0, 2), [own, other], flat)).toEqual({ stop: [other.id], wait_for: [other.id] });
  expect(clear(card(0, 2), [own, starting], flat)).toEqual({ stop: [starting.id], wait_for: [starting.id] });
  const big = { ...flat, rc_name: 'Big', vram_mb: 8_000 };
  expect(clear(card(0, 3), [own, other], big)?.stop).toEqual([own.id, other.id]);
});

test('clear() waits for one that is on its way out before it stops another', () => {
  const leaving = held('warm', 'stopping');
  expect(clear(card(0), [leaving, held('warm', 'ready')], flat)).toEqual({
    stop: [],
    wait_for: [leaving.id],
  });
});

test('pick() prefers a ready one, on the card that is named, and never one that is taken, stale or leaving', () => {
  const ready = held('warm', 'ready', { card: 1 });
  const starting = held('warm', 'starting');
  const all = [
    held('session', 'ready'),
    held('warm', 'ready', { stale: true }),
    held('warm', 'stopping'),
    held('warm', 'ready', { rc_name: 'Tower' }),
    starting,
    ready,
  ];
  expect(pick(all, 'Flat', undefined)).toBe(ready.id);
  expect(pick(all, 'Flat', 0)).toBe(starting.id);
  expect(pick(all, 'Flat', 2)).toBeUndefined();
});

test('plan() starts what is wanted where there is room, two at a time', () => {
  expect(plan(room([]), [target(4)])).toEqual({
    start: [
      { rc_name: 'Flat', card: 0 },
      { rc_name: 'Flat', card: 1 },
    ],
    stop: [],
  });
  const two = [held('warm', 'starting'), held('warm', 'starting', { card: 1 })];
  expect(plan(room(two), [target(4)])).toEqual({ start: [], stop: [] });
  const full = [0, 0, 1, 1].map((index) => held('session', 'ready', { card: index }));
  expect(plan(room(full), [target(1)])).toEqual({ start: [], stop: [] });
  expect(plan(room([]), [target(1, { waiting: true })])).toEqual({ start: [], stop: [] });
});

test('plan() stops what is not wanted any more, not yet ready ones first, and what is stale', () => {
  const [ready, starting] = [held('warm', 'ready'), held('warm', 'starting')];
  expect(plan(room([starting, ready]), [target(1)]).stop).toEqual([starting.id]);
  expect(plan(room([starting, ready]), []).stop).toEqual([ready.id, starting.id]);
  const stale = held('warm', 'ready', { stale: true });
  expect(plan(room([stale]), [target(1)])).toEqual({ start: [], stop: [stale.id] });
});

test('plan() starts nothing in the place of one that has not gone yet', () => {
  const leaving = held('warm', 'stopping');
  expect(plan(room([leaving]), [target(1)])).toEqual({ start: [], stop: [] });
  expect(plan(room([leaving]), [target(2)]).start).toHaveLength(1);
});

test('plan() takes for a wish the room of what is merely kept warm, as little as it must, and once', () => {
  const cards = [card(0, 3)];
  const tower = { rc_name: 'Tower', vram_mb: 2_000, encoders: 1 };
  const wish = { ...tower, instances: 0, on: new Map([[0, 1]]), waiting: false };
  const session = held('session', 'ready');
  const [ready, starting] = [held('warm', 'ready'), held('warm', 'starting')];
  const full = [session, ready, starting];
  expect(plan(room(full, cards), [target(2), wish])).toEqual({ start: [], stop: [starting.id] });
  const leaving = { ...starting, state: 'stopping' as const };
  expect(plan(room([session, ready, leaving], cards), [target(2), wish])).toEqual({ start: [], stop: [] });
  expect(plan(room([session, ready], cards), [target(2), wish]).start).toEqual([
    { rc_name: 'Tower', card: 0 },
  ]);
  // What an earlier wish has is not taken for a later one, and no session ever.
  const earlier = target(0, { on: new Map([[0, 2]]) });
  expect(plan(room(full, cards), [earlier, wish])).toEqual({ start: [], stop: [] });
  expect(plan(room([session, session, session], cards), [wish])).toEqual({ start: [], stop: [] });
});

test('warmBackoff() doubles from five seconds to five minutes', () => {
  expect([1, 2, 3, 6, 7, 100].map(warmBackoff)).toEqual([5_000, 10_000, 20_000, 160_000, 300_000, 300_000]);
});

test('plan() starts what is wished for on its card, also beside as many as config.json asks for, and on no other', () => {
  const wish = target(1, { on: new Map([[1, 2]]) });
  const elsewhere = held('warm', 'ready', { card: 0 });
  expect(plan(room([elsewhere]), [wish]).start).toEqual([
    { rc_name: 'Flat', card: 1 },
    { rc_name: 'Flat', card: 1 },
  ]);
  const full = [held('session', 'ready', { card: 1 }), held('session', 'ready', { card: 1 })];
  expect(plan(room([elsewhere, ...full]), [wish]).start).toEqual([]);
});

test('plan() keeps what is wished for on its card, and of the rest only what config.json asks for beyond it', () => {
  const [here, there] = [held('warm', 'ready', { card: 0 }), held('warm', 'starting', { card: 1 })];
  expect(plan(room([here, there]), [target(1, { on: new Map([[1, 1]]) })])).toEqual({
    start: [],
    stop: [here.id],
  });
  expect(plan(room([here, there]), [target(2, { on: new Map([[1, 1]]) })])).toEqual({ start: [], stop: [] });
});
