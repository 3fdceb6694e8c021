import { portion, type Removals } from '../kit/sweep.ts';

/** What was remembered of strangers while it mattered. */
export const strangerRemovals: Removals = {
  knocks: ({ knocks }, now) => knocks.remove({ expires_at: { to: now + 1 } }, portion),
  strangers: ({ strangers }, now) => strangers.remove({ expires_at: { to: now + 1 } }, portion),
};
