import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import type { Session } from '../sessions/rules-session.ts';
import { host, newSession } from '../testing/domain.ts';
import { seatsFor, seatsFree, seatsOf } from './rules-allocation.ts';
import { type Capacity, capacityOf } from './rules-capacity.ts';
import type { Host, Warm } from './rules-hosts.ts';
import type { Hold } from './rules-plans.ts';

const hour_ms = 3_600_000;
const needs = [
  { rc_name: 'Loft', vram_mb: 4_000, encoders: 1 },
  { rc_name: 'Villa', vram_mb: 9_000, encoders: 1 },
];

/** A host with two cards of two seats and 10,000 MB each. */
const two = (name: string, placing: Capacity['placing'] = 'spread', patch: Partial<Host> = {}): Host =>
  host(name, {
    seats: 4,
    apps: ['Loft', 'Villa'],
    capacity: capacityOf(4, {
      cards: [0, 1].map((index) => ({ index, seats: 2, vram_mb: 10_000, encoders: null })),
      needs,
      placing,
    }),
    ...patch,
  });

const running = (name: string, seat: number, changes: Partial<Session> = {}): Session => ({
  ...newSession(),
  id: `${name}-${seat}`,
  host: name,
  seat,
  ends_at: hour_ms / 2,
  ...changes,
});

interface Given {
  hosts: Host[];
  sessions?: Session[];
  holds?: Hold[];
  draining?: number[];
  app?: string;
}

const at = ({ hosts, sessions = [], holds = [], draining = [] }: Given) => ({
  hosts: new Map(hosts.map((one) => [one.name, one])),
  sessions,
  holds,
  draining: () => draining,
  now: 0,
});

/** The seats offered, best first, as "a3". */
const offered = (given: Given): string[] => {
  const { app = 'Loft', hosts } = given;
  const startable = { name: app, enabled: true, hosts: hosts.map(({ name }) => name) };
  const answer = seatsFor(app, startable, at(given), hour_ms);
  return isRefusal(answer) ? [answer.refused] : answer.map(({ host: name, seat }) => `${name}${seat}`);
};

const warm = (card: number, ready: number, rc_name = 'Loft'): Warm => ({ rc_name, card, ready });

describe('seatsFor() and cards', () => {
  test.each<[what: string, given: Given, seats: string[]]>([
    ['begins with the first card', { hosts: [two('a')] }, ['a0']],
    ['spreads over the cards', { hosts: [two('a')], sessions: [running('a', 0)] }, ['a2']],
    ['fills a card before the next', { hosts: [two('a', 'pack')], sessions: [running('a', 2)] }, ['a3']],
    [
      'goes on to the next card when the fullest has no room',
      { hosts: [two('a', 'pack')], sessions: [running('a', 2, { app: 'Villa' })] },
      ['a0'],
    ],
    [
      'takes the emptiest card of all hosts, then the emptiest host',
      {
        hosts: [two('a'), two('b'), two('c')],
        sessions: [running('a', 0), running('b', 0), running('b', 2)],
      },
      ['c0', 'a2', 'b1'],
    ],
    [
      'fills the fullest host first where hosts pack',
      { hosts: [two('a', 'pack'), two('b', 'pack')], sessions: [running('b', 0)] },
      ['b1', 'a0'],
    ],
    [
      'prefers a card where an instance waits, though another is emptier',
      {
        hosts: [two('a', 'spread', { warm: [warm(1, 1)], heard_at: 1 })],
        sessions: [running('a', 2)],
      },
      ['a3'],
    ],
    ['prefers a warm card', { hosts: [two('a', 'spread', { warm: [warm(1, 1)] })] }, ['a2']],
    [
      'prefers a warm card of another host',
      {
        hosts: [two('a'), two('b', 'spread', { warm: [warm(0, 1)], heard_at: 1 })],
        sessions: [running('b', 0)],
      },
      ['b1', 'a0'],
    ],
    [
      'is not misled by an instance of another app',
      { hosts: [two('a', 'spread', { warm: [warm(1, 1, 'Villa')] })] },
      ['a0'],
    ],
    [
      'is not misled by an instance that has been taken since',
      {
        hosts: [two('a', 'spread', { warm: [warm(0, 1)], heard_at: 0 })],
        sessions: [running('a', 0)],
      },
      ['a2'],
    ],
    ['leaves a draining card alone', { hosts: [two('a')], draining: [0] }, ['a2']],
    ['says servers_busy when all cards drain', { hosts: [two('a')], draining: [0, 1] }, ['servers_busy']],
    [
      'finds no room for a large app beside any other',
      { hosts: [two('a')], sessions: [running('a', 0), running('a', 2)], app: 'Villa' },
      ['servers_busy'],
    ],
    [
      'counts what the host is still stopping where it runs, as the largest app',
      {
        hosts: [two('a', 'pack', { stopping: new Map([['x', 9]]), placed: new Map([['x', 0]]) })],
      },
      ['a2'],
    ],
    [
      'counts a session on the card on which its host says that it runs',
      {
        hosts: [two('a', 'spread', { placed: new Map([['a-0', 1]]) })],
        sessions: [running('a', 0, { app: 'Villa' })],
        app: 'Loft',
      },
      ['a1'],
    ],
    [
      'counts a session that is over until its seat is free',
      {
        hosts: [two('a')],
        sessions: [running('a', 0, { app: 'Villa', ends_at: -1 }), running('a', 2)],
      },
      ['a3'],
    ],
  ])('seatsFor() %s', (_, given, seats) => {
    expect(offered(given)).toEqual(seats);
  });

  test('seatsFor() ends a session before a booking for which the card would have no room beside it', () => {
    const one = two('a', 'spread');
    const hold = (seat: number, app: string, from: number): Hold => ({
      ...{ host: 'a', seat, app, from },
      to: 4 * hour_ms,
    });
    const ask = (holds: Hold[]) =>
      seatsFor(
        'Loft',
        { name: 'Loft', enabled: true, hosts: ['a'] },
        { ...at({ hosts: [one], holds }), draining: () => [1] },
        hour_ms,
      );
    expect(ask([hold(1, 'Villa', hour_ms / 2)])).toEqual([{ host: 'a', seat: 0, until: hour_ms / 2 }]);
    expect(ask([hold(1, 'Loft', hour_ms / 2)])).toEqual([{ host: 'a', seat: 0, until: hour_ms }]);
    expect(ask([hold(1, 'Villa', 60_000)])).toEqual({ refused: 'servers_busy' });
    expect(ask([hold(1, 'Villa', hour_ms)])).toEqual([{ host: 'a', seat: 1, until: hour_ms }]);
  });

  test('seatsFree() counts how many sessions of the app fit, not how many seats are empty', () => {
    const hosts = [two('a'), two('b')];
    const count = (app: string, given: Omit<Given, 'hosts'> = {}) =>
      seatsFree(at({ hosts, ...given }))(app, hosts);
    expect([count('Loft'), count('Villa')]).toEqual([8, 4]);
    const sessions = [running('a', 0, { app: 'Villa' }), running('b', 0)];
    expect([count('Loft', { sessions }), count('Villa', { sessions })]).toEqual([5, 2]);
    expect(count('Loft', { sessions, draining: [0] })).toBe(4);
    const soon = [{ host: 'a', seat: 3, app: 'Villa', from: 60_000, to: hour_ms }];
    expect([count('Loft', { holds: soon }), count('Villa', { holds: soon })]).toEqual([6, 3]);
  });

  test('seatsOf() counts the most sessions of the app that a host can have', () => {
    expect([seatsOf('Loft', two('a'), []), seatsOf('Villa', two('a'), [])]).toEqual([4, 2]);
    expect(seatsOf('Loft', two('a'), [1])).toBe(2);
  });
});
