import type { Clock } from '../shared/clock.ts';

/** Resolves after `ms` milliseconds. */
export const sleep = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(ms, resolve);
  });

/** Whether `done` came within `ms` milliseconds. */
export const within = async (clock: Clock, ms: number, done: Promise<unknown>): Promise<boolean> => {
  let cancel = () => {};
  const late = new Promise<false>((resolve) => {
    cancel = clock.after(ms, () => resolve(false));
  });
  const first = await Promise.race([done.then(() => true), late]);
  cancel();
  return first;
};
