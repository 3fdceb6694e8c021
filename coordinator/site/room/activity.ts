import type { Cancel, Clock } from '../../../shared/clock.ts';

/** While there is input the coordinator hears of it this often: far below the shortest idle time. */
export const tell_every_ms = 15_000;

const inputs = ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchstart'] as const;

/**
 * Calls `tell` at once, since whoever opens the page is there, and then after input, at most every 15 s. The function
 * returned ends it.
 */
export const watchActivity = (
  target: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>,
  tell: () => void,
  clock: Clock,
): Cancel => {
  let told = clock.monotonic();
  const input = () => {
    if (clock.monotonic() - told < tell_every_ms) return;
    told = clock.monotonic();
    tell();
  };
  for (const name of inputs) target.addEventListener(name, input, { capture: true, passive: true });
  tell();
  return () => {
    for (const name of inputs) target.removeEventListener(name, input, { capture: true });
  };
};
