import { type Refusal, refuse } from '../../shared/errors.ts';
import { bounds } from '../kit/limits.ts';
import type { Services } from '../kit/services.ts';
import { type Budget, countHits, hitsLeft, returnHits, transactAgain } from '../kit/throttle.ts';

/** A code that somebody types: where, and whom the caller is counted as (see `networkOf`). */
export interface Guess {
  readonly code: string;
  readonly network: string;
  /** The app on whose page it was typed, if it was on one. */
  readonly app?: string | undefined;
  /** What the session's owner is to call them. */
  readonly name?: string | undefined;
}

/**
 * What wrong codes may cost in half an hour, over all coordinators: of one network, and of one app, or of all callers who
 * name no app. A code has four digits, so the budget of the target is what keeps any number of addresses from finding it.
 */
const budgetsOf = ({ network, app }: Guess): readonly Budget[] => {
  const window_ms = bounds.wrong_codes_ms;
  const target: Budget =
    app === undefined
      ? { name: 'codes without an app', window_ms, most: bounds.wrong_codes_without_app }
      : { name: `codes of ${app}`, window_ms, most: bounds.wrong_codes_of_app };
  return [{ name: `codes from ${network}`, window_ms, most: bounds.wrong_codes_of_network }, target];
};

/**
 * Looks a typed code up unless a budget of wrong ones is used up: 'not looked at' then, right or wrong. The guess is paid
 * for before it is looked at and paid back when it was right, so that no number of guesses at the same time gets more looked
 * at. Refused with code_unknown.
 */
export const guess = async <T extends object>(
  services: Services,
  by: Guess,
  look: () => Promise<T | Refusal | undefined>,
): Promise<T | Refusal | 'not looked at'> => {
  const { clock, db, log } = services;
  const { network, app } = by;
  const budgets = budgetsOf(by);
  const at = clock.now();
  // Who guesses on after the budget is used up waits for no lock, and makes nobody wait.
  if (!(await hitsLeft(services, budgets)) || !(await countHits(services, budgets))) {
    log.info({ network, app }, 'a session code was not looked at: too many wrong ones');
    return 'not looked at';
  }
  const found = await look();
  if (found === undefined) {
    log.info({ network, app }, 'a wrong session code');
    return refuse('code_unknown');
  }
  await transactAgain(db, (tables) => returnHits(tables, budgets, at));
  return found;
};
