import { expect, test } from 'bun:test';
import { portRangeWithin } from './port-range.ts';

test('portRangeWithin() stays in its span, and is as long as asked for', () => {
  for (let i = 0; i < 200; i++) {
    const { from, to } = portRangeWithin(10_000, 10_000, 40);
    expect(from >= 10_000 && to < 20_000 && to - from === 39).toBe(true);
  }
});
