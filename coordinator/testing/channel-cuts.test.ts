import { expect, test } from 'bun:test';
import { runCuts } from './channel-cuts.ts';

test('runCuts() of over 200 links at once, for 0.1 to 72 s, loses and repeats nothing up to 60 s; both ends hear of more', async () => {
  const { faults, ...report } = await runCuts({
    seed: Math.floor(Math.random() * 1_000),
    sessions: 270,
    fast: 0,
    per_second: 1,
    fast_per_second: 1,
    seconds: 70,
    longest_seconds: 72,
  });
  expect(faults).toEqual([]);
  expect(report.link_cuts).toBeGreaterThan(200);
  expect(report.page_cuts).toBeGreaterThan(60);
  expect(report.silent_cuts).toBeGreaterThan(0);
  // All that were longer than a channel waits: 67 s.
  expect(report.ended).toBeGreaterThanOrEqual(10);
  expect(report.longest_resumed_seconds).toBeGreaterThan(59);
}, 900_000);
