import { type Refusal, refuse } from '../../shared/errors.ts';
import type { Tables } from '../store/tables.ts';
import { rulesFor } from './booking-rules.ts';
import type { Services } from './services.ts';

const day_ms = 86_400_000;

/**
 * What a network may book today (UTC) without an account: what counts one booking against it, or quota_exceeded when
 * nothing is left. Cancelling gives nothing back.
 */
export const anonymousBudget = async (
  services: Pick<Services, 'clock' | 'store'>,
  { counters }: Pick<Tables, 'counters'>,
  network: string,
): Promise<(() => Promise<unknown>) | Refusal> => {
  const most = rulesFor(services).anonymous_per_network;
  const window_at = Math.floor(services.clock.now() / day_ms) * day_ms;
  const key = { name: `bookings:${network}`, window_at };
  const row = await counters.lock(key);
  const hits = row?.hits ?? 0;
  if (hits >= most) {
    return refuse('quota_exceeded', `${most} bookings a day without an account; log in to book more`);
  }
  if (row !== undefined) return () => counters.update(key, { hits: hits + 1 });
  return () => counters.insert({ ...key, hits: 1, expires_at: window_at + day_ms });
};
