import { type Refusal, refuseFor } from '../../shared/errors.ts';
import { digest } from '../kit/secrets.ts';
import type { Services } from '../kit/services.ts';
import { type Budget, returnHits, spentHits, takeHits, transactAgain } from '../kit/throttle.ts';
import type { Tables } from '../store/tables.ts';

/** Somebody who says that this account is theirs. */
export interface Attempt {
  /** As accounts are known by; whether there is such an account makes no difference. */
  readonly email: string;
  /** Whom the attempt is counted as: a device that is known to the account, or the network that a stranger comes from. */
  readonly by: { readonly device: string } | { readonly network: string };
}

/** A password may be looked at: at whose expense. */
export interface Turn {
  readonly attempt: Attempt;
  readonly at: number;
  /** Nothing was left of the budgets, but this caller has waited; so many times before. */
  readonly waited: number | undefined;
}

const minute = 60_000;
/** Wrong passwords in any half hour that are looked at without a wait. */
const window_ms = 30 * minute;
const most = { account: 10, device: 10, network: 30 } as const;
/** The first wait of a caller, the longest one, and how long it is remembered that somebody has waited. */
const wait_ms = minute;
const longest_wait_ms = 15 * minute;
const remembered_ms = 30 * minute;
/** Invented addresses are many: they share so many rows. Two that share one slow each other down, which is all. */
const buckets = 4_096;
const wait_buckets = 65_536;

const bucketOf = (text: string, of: number): number => digest(text).readUInt32BE() % of;

/** What a wrong password counts against. A known device has a budget of its own, which no stranger uses up. */
export const budgetsOf = ({ email, by }: Attempt): readonly Budget[] => {
  if ('device' in by) {
    const name = `login:device:${digest(`${email} ${by.device}`).toString('base64url')}`;
    return [{ name, window_ms, most: most.device }];
  }
  return [
    { name: `login:account:${bucketOf(email, buckets)}`, window_ms, most: most.account },
    { name: `login:network:${bucketOf(by.network, buckets)}`, window_ms, most: most.network },
  ];
};

/** How many callers have begun to wait at the account. */
const waitsAt = ({ email }: Attempt): Budget => ({
  name: `login:waits:${bucketOf(email, buckets)}`,
  window_ms,
  most: Number.POSITIVE_INFINITY,
});

/** The row of a caller's wait at an account: `hits` counts its waits; it is over `remembered_ms` before the row expires. */
const waitKey = ({ email, by }: Attempt) => {
  const who = 'device' in by ? `device ${by.device}` : `network ${by.network}`;
  return { name: `login:wait:${bucketOf(`${email}\n${who}`, wait_buckets)}`, window_at: 0 };
};

type Counters = Pick<Tables, 'counters'>;

/**
 * Takes the attempt from its budgets; or, where nothing is left of them, lets each caller wait for a turn of its own, which
 * nobody else can use up: a minute first, twice as long after each wrong password, a minute for each caller that waits at the
 * account, and never longer than 15 minutes. A turn, or the ms until there is one.
 */
const takeTurn = async (tables: Counters, attempt: Attempt, at: number): Promise<Turn | number> => {
  if (await takeHits(tables, budgetsOf(attempt), at)) return { attempt, at, waited: undefined };
  const key = waitKey(attempt);
  const row = await tables.counters.lock(key);
  const known = row !== undefined && row.expires_at > at;
  const due = known ? row.expires_at - remembered_ms : at;
  if (due > at) return due - at;
  const waited = known ? row.hits : 0;
  const queue = waitsAt(attempt);
  await takeHits(tables, [queue], at);
  const wait = Math.min(
    longest_wait_ms,
    wait_ms * Math.max(2 ** Math.min(waited, 10), await spentHits(tables, queue, at)),
  );
  const next = { hits: waited + 1, expires_at: at + wait + remembered_ms };
  if (row === undefined) await tables.counters.insert({ ...key, ...next });
  else await tables.counters.update(key, next);
  return known ? { attempt, at, waited } : wait;
};

/** The turn to have one password looked at; login_throttled, with the time until the next one, when it is not there yet. */
export const beginAttempt = async (
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  attempt: Attempt,
): Promise<Turn | Refusal> => {
  const turn = await transactAgain(db, (tables) => takeTurn(tables, attempt, clock.now()));
  if (typeof turn !== 'number') return turn;
  return refuseFor('login_throttled', turn);
};

/** Nobody had the time to look: the turn is as it was before. */
export const returnTurn = async (tables: Counters, { attempt, at, waited }: Turn): Promise<void> => {
  if (waited === undefined) return returnHits(tables, budgetsOf(attempt), at);
  await tables.counters.update(waitKey(attempt), { hits: waited, expires_at: at + remembered_ms });
};

/** The password was right: it counts for nothing, and whoever waited need not wait any more. */
export const forgetAttempt = async (tables: Counters, { attempt, at, waited }: Turn): Promise<void> => {
  if (waited === undefined) await returnHits(tables, budgetsOf(attempt), at);
  await tables.counters.remove(waitKey(attempt));
};
