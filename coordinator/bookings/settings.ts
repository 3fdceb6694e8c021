import { bounds } from '../kit/limits.ts';
import type { Services } from '../kit/services.ts';
import type { BookingSettings } from './rules.ts';

const minute_ms = 60_000;

/** What the operator has set about bookings, as it is in force now. */
export const bookingSettings = ({ store }: Pick<Services, 'store'>): BookingSettings => {
  const configuration = store.configuration();
  return {
    open_ms: configuration.booking_open_minutes * minute_ms,
    // An app is started for an open booking only.
    start_ms: Math.min(configuration.booking_start_minutes, configuration.booking_open_minutes) * minute_ms,
    no_show_ms: configuration.booking_no_show_minutes * minute_ms,
    days_ahead: configuration.booking_days_ahead,
    held_per_account: configuration.bookings_per_account,
    anonymous_per_network: configuration.anonymous_bookings_per_network,
    most_minutes: bounds.booking_minutes,
  };
};
