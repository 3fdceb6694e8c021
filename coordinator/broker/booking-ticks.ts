import { isRefusal, type Refusal } from '../../shared/errors.ts';
import { dueOf, nextState } from '../domain/bookings.ts';
import { bounds } from '../limits.ts';
import { Unavailable } from '../store/database.ts';
import type { Booking, Tables } from '../store/tables.ts';
import { loseBooking } from './booking-hosts.ts';
import { relocateBooking } from './booking-moves.ts';
import { rulesFor } from './booking-rules.ts';
import { bookingEventData } from './booking-view.ts';
import { emit } from './events.ts';
import { planChanged } from './seat-plans.ts';
import type { Services } from './services.ts';

/** What the ticks of bookings need of the sessions. */
export interface BookingNeeds {
  readonly services: Services;
  /** Starts the booked app: the session's id once its row is stored, the same one each time for the same booking. */
  startBooked(booking: Booking): Promise<string | Refusal>;
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

/** Starts the app. If its host cannot, the booking looks for a host that can; the next tick tries there. */
const start = async (needs: BookingNeeds, booking: Booking): Promise<void> => {
  const { services, startBooked, usable } = needs;
  const { id, host } = booking;
  const session_id = await startBooked(booking);
  if (!isRefusal(session_id)) {
    const expected = { state: 'open', session_id: null } as const;
    await services.db.transact(({ bookings }) => bookings.update({ id }, { session_id }, expected));
    return;
  }
  services.log.warn({ booking: id, host, ...session_id }, 'a booked app cannot be started');
  const hosts = await services.db.read((tables) => tables.host_apps.find({ app: booking.app }));
  const away = new Set(hosts.map((row) => row.host).filter((name) => !usable(name)));
  await relocateBooking(services, id, away);
};

const act = async (needs: BookingNeeds, booking: Booking): Promise<unknown> => {
  const { services } = needs;
  switch (dueOf(booking, services.clock.now(), rulesFor(services))) {
    case 'open':
      return openBooking(needs, booking.id);
    case 'start':
      return start(needs, booking);
    case 'lose':
      return loseBooking(services, booking.id);
    case undefined:
      return undefined;
  }
};

/**
 * Does what is due: opens bookings, starts their apps, gives up those that cannot be had. Two coordinators may do so at
 * once; one of them must not begin again before it is done. Rejects with Unavailable when the database is away.
 */
export const tickBookings = async (needs: BookingNeeds): Promise<void> => {
  const { db, clock, log } = needs.services;
  const to = clock.now() + rulesFor(needs.services).open_ms + 1;
  for (const state of ['held', 'open'] as const) {
    const due = await db.read(({ bookings }) =>
      bookings.find({ state, starts_at: { to } }, { order: ['starts_at'], limit: bounds.bookings_per_tick }),
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

/**
 * The booking's session has ended: `came` when anybody had joined it, else the booking was missed. In the transaction that
 * stores the end, which gives the code and the seat's slots back itself. A booking that is over already stays what it is.
 */
export const bookingOver = async (
  services: Services,
  tables: Tables,
  id: string,
  came: boolean,
): Promise<void> => {
  const booking = await tables.bookings.lock({ id });
  const state = booking === undefined ? undefined : nextState(booking, came ? 'use' : 'miss');
  if (booking === undefined || state === undefined || isRefusal(state)) return;
  await tables.bookings.update({ id }, { state });
  if (!came) await emit(services, tables, 'booking.missed', bookingEventData({ ...booking, state }));
  await planChanged(tables, booking.host);
};

/** Removes what has expired: codes out of quarantine, repeated answers, counters. Once a minute is enough. */
export const sweepExpired = ({ db, clock }: Pick<Services, 'db' | 'clock'>): Promise<unknown> =>
  db.transact(async ({ codes, idempotency, counters }) => {
    const past = { to: clock.now() };
    await codes.remove({ free_at: past });
    await idempotency.remove({ expires_at: past });
    await counters.remove({ expires_at: past });
  });
