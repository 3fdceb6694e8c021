import { describe, expect, test } from 'bun:test';
import type { QuotaPeriod } from '../kit/rules-time.ts';
import { isLimited, quotaPeriodOf, withinQuota } from './rules-quotas.ts';

const utc = (iso: string): number => Date.parse(`${iso}Z`);

describe('quotaPeriodOf()', () => {
  const rows: [kind: QuotaPeriod, at: string, from: string, to: string][] = [
    ['day', '2026-11-21T23:59:59.999', '2026-11-21T00:00', '2026-11-22T00:00'],
    ['day', '2026-11-22T00:00', '2026-11-22T00:00', '2026-11-23T00:00'],
    ['week', '2026-11-21T12:00', '2026-11-16T00:00', '2026-11-23T00:00'],
    ['week', '2026-11-22T23:59', '2026-11-16T00:00', '2026-11-23T00:00'],
    ['week', '2026-11-23T00:00', '2026-11-23T00:00', '2026-11-30T00:00'],
    ['week', '2027-01-01T12:00', '2026-12-28T00:00', '2027-01-04T00:00'],
    ['month', '2026-11-21T12:00', '2026-11-01T00:00', '2026-12-01T00:00'],
    ['month', '2026-12-31T23:59', '2026-12-01T00:00', '2027-01-01T00:00'],
    ['month', '2028-02-29T00:00', '2028-02-01T00:00', '2028-03-01T00:00'],
  ];
  for (const [kind, at, from, to] of rows) {
    test(`quotaPeriodOf() a ${kind} around ${at}`, () => {
      expect(quotaPeriodOf(kind, utc(at))).toEqual({ from: utc(from), to: utc(to) });
    });
  }
});

test('withinQuota() allows up to the limit, and says what is used until when beyond it', () => {
  const until = utc('2026-11-23T00:00');
  const ask = (sessions: number, minutes: number, limits: Parameters<typeof withinQuota>[2]) =>
    withinQuota({ sessions, minutes }, { sessions: 1, minutes: 30 }, limits, { now: until - 1_500, until });
  expect(ask(99, 999, { sessions: null, minutes: null })).toBeUndefined();
  expect(ask(2, 60, { sessions: 3, minutes: 90 })).toBeUndefined();
  expect(ask(3, 0, { sessions: 3, minutes: null })).toEqual({
    refused: 'quota_exceeded',
    detail: '3 of 3 sessions are used until 2026-11-23T00:00:00.000Z',
    retry_after: 2,
  });
  expect(ask(1, 61, { sessions: 3, minutes: 90 })?.detail).toContain('61 of 90 minutes');
  expect(ask(0, 0, { sessions: 0, minutes: null })?.refused).toBe('quota_exceeded');
});

test('isLimited() tells a limit of 0 from none', () => {
  expect([
    isLimited({ sessions: null, minutes: null }),
    isLimited({ sessions: 0, minutes: null }),
    isLimited({ sessions: null, minutes: 5 }),
  ]).toEqual([false, true, true]);
});
