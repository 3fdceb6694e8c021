import { fitsOn } from '../../shared/capacity.ts';
import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { Participation } from '../../shared/protocol/http.ts';
import { isHolder, type Visitor } from '../bookings/bookings.ts';
import { cancelBooking } from '../bookings/moves.ts';
import type { BookingNeeds } from '../bookings/ticks.ts';
import { isElsewhere } from '../catalogue/elsewhere.ts';
import { emit } from '../kit/outbox.ts';
import { holdOf } from '../seats/holds.ts';
import { cardOf, needsOf, roomDuring } from '../seats/rules-capacity.ts';
import { cardOfSession, type Host } from '../seats/rules-hosts.ts';
import { slot_ms, slotsOf } from '../seats/rules-slots.ts';
import type { Booking, Tables } from '../store/tables.ts';
import { change, sessionAt } from './change.ts';
import { begin, type World } from './live.ts';
import { enter } from './members.ts';
import { rowOf, sessionEvent } from './rows.ts';
import { isLive, openSession, type Session } from './rules-session.ts';
import { sessionSettings } from './settings.ts';

const minute_ms = 60_000;

/** Holds the seat of a booking from now on to its beginning, too; false when somebody else holds it for a part of that time. */
const holdUntil = async (
  tables: Pick<Tables, 'seat_slots'>,
  { capacity, seats }: Pick<Host, 'capacity' | 'seats'>,
  { id, app, host, seat, starts_at }: Booking,
  now: number,
): Promise<boolean> => {
  if (now >= starts_at) return true;
  const from = Math.floor(now / slot_ms) * slot_ms;
  const all = Array.from({ length: Math.max(seats, seat + 1) }, (_, at) => at);
  const held = await tables.seat_slots.find({
    host,
    seat: { in: all },
    slot_at: { from, to: starts_at },
  });
  const others = held.filter(({ holder }) => holder !== id);
  const card = cardOf(capacity, seat);
  const beside = others.filter((slot) => cardOf(capacity, slot.seat)?.index === card?.index).map(holdOf);
  if (beside.some((hold) => hold.seat === seat)) return false;
  const visit = { from, to: starts_at };
  if (card !== undefined && roomDuring(card, capacity, beside, app, visit) < 1) return false;
  const mine = new Set(held.filter(({ holder }) => holder === id).map(({ slot_at }) => slot_at));
  const missing = slotsOf({ from, to: starts_at }).filter((slot) => !mine.has(slot * slot_ms));
  if (missing.length > 0) {
    await tables.seat_slots.insert(
      ...missing.map((slot) => ({ host, seat, slot_at: slot * slot_ms, holder: id, app })),
    );
  }
  return true;
};

/** Whether the card of the booking's seat has room for one more session beside those that run. */
const fitsNow = (host: Host, { seat, app }: Booking, sessions: readonly Session[]): boolean => {
  const { capacity, name } = host;
  const card = cardOf(capacity, seat);
  if (card === undefined) return true; // the host decides
  const loads = sessions.flatMap((session) => {
    const on = session.seat_held && session.host === name ? cardOfSession(host, session) : undefined;
    return on === undefined ? [] : [{ ...needsOf(capacity, session.app), card: on }];
  });
  return fitsOn(card, loads, needsOf(capacity, app));
};

/**
 * Starts the session of a booking on the seat that it holds, and gives the session's id. Once only: whoever asks again
 * gets the same one. Refused with host_offline while the host is not connected.
 */
export const startBooked = async (world: World, booking: Booking): Promise<string | Refusal> => {
  const app = world.catalogue.now().apps.get(booking.app);
  if (app === undefined) return refuse('app_unknown', booking.app);
  const sessions = [...world.sessions.values()];
  const known = sessions.find((session) => session.booking_id === booking.id && isLive(session));
  if (known !== undefined) return known.id;
  const inUse = ({ host, seat, seat_held }: Session) =>
    seat_held && host === booking.host && seat === booking.seat;
  if (sessions.some(inUse)) return refuse('servers_busy', 'the seat is still in use');
  const host = world.hosts.get(booking.host);
  if (host === undefined) return refuse('host_offline');
  if (!fitsNow(host, booking, sessions)) return refuse('servers_busy', 'the card is still in use');
  const now = world.clock.now();
  const { no_show_ms } = sessionSettings(world);
  const started = await world.db.transact(async (tables) => {
    await tables.hosts.lock({ name: booking.host });
    const held = await tables.bookings.lock({ id: booking.id });
    const before = await tables.sessions.find({ booking_id: booking.id });
    const live = before.find(({ phase }) => phase !== 'ended');
    if (live !== undefined) return live.id;
    if (held?.state !== 'open' || held.host !== booking.host) return refuse('booking_closed');
    if (!world.links.has(booking.host)) return refuse('host_offline');
    if (!(await holdUntil(tables, host, booking, now)))
      return refuse('servers_busy', 'the seat is still in use');
    const step = openSession(
      {
        id: world.ids.id(),
        app: app.name,
        host: booking.host,
        seat: booking.seat,
        account_id: booking.account_id,
        booking_id: booking.id,
        code: booking.code,
        language: null,
        invite: booking.invite,
        lobby: app.lobby,
        ends_at: booking.ends_at,
        longest_end: Math.max(booking.ends_at, booking.starts_at + app.max_minutes * minute_ms),
        cut_short: false,
        idle_ms: app.idle_seconds * 1_000,
        awaited_until: booking.starts_at + no_show_ms,
        owner: null,
      },
      now,
      sessionSettings(world),
    );
    await tables.sessions.insert({ ...rowOf(step.session, now), version: 1 });
    await tables.bookings.update({ id: booking.id }, { session_id: step.session.id });
    await emit(world, tables, 'session.started', sessionEvent(step.session));
    return step;
  });
  if (typeof started === 'string' || isRefusal(started)) return started;
  begin(world, started);
  return started.session.id;
};

/** What bookings need of the sessions of this coordinator. */
export const bookingNeeds = (world: World): BookingNeeds => ({
  services: world,
  startBooked: (booking) => startBooked(world, booking),
  endBooked: async ({ session_id }, reason) => {
    if (session_id !== null) await change(world, session_id, { type: 'end', reason });
  },
  elsewhere: (host) => isElsewhere(world, world.catalogue.now().hosts.get(host)),
  usable: (host) => world.links.has(host),
});

/**
 * Makes whoever holds the booking, which the caller has checked, an owner of its session; booking_not_open before there is one, session_ended after.
 */
export const joinBooked = async (
  world: World,
  { session_id }: Pick<Booking, 'session_id'>,
): Promise<Participation | Refusal> => {
  const session = session_id === null ? undefined : await sessionAt(world, session_id);
  return session === undefined
    ? refuse('booking_not_open')
    : enter(world, session, { invited: true, owner: true });
};

/** What ends a booking together with its session. */
export type CancelNeeds = Pick<BookingNeeds, 'services' | 'endBooked'>;

/** Cancels the booking, and ends the session that was started for it; refuses as `cancelBooking` does. */
export const cancelBooked = async (
  { services, endBooked }: CancelNeeds,
  id: string,
  visitor: Visitor,
  version: number,
): Promise<Booking | Refusal> => {
  const cancelled = await cancelBooking(services, id, visitor, version);
  if (!isRefusal(cancelled)) {
    await endBooked(cancelled, isHolder(cancelled, visitor) ? 'owner_ended' : 'admin_ended');
  }
  return cancelled;
};
