import { type Database, Taken } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';
import type { Services } from './services.ts';

/** At most `most` hits of `name` (up to 200 characters) in any `window_ms`, over all coordinators. */
export interface Budget {
  readonly name: string;
  readonly window_ms: number;
  readonly most: number;
}

type Counters = Pick<Tables, 'counters'>;

/**
 * A window moves on in slices, each counted in a row of its own. The slice that a window begins in counts whole, so that
 * no window sees more than the budget; a hit is forgotten a sixth of the window late at most.
 */
const slices = 6;
/** The row at this instant counts nothing: who holds its lock may count. */
const anchor_at = 0;
/** How often a transaction is tried again when another coordinator was the first to add the same row. */
const attempts = 5;

const sliceMs = ({ window_ms }: Budget): number => Math.ceil(window_ms / slices);

const sliceAt = (budget: Budget, at: number): number => at - (at % sliceMs(budget));

const inOrder = (budgets: readonly Budget[]): Budget[] =>
  budgets.toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));

/** Runs the transaction again when it lost a race for a key: the row that it missed is there then. */
export const transactAgain = async <T>(db: Database, work: (tables: Tables) => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transact(work);
    } catch (error) {
      if (!(error instanceof Taken) || attempt >= attempts) throw error;
    }
  }
};

/** Hits of the budget in its window. */
export const spentHits = async (
  { counters }: { readonly counters: Pick<Tables['counters'], 'find'> },
  budget: Budget,
  now: number,
): Promise<number> => {
  const from = Math.max(anchor_at + 1, sliceAt(budget, now - budget.window_ms));
  const rows = await counters.find({ name: budget.name, window_at: { from } });
  return rows.reduce((sum, { hits }) => sum + hits, 0);
};

/** Waits until nobody else counts hits of the budget, until this transaction has ended. */
export const hold = async ({ counters }: Counters, budget: Budget, now: number): Promise<void> => {
  const key = { name: budget.name, window_at: anchor_at };
  const expires_at = now + 2 * budget.window_ms;
  const held = await counters.lock(key);
  if (held === undefined) await counters.insert({ ...key, hits: 0, expires_at });
  // It has to outlive its slices only, so it is seldom written.
  else if (held.expires_at < now + budget.window_ms + sliceMs(budget)) {
    await counters.update(key, { expires_at });
  }
};

/**
 * Takes a hit from every budget, or from none when one of them is used up; says whether it did. Taking first and giving
 * back later is what keeps any number of attempts at the same time within the budget. For use inside `transactAgain`.
 */
export const takeHits = async (
  tables: Counters,
  budgets: readonly Budget[],
  now: number,
): Promise<boolean> => {
  const sorted = inOrder(budgets);
  for (const budget of sorted) await hold(tables, budget, now);
  for (const budget of sorted) if ((await spentHits(tables, budget, now)) >= budget.most) return false;
  for (const budget of sorted) {
    const key = { name: budget.name, window_at: sliceAt(budget, now) };
    const row = await tables.counters.lock(key);
    if (row !== undefined) await tables.counters.update(key, { hits: row.hits + 1 });
    else {
      const expires_at = key.window_at + budget.window_ms + sliceMs(budget);
      await tables.counters.insert({ ...key, hits: 1, expires_at });
    }
  }
  return true;
};

/** Gives the hits back that were taken at `at`: the attempt was none that counts. */
export const returnHits = async (
  { counters }: Counters,
  budgets: readonly Budget[],
  at: number,
): Promise<void> => {
  for (const budget of inOrder(budgets)) {
    const key = { name: budget.name, window_at: sliceAt(budget, at) };
    const row = await counters.lock(key);
    if (row !== undefined && row.hits > 0) await counters.update(key, { hits: row.hits - 1 });
  }
};

/** `takeHits` as a transaction of its own. */
export const countHits = (
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  budgets: readonly Budget[],
): Promise<boolean> => transactAgain(db, (tables) => takeHits(tables, budgets, clock.now()));

/** In how many ms a budget that is used up has a hit again. */
export const untilHit = async (
  { counters }: { readonly counters: Pick<Tables['counters'], 'find'> },
  budget: Budget,
  now: number,
): Promise<number> => {
  const from = Math.max(anchor_at + 1, sliceAt(budget, now - budget.window_ms));
  const [oldest] = (await counters.find({ name: budget.name, window_at: { from } }))
    .filter(({ hits }) => hits > 0)
    .map(({ window_at }) => window_at)
    .toSorted((a, b) => a - b);
  return oldest === undefined ? 0 : Math.max(0, oldest + budget.window_ms + sliceMs(budget) - now);
};

/** Whether each budget has a hit left; counts nothing. */
export const hitsLeft = (
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  budgets: readonly Budget[],
): Promise<boolean> =>
  db.read(async (tables) => {
    for (const budget of budgets) {
      if ((await spentHits(tables, budget, clock.now())) >= budget.most) return false;
    }
    return true;
  });

/** Forgets every hit of the budget. */
export const resetHits = ({ db }: Pick<Services, 'db'>, { name }: Pick<Budget, 'name'>): Promise<unknown> =>
  db.transact(({ counters }) => counters.remove({ name }));
