import { systemClock } from '../../shared/clock.ts';

const rounded = (value: number | undefined): number => Math.round((value ?? 0) * 10) / 10;

/** Half, all but one in a hundred, and all of the times were at most so long; in ms. */
export const percentiles = (took_ms: readonly number[]) => {
  const sorted = took_ms.toSorted((a, b) => a - b);
  const part = (share: number) => rounded(sorted[Math.floor((sorted.length - 1) * share)]);
  return { p50_ms: part(0.5), p99_ms: part(0.99), most_ms: rounded(sorted.at(-1)) };
};

/** How long the work took, in ms. */
export const timed = async (run: () => Promise<unknown>): Promise<number> => {
  const from = systemClock.monotonic();
  await run();
  return systemClock.monotonic() - from;
};

/** Runs the work `count` times, so many at a time, and tells how long each took and all together. */
export const inParallel = async (
  count: number,
  at_once: number,
  run: () => Promise<unknown>,
): Promise<{ took_ms: number[]; all_ms: number }> => {
  const took_ms: number[] = [];
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      took_ms.push(await timed(run));
    }
  };
  const all_ms = await timed(() => Promise.all(Array.from({ length: at_once }, worker)));
  return { took_ms, all_ms };
};
