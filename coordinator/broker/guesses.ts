import type { Clock } from '../../shared/clock.ts';
import { type Refusal, refuse } from '../../shared/errors.ts';
import { bounds } from '../limits.ts';

/** Counts wrong session codes by address, so that four digits cannot be tried one after the other. */
export interface Guesses {
  /** too_many_messages once the address has used its budget of this minute up. */
  check(address: string): Refusal | undefined;
  wrong(address: string): void;
}

export const createGuesses = (clock: Clock): Guesses => {
  const wrong = new Map<string, { since: number; times: number }>();
  const current = (address: string) => {
    const found = wrong.get(address);
    return found !== undefined && clock.monotonic() - found.since < 60_000 ? found : undefined;
  };
  return {
    check: (address) =>
      (current(address)?.times ?? 0) >= bounds.wrong_codes_per_minute
        ? refuse('too_many_messages', 'wrong codes; wait a minute')
        : undefined,
    wrong(address) {
      const { since, times } = current(address) ?? { since: clock.monotonic(), times: 0 };
      wrong.delete(address);
      wrong.set(address, { since, times: times + 1 });
      const [oldest] = wrong.keys();
      if (wrong.size > bounds.addresses_remembered && oldest !== undefined) wrong.delete(oldest);
    },
  };
};
