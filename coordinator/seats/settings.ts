import type { Configuration } from '../kit/settings.ts';
import type { Shares } from './rules-shares.ts';

/** What callers without an account may have, as the operator has set it; `seats_percent` as it is in force. */
export const sharesOf = (configuration: Configuration, seats_percent: number): Shares => ({
  sessions_of_network: configuration.anonymous_sessions_per_network,
  queue_places_of_network: configuration.anonymous_queue_places_per_network,
  bookings_of_network: configuration.anonymous_bookings_held_per_network,
  unused_of_network: configuration.anonymous_unused_sessions_per_network,
  network_percent: configuration.anonymous_network_percent,
  seats_percent,
  queue_percent: configuration.anonymous_queue_percent,
  calendar_percent: configuration.anonymous_calendar_percent,
});
