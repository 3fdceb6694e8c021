import { expect, test } from 'bun:test';
import { silentLog } from '../../shared/log.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { type Census, onCensus, takeCensus } from './census.ts';

test('takeCensus() finds this process among the children of its parent', () => {
  const { all, children } = takeCensus();
  expect(all.get(process.pid)?.parent).toBe(process.ppid);
  expect(children.get(process.ppid)).toContain(process.pid);
});

test('onCensus() reads /proc once a second for all who look, and not at all when nobody does', () => {
  const clock = fakeClock();
  const seen: Census[][] = [[], []];
  const cancels = seen.map((list) => onCensus(clock, silentLog, (census) => list.push(census)));
  expect(clock.pending()).toBe(1);
  clock.advance(2_000);
  expect(seen[0]).toHaveLength(2);
  expect(seen[0]?.[0]).not.toBe(seen[0]?.[1]);
  expect(seen[1]?.map((census, i) => census === seen[0]?.[i])).toEqual([true, true]);
  cancels[0]?.();
  cancels[0]?.();
  clock.advance(1_000);
  expect(seen.map((list) => list.length)).toEqual([2, 3]);
  cancels[1]?.();
  expect(clock.pending()).toBe(0);
  const again = onCensus(clock, silentLog, () => {});
  cancels[1]?.();
  expect(clock.pending()).toBe(1);
  again();
  expect(clock.pending()).toBe(0);
});

test('onCensus() outlives a look that throws', () => {
  const clock = fakeClock();
  let looks = 0;
  const cancel = onCensus(clock, silentLog, () => {
    looks += 1;
    throw new Error('no more files');
  });
  clock.advance(2_000);
  expect(looks).toBe(2);
  cancel();
});
