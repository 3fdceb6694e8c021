import { describe, expect, test } from 'bun:test';
import {
  afterEnd,
  type BookingSettings,
  type BookingState,
  bookingEvents,
  bookingStates,
  defaultMinutes,
  dueOf,
  holds,
  mayChange,
  nextState,
  visitOf,
} from './rules.ts';

const minute = 60_000;
const settings: BookingSettings = {
  open_ms: 10 * minute,
  start_ms: 2 * minute,
  no_show_ms: 15 * minute,
  days_ahead: 60,
  held_per_account: 20,
  anonymous_per_network: 5,
  most_minutes: 1_440,
};

/** Per state, without and with a session: what each event leads to. "-" is booking_closed, "early" booking_not_open. */
const grid: Record<string, Record<(typeof bookingEvents)[number], string>> = {
  'held none': {
    open: 'open',
    use: 'early',
    miss: 'early',
    cancel: 'cancelled',
    move: 'held',
    relocate: 'held',
    lose: 'lost',
  },
  'open none': {
    open: '-',
    use: 'used',
    miss: 'early',
    cancel: 'cancelled',
    move: '-',
    relocate: 'open',
    lose: 'lost',
  },
  'open some': {
    open: '-',
    use: 'used',
    miss: 'missed',
    cancel: 'cancelled',
    move: '-',
    relocate: '-',
    lose: '-',
  },
};
const over = { open: '-', use: '-', miss: '-', cancel: '-', move: '-', relocate: '-', lose: '-' };

describe('nextState()', () => {
  for (const state of bookingStates) {
    for (const session of ['none', 'some']) {
      if (state === 'held' && session === 'some') continue; // an app is started for an open booking only
      for (const event of bookingEvents) {
        const expected = (grid[`${state} ${session}`] ?? over)[event];
        test(`nextState() of ${state}, session ${session}, on ${event} is ${expected}`, () => {
          const next = nextState({ state, session_id: session === 'some' ? 's' : null }, event);
          const said = typeof next === 'string' ? next : next.refused === 'booking_closed' ? '-' : 'early';
          expect(said).toBe(expected);
        });
      }
    }
  }
});

const starts_at = Date.UTC(2026, 5, 1, 12);
const booking = (state: BookingState, session_id: string | null = null, minutes = 60) => ({
  state,
  session_id,
  starts_at,
  ends_at: starts_at + minutes * minute,
});

test.each([
  ['somebody came', true, false, 1, 0, 'used'],
  ['people ended it before anybody came', false, true, 1, 0, 'missed'],
  ['its app failed in time', false, false, 1, 14.9, 'again'],
  ['its app failed again and again', false, false, 3, -5, 'lost'],
  ['its app failed when it was over', false, false, 1, 15, 'lost'],
] as const)(
  'afterEnd() when %s is what becomes of the booking',
  (_, came, by_people, starts, minutes, next) => {
    const end = { came, by_people, starts };
    expect(afterEnd(booking('open', 's'), end, starts_at + minutes * minute, settings)).toBe(next);
  },
);

test.each<[what: string, one: ReturnType<typeof booking>, minutes: number, due: string | undefined]>([
  ['a held one long before', booking('held'), -10.1, undefined],
  ['a held one whose time is near', booking('held'), -10, 'open'],
  ['a held one that nobody looked at for a while', booking('held'), 14.9, 'open'],
  ['a held one that nobody looked at in time', booking('held'), 15, 'lose'],
  ['an open one before its start', booking('open'), -2.1, 'start_early'],
  ['an open one that was started early', booking('open', 's'), -2.1, undefined],
  ['an open one at its start', booking('open'), -2, 'start'],
  ['an open one that could not be started', booking('open'), 15, 'lose'],
  ['an open one that runs', booking('open', 's'), 14.9, undefined],
  ['an open one to which nobody came', booking('open', 's'), 15, 'miss'],
  ['a short one to which nobody came', booking('open', 's', 10), 10, 'miss'],
  ['a used one', booking('used', 's'), 15, undefined],
  ['a cancelled one', booking('cancelled'), -10, undefined],
])('dueOf() of %s, at %d minutes, is what is to be done', (_, one, minutes, due) => {
  expect(dueOf(one, starts_at + minutes * minute, settings)).toBe(due as ReturnType<typeof dueOf>);
});

const askers: [who: string, asking: Parameters<typeof mayChange>[1], owned: boolean, anonymous: boolean][] = [
  ['nobody', {}, false, false],
  ['its account', { account: { id: 'a', role: 'user' } }, true, false],
  ['another account', { account: { id: 'b', role: 'user' } }, false, false],
  ['its bearer', { token_hash: 'hash' }, false, true],
  ['the bearer of another token', { token_hash: 'other' }, false, false],
];
const staff: typeof askers = [
  ['an operator', { account: { id: 'b', role: 'operator' } }, true, true],
  ['an administrator', { account: { id: 'b', role: 'admin' } }, true, true],
];

test.each([...askers, ...staff])('mayChange() knows what %s may', (_, asking, owned, anonymous) => {
  expect(mayChange({ account_id: 'a', token_hash: null }, asking)).toBe(owned);
  expect(mayChange({ account_id: null, token_hash: 'hash' }, asking)).toBe(anonymous);
});

test.each(askers)('holds() knows whether it is a booking of %s', (_, asking, owned, anonymous) => {
  expect(holds({ account_id: 'a', token_hash: null }, asking)).toBe(owned);
  expect(holds({ account_id: null, token_hash: 'hash' }, asking)).toBe(anonymous);
});

test.each(staff)('holds() makes no difference for %s', (_, asking) => {
  expect(holds({ account_id: 'a', token_hash: null }, asking)).toBe(false);
  expect(holds({ account_id: 'b', token_hash: null }, asking)).toBe(true);
  expect(holds({ account_id: null, token_hash: 'hash' }, asking)).toBe(false);
});

test('defaultMinutes() is a whole number of slots within the longest time', () => {
  const of = (default_minutes: number, max_minutes: number) =>
    defaultMinutes({ default_minutes, max_minutes });
  expect([of(30, 60), of(31, 60), of(58, 59), of(1, 1)]).toEqual([30, 35, 55, 5]);
});

test('visitOf() refuses what is too long, too far ahead or over', () => {
  const now = starts_at;
  const app = { default_minutes: 30, max_minutes: 60 };
  const visit = (at: number, minutes: number) => visitOf(at, minutes, app, now, settings);
  expect(visit(now, 60)).toEqual({ from: now, to: now + 60 * minute });
  expect(visit(now, 65)).toMatchObject({ refused: 'malformed' });
  expect(visit(now + 60 * 1_440 * minute, 5)).toMatchObject({ from: now + 60 * 1_440 * minute });
  expect(visit(now + (60 * 1_440 + 5) * minute, 5)).toMatchObject({ refused: 'malformed' });
  expect(visit(now - 5 * minute, 5)).toEqual({ refused: 'time_past' });
});
