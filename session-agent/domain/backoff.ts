const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/** While players wait to be resumed, who have a minute in all. */
const HURRIED_MS = 2_000;

/** A link that lived this long was good: the next redial starts from the shortest wait again. */
export const good_link_ms = 5_000;

/**
 * How long to wait before redial number `attempt` (0 is the first), in ms: full jitter, uniform in [0, bound), where the
 * bound doubles from 0.5 s to 30 s, or to 2 s in a hurry. `below` draws a whole number in [0, n), as `Ids.below`.
 */
export const backoff = (attempt: number, below: (bound: number) => number, hurried = false): number =>
  below(Math.min(hurried ? HURRIED_MS : LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10)));
