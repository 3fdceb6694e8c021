import type { Services } from './services.ts';

/** How often what has expired is looked for. */
export const sweep_ms = 10 * 60_000;

/** Removes rows that nobody can use any more: counts, refresh tokens, reset links, signing keys. */
export const removeExpired = ({ db, clock }: Pick<Services, 'db' | 'clock'>): Promise<void> =>
  db.transact(async ({ counters, refresh_tokens, reset_links, signing_keys }) => {
    const expires_at = { to: clock.now() + 1 };
    await counters.remove({ expires_at });
    await refresh_tokens.remove({ expires_at });
    await reset_links.remove({ expires_at });
    await signing_keys.remove({ expires_at });
  });
