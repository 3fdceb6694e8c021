import { describe, expect, test } from 'bun:test';
import { fakeClock } from '../../shared/testing/clock.ts';
import { createRates } from './rates.ts';

const shares = { few: { most: 3, window_ms: 60_000 }, many: { most: 100, window_ms: 10_000 } };

describe('createRates()', () => {
  test('createRates() gives each network its share at once, and again within its time', () => {
    const clock = fakeClock();
    const rates = createRates(clock, shares);
    const take = (address: string) => rates.take('few', address);
    expect(['2001:db8::1', '2001:db8::2', '2001:db8::3'].map(take)).toEqual([true, true, true]);
    expect(['2001:db8::4', '2001:db8:0:1::', '192.0.2.1'].map(take)).toEqual([false, true, true]);
    clock.advance(20_000);
    expect([take('2001:db8::1'), take('2001:db8::1')]).toEqual([true, false]);
    expect(rates.take('many', '2001:db8::1')).toBeTrue();
    clock.advance(60_000);
    expect([1, 2, 3, 4].map(() => take('2001:db8::1'))).toEqual([true, true, true, false]);
  });

  test('createRates() takes back what was not needed, and remembers what came too late', () => {
    const clock = fakeClock();
    const rates = createRates(clock, shares);
    for (let at = 0; at < 10; at++) {
      expect(rates.take('few', 'a')).toBeTrue();
      rates.giveBack('few', 'a');
    }
    for (let at = 0; at < 6; at++) rates.note('few', 'a');
    expect(rates.has('few', 'a')).toBeFalse();
    clock.advance(60_000);
    expect(rates.has('few', 'a')).toBeFalse();
    clock.advance(20_000);
    expect(rates.has('few', 'a')).toBeTrue();
  });
});
