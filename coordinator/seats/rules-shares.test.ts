import { describe, expect, test } from 'bun:test';
import { calendarRefusal, partOf, type Shares, type StrangersSession, startRefusal } from './rules-shares.ts';

const shares: Shares = {
  sessions_of_network: 4,
  queue_places_of_network: 4,
  bookings_of_network: 3,
  unused_of_network: 5,
  network_percent: 50,
  seats_percent: 75,
  queue_percent: 75,
  calendar_percent: 50,
};

test('partOf() leaves something where there is more than one, and takes one seat at least', () => {
  const rows = [1, 2, 3, 4, 10, 200].map((seats) => [
    partOf(seats, 50),
    partOf(seats, 75),
    partOf(seats, 100),
  ]);
  expect(rows).toEqual([
    [1, 1, 1],
    [1, 1, 2],
    [1, 2, 3],
    [2, 3, 4],
    [5, 7, 10],
    [100, 150, 200],
  ]);
});

const running = (count: number, host = 'a', from = 0): StrangersSession[] =>
  Array.from({ length: count }, (_, at) => ({ id: `s${from + at}`, host, ends_at: 60_000 * (at + 1) }));

describe('startRefusal()', () => {
  const pool = (seats: number, ...hosts: string[]) => ({ hosts: new Set(hosts), seats });
  const held = (own: StrangersSession[], wide = own) => ({ own, wide });
  const none = held([]);
  const code = (...given: Parameters<typeof startRefusal>) => startRefusal(...given)?.refused;

  test('startRefusal() lets no network hold both of two seats, nor half of a /48 them', () => {
    const one = running(1);
    expect(code(one, none, [pool(2, 'a')], { ...shares, seats_percent: 100 }, 0)).toBeUndefined();
    expect(code(one, held(one), [pool(2, 'a')], shares, 0)).toBe('visitor_share');
    expect(code(one, held([], one), [pool(2, 'a')], shares, 0)).toBe('visitor_share');
    expect(code([], none, [pool(1, 'a')], shares, 0)).toBeUndefined();
  });

  test('startRefusal() lets a network hold a few of many, and a /48 four times as many', () => {
    const four = running(4);
    expect(code(four, held(four), [pool(200, 'a')], shares, 0)).toBe('visitor_share');
    expect(code(running(15), held([], running(15)), [pool(200, 'a')], shares, 0)).toBeUndefined();
    expect(code(running(16), held([], running(16)), [pool(200, 'a')], shares, 0)).toBe('visitor_share');
  });

  test('startRefusal() leaves a part of the seats to accounts, and says until when', () => {
    expect(code(running(149), none, [pool(200, 'a')], shares, 0)).toBeUndefined();
    const refused = startRefusal(running(150), none, [pool(200, 'a')], shares, 10_000);
    expect(refused).toMatchObject({ refused: 'visitors_full', retry_after: 50 });
    expect(code(running(1), none, [pool(2, 'a')], shares, 0)).toBe('visitors_full');
  });

  test('startRefusal() counts seats, whatever app runs on them, for every app of the host', () => {
    // Four seats of one app on two hosts; another has the two of "b" alone.
    const [wide, narrow] = [pool(4, 'a', 'b'), pool(2, 'b')];
    expect(code(running(1, 'b'), none, [wide, narrow], shares, 0)).toBe('visitors_full');
    expect(code(running(1, 'b'), none, [wide], shares, 0)).toBeUndefined();
  });

  test('startRefusal() lets nobody start where a network may have none', () => {
    const refused = startRefusal([], none, [pool(2, 'a')], { ...shares, sessions_of_network: 0 }, 0);
    expect(refused).toEqual({ refused: 'visitor_share', detail: '0 sessions run' });
  });
});

describe('calendarRefusal()', () => {
  const hour = 3_600_000;
  const hours = (from: number, to: number) => ({ from: from * hour, to: to * hour });

  test('calendarRefusal() leaves half of the seats free at every moment', () => {
    expect(calendarRefusal([hours(9, 11)], hours(11, 12), 2, 50)).toBeUndefined();
    expect(calendarRefusal([hours(9, 11)], hours(10, 12), 2, 50)?.refused).toBe('visitors_full');
    expect(calendarRefusal([hours(9, 11), hours(11, 13)], hours(10, 12), 4, 50)).toBeUndefined();
    expect(calendarRefusal([hours(9, 11), hours(10, 13)], hours(10, 12), 4, 50)?.refused).toBe(
      'visitors_full',
    );
  });

  test('calendarRefusal() leaves half of a day of the only seat free', () => {
    const booked = Array.from({ length: 11 }, (_, at) => hours(at, at + 1));
    expect(calendarRefusal(booked, hours(12, 13), 1, 50)).toBeUndefined();
    expect(calendarRefusal([...booked, hours(12, 13)], hours(14, 15), 1, 50)?.refused).toBe('visitors_full');
    // The next day is another one, also for a visit that begins before midnight.
    expect(calendarRefusal([...booked, hours(12, 13)], hours(24, 25), 1, 50)).toBeUndefined();
    expect(calendarRefusal([...booked, hours(12, 13)], hours(23, 25), 1, 50)?.refused).toBe('visitors_full');
  });

  test('calendarRefusal() has nothing against a whole calendar where the operator has not', () => {
    expect(calendarRefusal([hours(0, 24)], hours(0, 24), 1, 100)).toBeUndefined();
  });
});
