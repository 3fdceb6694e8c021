import { describe, expect, test } from 'bun:test';
import { dayFirst, daysOf, instantOf, isoDate, localTimeOf } from './rules-time.ts';

const utc = (iso: string): number => Date.parse(`${iso}Z`);

/** Transitions as Python's zoneinfo has them: a time that the clock skips there, or shows twice, and what stands beside it. */
const skipped: [
  zone: string,
  date: string,
  time: string,
  before: [string, number],
  after: [string, number],
][] = [
  [
    'Europe/Berlin',
    '2026-03-29',
    '02:30',
    ['01:59', utc('2026-03-29T00:59')],
    ['03:00', utc('2026-03-29T01:00')],
  ],
  [
    'America/New_York',
    '2026-03-08',
    '02:00',
    ['01:59', utc('2026-03-08T06:59')],
    ['03:00', utc('2026-03-08T07:00')],
  ],
  [
    'Australia/Lord_Howe',
    '2026-10-04',
    '02:15',
    ['01:59', utc('2026-10-03T15:29')],
    ['02:30', utc('2026-10-03T15:30')],
  ],
  [
    'Africa/Casablanca',
    '2026-03-22',
    '02:59',
    ['01:59', utc('2026-03-22T01:59')],
    ['03:00', utc('2026-03-22T02:00')],
  ],
  [
    'Asia/Kathmandu',
    '1986-01-01',
    '00:10',
    ['00:15', utc('1985-12-31T18:30')],
    ['00:16', utc('1985-12-31T18:31')],
  ],
  [
    'Pacific/Apia',
    '2011-09-24',
    '03:30',
    ['02:59', utc('2011-09-24T13:59')],
    ['04:00', utc('2011-09-24T14:00')],
  ],
];

const repeated: [zone: string, date: string, time: string, earlier: number, later: number][] = [
  ['Europe/Berlin', '2026-10-25', '02:00', utc('2026-10-25T00:00'), utc('2026-10-25T01:00')],
  ['America/New_York', '2026-11-01', '01:59', utc('2026-11-01T05:59'), utc('2026-11-01T06:59')],
  ['Australia/Lord_Howe', '2026-04-05', '01:30', utc('2026-04-04T14:30'), utc('2026-04-04T15:00')],
  ['Africa/Casablanca', '2026-02-15', '02:30', utc('2026-02-15T01:30'), utc('2026-02-15T02:30')],
  ['Pacific/Apia', '2011-04-02', '03:00', utc('2011-04-02T13:00'), utc('2011-04-02T14:00')],
];

describe('instantOf()', () => {
  test.each(skipped)(
    'instantOf() refuses what the clock of %s skips on %s',
    (zone, date, time, before, after) => {
      expect(instantOf({ zone, date, time })).toEqual({ refused: 'time_skipped' });
      for (const which of ['earlier', 'later'] as const)
        expect(instantOf({ zone, date, time, which })).toEqual({ refused: 'time_skipped' });
      for (const [near, instant] of [before, after])
        expect(instantOf({ zone, date, time: near })).toBe(instant);
    },
  );

  test('instantOf() refuses the whole day that Samoa skipped', () => {
    const zone = 'Pacific/Apia';
    expect(instantOf({ zone, date: '2011-12-30', time: '12:00' })).toEqual({ refused: 'time_skipped' });
    expect(instantOf({ zone, date: '2011-12-31', time: '00:00' })).toBe(utc('2011-12-30T10:00'));
  });

  test.each(repeated)(
    'instantOf() asks which, where %s shows it twice on %s',
    (zone, date, time, earlier, later) => {
      expect(instantOf({ zone, date, time })).toEqual({ refused: 'time_ambiguous' });
      expect(instantOf({ zone, date, time, which: 'earlier' })).toBe(earlier);
      expect(instantOf({ zone, date, time, which: 'later' })).toBe(later);
    },
  );

  test.each([
    ['29/03/2026', '10:00', 'Europe/Berlin', 'year-month-day'],
    ['01-02-2026', '10:00', 'Europe/Berlin', 'year-month-day'],
    ['2026-3-29', '10:00', 'Europe/Berlin', 'year-month-day'],
    ['26-03-29', '10:00', 'Europe/Berlin', 'year-month-day'],
    ['20260329', '10:00', 'Europe/Berlin', 'year-month-day'],
    ['2026-13-01', '10:00', 'Europe/Berlin', 'there is no 2026-13-01'],
    ['2026-02-31', '10:00', 'Europe/Berlin', 'there is no 2026-02-31'],
    ['2026-01-00', '10:00', 'Europe/Berlin', 'there is no 2026-01-00'],
    ['2026-01-01', '24:00', 'Europe/Berlin', 'there is no'],
    ['2026-01-01', '9', 'Europe/Berlin', 'hours:minutes'],
    ['2026-01-01', '10:00', 'Mars/Olympus', 'no time zone'],
    ['2026-01-01', '10:00', '', 'no time zone'],
    ['2026-01-01', '10:00', '+03:00', 'no time zone'],
    ['2026-01-01', '10:00', '2026-01-01T00:00+05:30', 'no time zone'],
  ])('instantOf() refuses %s %s in "%s"', (date, time, zone, detail) => {
    const refusal = instantOf({ date, time, zone });
    expect(refusal).toMatchObject({ refused: 'malformed' });
    expect(JSON.stringify(refusal)).toContain(detail);
  });
});

test('instantOf() takes hours without their zero', () => {
  expect(instantOf({ date: '2026-02-01', time: '9:05', zone: 'UTC' })).toBe(utc('2026-02-01T09:05'));
});

test('localTimeOf() says what instantOf() turns back into the same instant, whenever and wherever', () => {
  const zones = [...new Set([...skipped, ...repeated].map(([zone]) => zone)), 'UTC', 'Europe/Moscow'];
  const from = utc('2009-01-01T00:00');
  const minutes = (utc('2031-01-01T00:00') - from) / 60_000;
  // A step that has no common factor with an hour or a day visits every minute of both.
  for (let at = 0; at < minutes; at += 4_999) {
    const instant = from + at * 60_000;
    const zone = zones[at % zones.length] ?? 'UTC';
    expect(instantOf(localTimeOf(instant, zone))).toBe(instant);
  }
});

test('dayFirst() and isoDate() turn a date into what the verbs write, and back', () => {
  expect(dayFirst('2026-02-01')).toBe('01/02/2026');
  for (const text of ['01/02/2026', '1/2/2026', '1/02/2026']) expect(isoDate(text)).toBe('2026-02-01');
});

test('localTimeOf() shows UTC for what is no zone', () => {
  for (const zone of ['2026-01-01T00:00+05:30', 'Mars/Base', '']) {
    expect(localTimeOf(utc('2026-06-01T10:00'), zone)).toEqual({
      date: '2026-06-01',
      time: '10:00',
      zone: 'UTC',
    });
  }
});

describe('daysOf()', () => {
  const rows: [from: string, to: string, zone: string, answer: [string, string] | string][] = [
    ['2026-06-01', '2026-06-01', 'UTC', ['2026-06-01T00:00', '2026-06-02T00:00']],
    ['2026-03-29', '2026-03-29', 'Europe/Berlin', ['2026-03-28T23:00', '2026-03-29T22:00']],
    ['2026-10-25', '2026-10-26', 'Europe/Berlin', ['2026-10-24T22:00', '2026-10-26T23:00']],
    // The day begins at one o'clock where midnight is skipped.
    ['2026-04-24', '2026-04-24', 'Africa/Cairo', ['2026-04-23T22:00', '2026-04-24T21:00']],
    ['2026-06-01', '2026-07-01', 'UTC', ['2026-06-01T00:00', '2026-07-02T00:00']],
    ['2026-06-01', '2026-07-02', 'UTC', 'malformed'],
    ['2026-06-02', '2026-06-01', 'UTC', 'malformed'],
    ['2026-02-29', '2026-03-01', 'UTC', 'malformed'],
    ['2026-6-1', '2026-06-01', 'UTC', 'malformed'],
    ['2026-06-01', 'tomorrow', 'UTC', 'malformed'],
    ['2026-06-01', '2026-06-01', 'Mars/Base', 'malformed'],
  ];
  for (const [from, to, zone, answer] of rows) {
    test(`daysOf() ${from} to ${to} in ${zone}`, () => {
      const found = daysOf(from, to, zone, 31);
      if (typeof answer === 'string') expect(found).toMatchObject({ refused: answer });
      else expect(found).toEqual({ from: utc(answer[0]), to: utc(answer[1]) });
    });
  }
});
