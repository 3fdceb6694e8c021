import type { Clock } from '../../shared/clock.ts';
import { type Refusal, refuse } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { bounds } from '../limits.ts';

/** Counts wrong session codes by network (see `networkOf`), so that four digits cannot be tried one after the other. */
export interface Guesses {
  /** too_many_messages once the network has used its budget of this minute up. */
  check(network: string): Refusal | undefined;
  wrong(network: string): void;
}

export const createGuesses = (clock: Clock, log: Log): Guesses => {
  const wrong = new Map<string, { since: number; times: number }>();
  const current = (network: string) => {
    const found = wrong.get(network);
    return found !== undefined && clock.monotonic() - found.since < 60_000 ? found : undefined;
  };
  return {
    check: (network) =>
      (current(network)?.times ?? 0) >= bounds.wrong_codes_per_minute
        ? refuse('too_many_messages', 'wrong codes; wait a minute')
        : undefined,
    wrong(network) {
      const { since, times } = current(network) ?? { since: clock.monotonic(), times: 0 };
      log.info({ network, times: times + 1 }, 'a wrong session code');
      wrong.delete(network);
      wrong.set(network, { since, times: times + 1 });
      const [oldest] = wrong.keys();
      if (wrong.size > bounds.networks_remembered && oldest !== undefined) wrong.delete(oldest);
    },
  };
};
