import { expect, test } from 'bun:test';
import { createLog } from '../shared/log.ts';
import { fakeClock } from '../shared/testing/clock.ts';
import { watchLimits } from './watch.ts';

/** Lets what waits for a promise run. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('watchLimits() says once that it cannot look at the memory, goes on looking, and nothing is thrown', async () => {
  const clock = fakeClock();
  const lines: string[] = [];
  const big: string[] = [];
  let asked = 0;
  const cancel = watchLimits({
    app: { memory_mb: 100, longest_minutes: undefined },
    clock,
    log: createLog('session-agent', 'info', { write: (line: string) => void lines.push(line) }),
    memory: async () => {
      asked++;
      if (asked < 3) throw new Error('powershell.exe cannot be started');
      return 200 * 1024 * 1024;
    },
    since: () => undefined,
    too_big: (detail) => big.push(detail),
    too_long: () => {},
  });
  for (let look = 0; look < 60 && big.length === 0; look++) {
    clock.advance(1_000);
    await turn();
  }
  expect(asked).toBe(3);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('powershell.exe cannot be started');
  expect(big).toEqual(['it takes 200 MB of memory, and may take 100']);
  cancel();
  expect(clock.pending()).toBe(0);
});
