import type { BookingView } from '../../shared/protocol/bookings.ts';
import type { BookingEvent } from '../../shared/protocol/webhooks.ts';
import { localTimeOf } from '../kit/rules-time.ts';
import type { Booking } from '../store/tables.ts';

/** Why a booking is over, for people. */
const reasons: Partial<Record<Booking['state'], string>> = {
  cancelled: 'It was cancelled.',
  missed: 'Nobody came, and the seat was given to others.',
  lost: 'Its computer is not available and no other one was free at this time. Please book another time.',
};

const unplaceable =
  'Its computer is not available now, and no other one is free at this time. The booking stays: it takes place if a computer is back by then.';

/** Where an invite leads; `base` is the address of the site. */
export const inviteUrl = (base: string, invite: string): string => new URL(`/i/${invite}`, base).href;

/** The booking as those see it who may change it. */
export const describeBooking = (booking: Booking, base: string): BookingView => {
  const { starts_at, ends_at, zone, state } = booking;
  return {
    id: booking.id,
    app: booking.app,
    state,
    reason: reasons[state] ?? (booking.unplaceable_at === null ? null : unplaceable),
    starts_at,
    ends_at,
    minutes: (ends_at - starts_at) / 60_000,
    local: localTimeOf(starts_at, zone),
    code: booking.code,
    invite_url: inviteUrl(base, booking.invite),
    title: booking.title,
    account_id: booking.account_id,
    session_id: booking.session_id,
    created_at: booking.created_at,
    version: booking.version,
  };
};

/** What an event tells of a booking: neither its code nor its invite. */
export const bookingEventData = (booking: Booking): BookingEvent => {
  const { id, app, account_id, host, starts_at, ends_at, zone, state, session_id } = booking;
  return { id, app, account_id, host, starts_at, ends_at, zone, state, session_id };
};
