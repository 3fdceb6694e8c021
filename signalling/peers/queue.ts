/** Commands that may wait for the store. */
const waiting_max = 400;

/** Runs a task after those before it; false when too many wait already. */
export type Queue = (task: () => Promise<void>) => boolean;

/** Does one thing after another, so that what a peer sends is done in its order. */
export const createQueue = (failed: (error: unknown) => void): Queue => {
  let last = Promise.resolve();
  let waiting = 0;
  return (task) => {
    if (waiting >= waiting_max) return false;
    waiting += 1;
    last = last
      .then(task)
      .catch(failed)
      .finally(() => {
        waiting -= 1;
      });
    return true;
  };
};
