import { expect, test } from 'bun:test';
import { cpus } from 'node:os';
import { cpuPercent, cpuTimes } from './cpu.ts';

test('cpuTimes() adds all processors, as the runtime shows them', () => {
  const one = { times: { user: 1, nice: 2, sys: 3, idle: 4, irq: 5 } };
  expect(cpuTimes([one, one])).toEqual({ idle: 8, all: 30 });
  expect(cpuTimes(cpus()).all).toBeGreaterThan(0);
});

test.each<[what: string, before: [number, number], after: [number, number], percent: number | null]>([
  ['a busy half', [100, 200], [150, 300], 50],
  ['one decimal', [0, 0], [2, 3], 33.3],
  ['all of it', [7, 100], [7, 200], 100],
  ['none of it', [0, 100], [100, 200], 0],
  ['no time', [5, 100], [5, 100], null],
  ['a processor that has gone', [50, 100], [40, 90], null],
  ['idle time that ran backwards', [50, 100], [40, 200], null],
])('cpuPercent() of %s', (_, [idle, all], [idle_after, all_after], percent) => {
  expect(cpuPercent({ idle, all }, { idle: idle_after, all: all_after })).toBe(percent);
});
