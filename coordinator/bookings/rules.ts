import { counted } from '../../shared/counted.ts';
import { type Refusal, refuse } from '../../shared/errors.ts';
import type { Period } from '../kit/rules-time.ts';
import { bookablePeriod } from '../seats/rules-slots.ts';

export const bookingStates = ['held', 'open', 'used', 'cancelled', 'missed', 'lost'] as const;
export type BookingState = (typeof bookingStates)[number];

/**
 * `open`: its time has come near. `use`: somebody has come. `miss`: nobody has. `move`: its owner wants another time.
 * `relocate`: its host cannot have it, another seat can. `lose`: no seat can.
 */
export const bookingEvents = ['open', 'use', 'miss', 'cancel', 'move', 'relocate', 'lose'] as const;
export type BookingEvent = (typeof bookingEvents)[number];

/** What the operator may set about bookings. */
export interface BookingSettings {
  /** So long before its time a booking opens. */
  readonly open_ms: number;
  /** So long before its time the app is started, to be ready on it. */
  readonly start_ms: number;
  /** So long after its time the seat of a booking to which nobody came is released. */
  readonly no_show_ms: number;
  readonly days_ahead: number;
  /** Bookings that one account may hold at a time. */
  readonly held_per_account: number;
  /** Bookings that callers of one network without an account may make within a day. */
  readonly anonymous_per_network: number;
  /** Longest booking in any app. */
  readonly most_minutes: number;
}

/** What decisions about a booking look at. */
export interface BookedTime {
  readonly state: BookingState;
  readonly starts_at: number;
  readonly ends_at: number;
  readonly session_id: string | null;
}

/** What has become of a booking that can no longer be changed. */
const fates: Readonly<Record<BookingState, string>> = {
  held: 'its session is being started',
  open: 'it is about to begin',
  used: 'its session has begun',
  cancelled: 'it was cancelled',
  missed: 'nobody came to it',
  lost: 'no host could start its app in time',
};

/** The state after the event; booking_closed or booking_not_open when it may not happen now. */
export const nextState = (
  { state, session_id }: Pick<BookedTime, 'state' | 'session_id'>,
  event: BookingEvent,
): BookingState | Refusal => {
  const started = session_id !== null;
  const closed = refuse('booking_closed', fates[state]);
  if (state !== 'held' && state !== 'open') return closed;
  switch (event) {
    case 'open':
      return state === 'held' ? 'open' : closed;
    case 'use':
      return state === 'open' ? 'used' : refuse('booking_not_open');
    case 'miss':
      return state === 'open' && started ? 'missed' : refuse('booking_not_open');
    case 'cancel':
      return 'cancelled';
    case 'move':
      return state === 'held' ? 'held' : closed;
    case 'relocate':
      return started ? closed : state;
    case 'lose':
      return started ? closed : 'lost';
  }
};

/** What is to be done about a booking now. `start_early`: its app is to be started if its seat happens to be free already. */
export type Due = 'open' | 'start_early' | 'start' | 'miss' | 'lose';

/**
 * A booking whose app could not be started until its seat is released was lost, not missed: its owner may have come.
 */
export const dueOf = (booking: BookedTime, now: number, settings: BookingSettings): Due | undefined => {
  const { state, starts_at, ends_at, session_id } = booking;
  if (state !== 'held' && state !== 'open') return undefined;
  const over = now >= Math.min(starts_at + settings.no_show_ms, ends_at);
  if (over) return session_id === null ? 'lose' : 'miss';
  if (state === 'held') return now >= starts_at - settings.open_ms ? 'open' : undefined;
  if (session_id !== null) return undefined;
  return now >= starts_at - settings.start_ms ? 'start' : 'start_early';
};

/** How its session ended: whether somebody had come, whether people ended it, and how often its app was started by then. */
export interface BookedEnd {
  readonly came: boolean;
  readonly by_people: boolean;
  readonly starts: number;
}

/** So often the app of a booking is started before the booking is given up. */
const starts_most = 3;

/**
 * What becomes of a booking whose session has ended. `again`: app or host failed before anybody had come, and there is time
 * to start anew.
 */
export const afterEnd = (
  { starts_at, ends_at }: Pick<BookedTime, 'starts_at' | 'ends_at'>,
  { came, by_people, starts }: BookedEnd,
  now: number,
  settings: BookingSettings,
): 'used' | 'missed' | 'lost' | 'again' => {
  if (came) return 'used';
  if (by_people) return 'missed';
  const over = now >= Math.min(starts_at + settings.no_show_ms, ends_at);
  return over || starts >= starts_most ? 'lost' : 'again';
};

/** Who asks: an account, or whoever has the booking's token. */
export interface Asking {
  readonly account?: { readonly id: string; readonly role: 'admin' | 'operator' | 'user' } | undefined;
  readonly token_hash?: string | undefined;
}

/** Whom a booking belongs to. */
interface Owned {
  readonly account_id: string | null;
  readonly token_hash: string | null;
}

/** Whether it is their booking: its account, or its token's bearer. */
export const holds = (booking: Owned, { account, token_hash }: Asking): boolean =>
  (account !== undefined && account.id === booking.account_id) ||
  (booking.token_hash !== null && booking.token_hash === token_hash);

/** Whether they may see and change the booking: who holds it, an operator or administrator. */
export const mayChange = (booking: Owned, asking: Asking): boolean =>
  holds(booking, asking) || (asking.account !== undefined && asking.account.role !== 'user');

/** What an app says about the length of its bookings. */
export interface AppTimes {
  readonly default_minutes: number;
  readonly max_minutes: number;
}

/** The length of a booking whose caller did not say one: a whole number of slots. */
export const defaultMinutes = ({ default_minutes, max_minutes }: AppTimes): number =>
  Math.max(5, Math.min(Math.ceil(default_minutes / 5) * 5, Math.floor(max_minutes / 5) * 5));

/** The time of a booking in that app, or why it may not be. */
export const visitOf = (
  starts_at: number,
  minutes: number,
  { max_minutes }: AppTimes,
  now: number,
  { days_ahead, most_minutes }: BookingSettings,
): Period | Refusal => {
  const most = Math.min(max_minutes, most_minutes);
  if (minutes > most)
    return refuse('malformed', `a booking of this app lasts at most ${counted(most, 'minute')}`);
  if (starts_at > now + days_ahead * 86_400_000) {
    return refuse('malformed', `bookings are taken at most ${counted(days_ahead, 'day')} ahead`);
  }
  return bookablePeriod(starts_at, minutes, now);
};
