import { type Refusal, refuse } from '../../shared/errors.ts';
import type { Period } from '../kit/rules-time.ts';

/** Bookings stand on this grid, counted from 1970 in UTC: all zones' offsets are multiples of a quarter of an hour. */
export const slot_ms = 5 * 60_000;

/** The numbers of the slots that a period covers, in ascending order. */
export const slotsOf = ({ from, to }: Period): number[] => {
  if (to <= from) return [];
  const first = Math.floor(from / slot_ms);
  const count = Math.ceil(to / slot_ms) - first;
  return Array.from({ length: count }, (_, at) => first + at);
};

/** A period of that length that may be booked, or why it may not. */
export const bookablePeriod = (from: number, minutes: number, now: number): Period | Refusal => {
  if (from % slot_ms !== 0) return refuse('malformed', 'a booking begins at a multiple of five minutes');
  if (minutes <= 0 || (minutes * 60_000) % slot_ms !== 0)
    return refuse('malformed', 'a booking lasts a multiple of five minutes');
  if (from < now) return refuse('time_past');
  return { from, to: from + minutes * 60_000 };
};
