import { randomInt } from 'node:crypto';

/** Each worker of `bun test --parallel` has its own part, so that files that run side by side never meet. */
const workers = 2;
const worker = Number(process.env.BUN_TEST_WORKER_ID ?? 1) % workers;

/**
 * So many ports at random within [from, from + span), below the kernel's own: what listens there is this worker's, or another
 * run's, which is rare.
 */
export const portRangeWithin = (from: number, span: number, size: number): { from: number; to: number } => {
  const part = span / workers;
  const first = from + worker * part + randomInt(Math.floor(part / size)) * size;
  return { from: first, to: first + size - 1 };
};
