import type { Clock } from '../../shared/clock.ts';
import { type Refusal, refuseFor } from '../../shared/errors.ts';

/** Allows `per_second` on average and `burst` at once; says whether `cost` more may pass now. */
export const budget = (clock: Clock, per_second: number, burst: number): ((cost: number) => boolean) => {
  let left = burst;
  let last = clock.monotonic();
  return (cost) => {
    const now = clock.monotonic();
    left = Math.min(burst, left + ((now - last) / 1_000) * per_second);
    last = now;
    if (left < cost) return false;
    left -= cost;
    return true;
  };
};

/** What is said to who has to wait so long for its network's share. */
export const beyondRate = (wait_ms: number): Refusal => refuseFor('too_many_messages', wait_ms);
