import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { EndReason } from '../../shared/protocol/session.ts';
import { bounds } from '../kit/limits.ts';
import { emit } from '../kit/outbox.ts';
import type { Services } from '../kit/services.ts';
import { Unavailable } from '../store/database.ts';
import type { Where } from '../store/table.ts';
import type { Booking, Tables } from '../store/tables.ts';
import { freeSeat, untilSettled } from './choose.ts';
import { releaseCode } from './codes.ts';
import { loseBooking } from './evacuation.ts';
import { closeBooking, lockBooking, relocateBooking } from './moves.ts';
import { afterEnd, type BookedEnd, dueOf, nextState } from './rules.ts';
import { bookingSettings } from './settings.ts';
import { bookingEventData } from './view.ts';

/** What the ticks of bookings need of the sessions. */
export interface BookingNeeds {
  readonly services: Services;
  /** Starts the booked app: the session's id once its row is stored, the same one each time for the same booking. */
  startBooked(booking: Booking): Promise<string | Refusal>;
  /** Ends the session of a booking that was cancelled or missed, for this reason. */
  endBooked(booking: Booking, reason: EndReason): Promise<void>;
  /** Whether the host's sessions are another coordinator's, which starts its bookings too. */
  elsewhere(host: string): boolean;
  /** Whether a session could be started on the host now. */
  usable(host: string): boolean;
}

const openBooking = ({ services }: BookingNeeds, id: string): Promise<unknown> =>
  services.db.transact(async (tables) => {
    const booking = await tables.bookings.get({ id });
    if (booking === undefined || isRefusal(nextState(booking, 'open'))) return;
    const { version } = booking;
    if (!(await tables.bookings.update({ id }, { state: 'open' }, { version }))) return;
    const opened = { ...booking, state: 'open' } as const;
    await emit(services, tables, 'booking.opened', bookingEventData(opened));
  });

/** Starts the app of an open booking before it must be, so that people can come in; that may have to wait. */
const startEarly = async ({ services, startBooked }: BookingNeeds, booking: Booking): Promise<void> => {
  const started = await startBooked(booking);
  if (isRefusal(started))
    services.log.debug({ booking: booking.id, ...started }, 'a booked app starts later');
};

/** Starts the app. If its host cannot, the booking looks for a host that can; the next tick tries there. */
const start = async (needs: BookingNeeds, booking: Booking): Promise<void> => {
  const { services, startBooked, usable } = needs;
  const { id, host } = booking;
  const session_id = await startBooked(booking);
  if (!isRefusal(session_id)) return;
  services.log.warn({ booking: id, host, ...session_id }, 'a booked app cannot be started');
  const hosts = await services.db.read((tables) => tables.host_apps.find({ app: booking.app }));
  const away = new Set(hosts.map((row) => row.host).filter((name) => !usable(name)));
  away.add(host);
  await relocateBooking(services, id, (name) => !away.has(name));
};

const miss = async ({ services, endBooked }: BookingNeeds, id: string): Promise<void> => {
  const missed = await untilSettled(() =>
    services.db.transact(async (tables) => {
      const booking = await lockBooking(tables, id);
      if (booking === undefined || isRefusal(nextState(booking, 'miss'))) return undefined;
      return closeBooking(services, tables, booking, 'missed');
    }),
  );
  if (missed !== undefined) await endBooked(missed, 'nobody_came');
};

const act = async (needs: BookingNeeds, booking: Booking): Promise<unknown> => {
  const { services } = needs;
  switch (dueOf(booking, services.clock.now(), bookingSettings(services))) {
    case 'open':
      return openBooking(needs, booking.id);
    case 'start_early':
      return needs.elsewhere(booking.host) ? undefined : startEarly(needs, booking);
    case 'start':
      return needs.elsewhere(booking.host) ? undefined : start(needs, booking);
    case 'miss':
      return miss(needs, booking.id);
    case 'lose':
      return loseBooking(services, booking.id);
    case undefined:
      return undefined;
  }
};

/**
 * Does what is due: opens bookings, starts their apps, gives up those to which nobody came. Two coordinators may do so at
 * once; one of them must not begin again before it is done. Rejects with Unavailable when the database is away.
 */
export const tickBookings = async (needs: BookingNeeds): Promise<void> => {
  const { db, clock, log } = needs.services;
  const { open_ms, no_show_ms } = bookingSettings(needs.services);
  const opening = { to: clock.now() + open_ms + 1 };
  const over = { to: clock.now() - no_show_ms + 1 };
  // Those whose app runs and that are not over yet need nothing: they must not stand in the way of the others.
  const kinds: Where<Booking>[] = [
    { state: 'held', starts_at: opening },
    { state: 'open', starts_at: opening, session_id: null },
    { state: 'open', starts_at: over },
    { state: 'open', ends_at: { to: clock.now() + 1 } },
  ];
  for (const kind of kinds) {
    const due = await db.read(({ bookings }) =>
      bookings.find(kind, { order: ['starts_at'], limit: bounds.bookings_per_tick }),
    );
    for (const booking of due) {
      try {
        await act(needs, booking);
      } catch (error) {
        if (error instanceof Unavailable) throw error;
        // The others' time has come too.
        log.error({ error, booking: booking.id }, 'what is due for a booking failed');
      }
    }
  }
};

/** Somebody has come to the booking's session: it can be missed no more. Why not, or nothing. */
export const bookingUsed = async (
  { bookings }: Pick<Tables, 'bookings'>,
  id: string,
): Promise<Refusal | undefined> => {
  // Locked: a tick may be about to give it up, or to note which session it is.
  const booking = await bookings.lock({ id });
  if (booking === undefined) return refuse('booking_unknown');
  if (booking.state === 'used') return undefined;
  const state = nextState(booking, 'use');
  if (isRefusal(state)) return state;
  await bookings.update({ id }, { state });
  return undefined;
};

/**
 * The booking's session has ended. Seat and code are free, unless its app or host failed before anybody had come and can be
 * started again. In the transaction that stores the end, under no lock but the account's.
 */
export const bookingEnded = async (
  services: Services,
  tables: Tables,
  id: string,
  end: Omit<BookedEnd, 'starts'>,
): Promise<void> => {
  const booking = await lockBooking(tables, id);
  if (booking === undefined) return;
  const starts = await tables.sessions.count({ booking_id: id });
  const next = afterEnd(booking, { ...end, starts }, services.clock.now(), bookingSettings(services));
  if (booking.state === 'open' && next === 'again') {
    await tables.bookings.update({ id }, { session_id: null });
    return;
  }
  if (booking.state === 'open' && (next === 'missed' || next === 'lost')) {
    await closeBooking(services, tables, booking, next);
    return;
  }
  if (booking.state === 'open') await tables.bookings.update({ id }, { state: 'used' });
  await freeSeat(tables, booking.host, id);
  await releaseCode(services, tables, id);
};
