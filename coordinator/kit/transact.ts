import { isRefusal, type Refusal } from '../../shared/errors.ts';
import type { Database } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';

class Declined extends Error {
  override readonly name = 'Declined';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.refused);
    this.refusal = refusal;
  }
}

/** A transaction that stores nothing when `work` gives a refusal, whatever it had written by then. */
export const decide = async <T>(
  db: Database,
  work: (tables: Tables) => Promise<T | Refusal>,
): Promise<T | Refusal> => {
  try {
    return await db.transact(async (tables) => {
      const result = await work(tables);
      if (isRefusal(result)) throw new Declined(result);
      return result;
    });
  } catch (error) {
    if (error instanceof Declined) return error.refusal;
    throw error;
  }
};
