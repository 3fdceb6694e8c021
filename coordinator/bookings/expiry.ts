import { bounds } from '../kit/limits.ts';
import { olderThan, portion, type Removals } from '../kit/sweep.ts';

/** Codes out of quarantine, and bookings that are over. */
export const bookingRemovals: Removals = {
  codes: ({ codes }, now) => codes.remove({ free_at: { to: now + 1 } }, portion),
  bookings: async ({ bookings }, now, { keep_bookings_days: days }) => {
    if (days === undefined) return 0;
    // The longest one that began then has been over for so long.
    const starts_at = olderThan(now - bounds.booking_minutes * 60_000, days);
    return bookings.remove({ state: { in: ['used', 'cancelled', 'missed', 'lost'] }, starts_at }, portion);
  },
};
