import type { Services } from './services.ts';

/** How often what has expired is looked for. */
const sweep_ms = 60_000;

/** Removes rows that nobody can use any more: counts, codes out of quarantine, repeated answers, tokens, links, keys. */
export const removeExpired = ({ db, clock }: Pick<Services, 'db' | 'clock'>): Promise<void> =>
  db.transact(async (tables) => {
    const past = { to: clock.now() + 1 };
    await tables.codes.remove({ free_at: past });
    await tables.counters.remove({ expires_at: past });
    await tables.enrolments.remove({ expires_at: past });
    await tables.idempotency.remove({ expires_at: past });
    await tables.refresh_tokens.remove({ expires_at: past });
    await tables.reset_links.remove({ expires_at: past });
    await tables.signing_keys.remove({ expires_at: past });
  });

/** Removes what has expired, once a minute. */
export const createSweep = (services: Pick<Services, 'db' | 'clock'>): (() => Promise<void>) => {
  let due = services.clock.now() + sweep_ms;
  return async () => {
    if (services.clock.now() < due) return;
    due = services.clock.now() + sweep_ms;
    await removeExpired(services);
  };
};
