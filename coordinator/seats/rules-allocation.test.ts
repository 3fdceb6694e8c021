import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import type { Session } from '../sessions/rules-session.ts';
import { host, newSession } from '../testing/domain.ts';
import { emptySeats, hostsOf, seatsFor, seatsTaken } from './rules-allocation.ts';
import type { Host } from './rules-hosts.ts';
import type { Hold } from './rules-plans.ts';

const map = (...hosts: Host[]) => new Map(hosts.map((one) => [one.name, one]));
const hour_ms = 3_600_000;
const busy = (name: string, count: number): Session[] =>
  Array.from({ length: count }, (_, seat) => ({ ...newSession(), id: `${name}${seat}`, host: name, seat }));
const seats = (
  hosts: Host[],
  taken: [string, number][],
  listed = hosts.map(({ name }) => name),
  holds: Hold[] = [],
) =>
  seatsFor(
    'Loft',
    { name: 'Loft', enabled: true, hosts: listed },
    { hosts: map(...hosts), sessions: taken.flatMap(([name, count]) => busy(name, count)), holds, now: 0 },
    hour_ms,
  );
const chosen = (...given: Parameters<typeof seats>) => {
  const answer = seats(...given);
  return isRefusal(answer) ? answer.refused : answer[0]?.host;
};

describe('seatsFor()', () => {
  const rows: [what: string, hosts: Host[], taken: [string, number][], answer: string][] = [
    ['takes the only host', [host('a')], [], 'a'],
    [
      'prefers the less loaded by share',
      [host('a', { seats: 4 }), host('b')],
      [
        ['a', 1],
        ['b', 1],
      ],
      'a',
    ],
    ['prefers more free seats among equals', [host('a', { seats: 1 }), host('b', { seats: 3 })], [], 'b'],
    ['is repeatable among true equals', [host('b'), host('a')], [], 'a'],
    [
      'passes over a full host',
      [host('a', { seats: 1 }), host('b')],
      [
        ['a', 1],
        ['b', 1],
      ],
      'b',
    ],
    ['says servers_busy when all are full', [host('a', { seats: 1 })], [['a', 1]], 'servers_busy'],
    ['says servers_busy when a host shrank', [host('a', { seats: 1 })], [['a', 3]], 'servers_busy'],
    ['says app_offline when the host is away', [host('a', { lost_at: 9 })], [], 'app_offline'],
    ['says app_offline when the agent lacks the app', [host('a', { apps: ['Villa'] })], [], 'app_offline'],
  ];
  for (const [what, hosts, taken, answer] of rows) {
    test(`seatsFor() ${what}`, () => {
      expect(chosen(hosts, taken)).toBe(answer);
    });
  }

  test('seatsFor() looks only at hosts that the catalogue lists', () => {
    expect(chosen([host('a'), host('b')], [['b', 1]], ['b'])).toBe('b');
    expect(chosen([host('a')], [], [])).toBe('app_offline');
    const at = { hosts: map(host('a')), sessions: [], holds: [], now: 0 };
    expect(seatsFor('Loft', undefined, at, hour_ms)).toEqual({ refused: 'app_unknown', detail: 'Loft' });
    const off = { name: 'Loft', enabled: false, hosts: ['a'] };
    expect(seatsFor('Loft', off, at, hour_ms)).toEqual({ refused: 'app_disabled' });
  });

  test('seatsFor() leaves booked time alone: whole seats first, then the longest that a booking cuts short', () => {
    const half = hour_ms / 2;
    const hold = (name: string, seat: number, from: number): Hold => ({
      host: name,
      seat,
      from,
      to: 4 * hour_ms,
      app: 'Loft',
    });
    const one = [host('a', { seats: 1 }), host('b', { seats: 1 })];
    expect(seats(one, [], ['a', 'b'], [hold('a', 0, half)])).toEqual([
      { host: 'b', seat: 0, until: hour_ms },
      { host: 'a', seat: 0, until: half },
    ]);
    expect(seats(one, [], ['a', 'b'], [hold('a', 0, half), hold('b', 0, half + 1)])).toEqual([
      { host: 'b', seat: 0, until: half + 1 },
      { host: 'a', seat: 0, until: half },
    ]);
    // A seat that is booked soon after serves better than one that is free for days.
    expect(seats([host('a')], [], ['a'], [hold('a', 1, hour_ms)])).toEqual([
      { host: 'a', seat: 1, until: hour_ms },
    ]);
    expect(seats([host('a', { seats: 1 })], [], ['a'], [hold('a', 0, 299_999)])).toEqual({
      refused: 'servers_busy',
    });
    expect(seats([host('a', { seats: 1 })], [], ['a'], [hold('a', 0, 300_000)])).toHaveLength(1);
  });
});

test('seatsTaken() counts held seats and what a host is still stopping', () => {
  const stopping = new Map([
    ['x', 100],
    ['y', 50],
  ]);
  const sessions = [newSession(), { ...newSession(), seat_held: false }];
  expect(seatsTaken([host('h', { stopping })], sessions, 60).get('h')).toBe(2);
  expect(seatsTaken([host('h', { stopping })], sessions, 100).get('h')).toBe(1);
});

test('hostsOf() leaves out hosts that are not connected', () => {
  expect(hostsOf('Loft', ['a', 'b', 'c'], map(host('a'), host('b', { lost_at: 1 })))).toEqual([host('a')]);
});

test('seatsFor() counts seats that are just being given away as used, and offers them last', () => {
  const startable = { name: 'Loft', enabled: true, hosts: ['a', 'b'] };
  const at = { hosts: map(host('a'), host('b')), sessions: [], holds: [], now: 0 };
  const first = (starting: ReadonlyMap<string, number>) => {
    const answer = seatsFor('Loft', startable, { ...at, starting }, hour_ms);
    return isRefusal(answer) ? answer.refused : answer.map((seat) => seat.host);
  };
  expect(first(new Map())).toEqual(['a', 'b']);
  expect(first(new Map([['a', 1]]))).toEqual(['b', 'a']);
});

test('emptySeats() gives the seats of this host on which no session holds on', () => {
  const sessions = [
    ...busy('a', 1),
    ...busy('b', 2),
    { ...newSession(), host: 'a', seat: 1, seat_held: false },
  ];
  expect(emptySeats(host('a', { seats: 3 }), sessions)).toEqual([1, 2]);
});
