import { heapStats } from 'bun:jsc';
import { readFileSync } from 'node:fs';

/**
 * Preloaded into a server under test (`bun --preload`): watches its event loop from within. A turn is the time between
 * two ticks of a timer. What counts is the processor time of the turn, which a busy machine does not stretch. SIGUSR2
 * makes it log the longest turn since the last SIGUSR2, and the memory in use after a full collection.
 */
const tick_ms = 10;

/** Time that this thread has spent on a processor, ms. */
const threadMs = (): number =>
  Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;

let longest = 0;
let last = threadMs();

const tick = (): void => {
  const now = threadMs();
  longest = Math.max(longest, now - last);
  last = now;
};

setInterval(tick, tick_ms).unref();

process.on('SIGUSR2', () => {
  tick();
  const longest_turn_ms = longest;
  Bun.gc(true);
  const { heapSize, objectCount } = heapStats();
  const rss = process.memoryUsage.rss();
  process.stdout.write(
    `${JSON.stringify({ msg: 'inside', longest_turn_ms, heap_bytes: heapSize, objects: objectCount, rss })}\n`,
  );
  longest = 0;
  last = threadMs();
});
