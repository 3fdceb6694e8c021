import { describe, expect, test } from 'bun:test';
import { host, newSession } from '../testing/domain.ts';
import { chooseHost, hostsOf, seatsTaken } from './allocation.ts';
import type { Host } from './host.ts';

const map = (...hosts: Host[]) => new Map(hosts.map((one) => [one.name, one]));
const chosen = (hosts: Host[], taken: [string, number][], listed = hosts.map(({ name }) => name)) => {
  const answer = chooseHost('Loft', listed, map(...hosts), new Map(taken));
  return 'refused' in answer ? answer.refused : answer.name;
};

describe('chooseHost()', () => {
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
    test(`chooseHost() ${what}`, () => {
      expect(chosen(hosts, taken)).toBe(answer);
    });
  }

  test('chooseHost() looks only at hosts that the catalogue lists', () => {
    expect(chosen([host('a'), host('b')], [['b', 1]], ['b'])).toBe('b');
    expect(chosen([host('a')], [], [])).toBe('app_offline');
    expect(chooseHost('Loft', undefined, map(host('a')), new Map())).toEqual({
      refused: 'app_unknown',
      detail: 'Loft',
    });
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
