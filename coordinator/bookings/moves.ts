import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { ChangeBooking } from '../../shared/protocol/bookings.ts';
import { emit } from '../kit/outbox.ts';
import { instantOf, type Period } from '../kit/rules-time.ts';
import type { Services } from '../kit/services.ts';
import type { CardPlan } from '../seats/rules-plans.ts';
import type { AppRow, Booking, Tables } from '../store/tables.ts';
import { accountMay, findBooking, type Visitor } from './bookings.ts';
import { freeSeat, holdSeat, lockHosts, lockSeat, Overtaken, untilSettled } from './choose.ts';
import { releaseCode } from './codes.ts';
import { bookableHosts } from './plans.ts';
import { nextState, visitOf } from './rules.ts';
import { bookingSettings } from './settings.ts';
import { calendarMay } from './strangers.ts';
import { bookingEventData } from './view.ts';

/** The booking as it is under the locks that protect it; Overtaken when it is on another host by now. */
const reread = async ({ bookings }: Pick<Tables, 'bookings'>, before: Booking): Promise<Booking> => {
  const booking = await bookings.get({ id: before.id });
  if (booking?.host !== before.host) throw new Overtaken(before.host);
  return booking;
};

/** Changes the row of a booking that is locked through its host; the row as it is then. */
const changeRow = async (
  { bookings }: Pick<Tables, 'bookings'>,
  { id, host, version }: Booking,
  changes: Partial<Omit<Booking, 'id' | 'version'>>,
): Promise<Booking> => {
  // A tick or the booking's session changes its state without the host's lock.
  if (!(await bookings.update({ id }, changes, { version }))) throw new Overtaken(host);
  const changed = await bookings.get({ id });
  if (changed === undefined) throw new Overtaken(host);
  return changed;
};

/** The booking's own time does not stand in its way. */
export const without = (cards: readonly CardPlan[], { host, seat, starts_at }: Booking): CardPlan[] =>
  cards.map((card) => ({
    ...card,
    seats: card.seats.map((plan) =>
      plan.host === host && plan.seat === seat
        ? { ...plan, taken: plan.taken.filter(({ from }) => from !== starts_at) }
        : plan,
    ),
  }));

const whenOf = (booking: Booking, change: ChangeBooking, app: AppRow, services: Services) => {
  const { date, time, which, minutes = (booking.ends_at - booking.starts_at) / 60_000 } = change;
  const zone = change.zone ?? booking.zone;
  const local = which === undefined ? { zone } : { zone, which };
  const starts_at =
    date === undefined || time === undefined ? booking.starts_at : instantOf({ date, time, ...local });
  if (isRefusal(starts_at)) return starts_at;
  const ends_at = starts_at + minutes * 60_000;
  // A time that stays is not refused for what holds of new ones by now.
  if (starts_at === booking.starts_at && ends_at === booking.ends_at) {
    return { visit: { from: starts_at, to: ends_at }, zone, stays: zone === booking.zone };
  }
  const visit = visitOf(starts_at, minutes, app, services.clock.now(), bookingSettings(services));
  return isRefusal(visit) ? visit : { visit, zone, stays: false };
};

/** Puts the booking onto the best seat for the visit; undefined when there is none. */
const settle = async (
  services: Services,
  tables: Tables,
  before: Booking,
  {
    visit,
    takes,
    zone,
    title,
    again,
  }: {
    visit: Period;
    /** Whether the booking may go to the host. */
    takes: (host: string) => boolean;
    zone: string;
    title: string | null;
    again: boolean;
  },
  event: 'move' | 'relocate',
): Promise<Booking | Refusal> => {
  const app = await tables.apps.get({ name: before.app });
  if (app === undefined) return refuse('app_unknown');
  const bookable = await bookableHosts(tables, app);
  if (event === 'move' && bookable.length === 0) return refuse('app_offline');
  const able = bookable.filter(({ name }) => takes(name));
  const wanted = { app: app.name, visit, holder: before.id };
  const seat = await lockSeat(services, tables, able, {
    ...wanted,
    again,
    adjust: (cards) => without(cards, before),
    also: [before.host],
  });
  if (seat === undefined) return refuse('time_taken');
  // Where its host fails, a booking keeps its time.
  const share =
    event === 'move' && before.account_id === null
      ? await calendarMay(services, tables, { host: seat.host, visit, but: before.id })
      : undefined;
  if (share !== undefined) return share;
  const booking = await reread(tables, before);
  const state = nextState(booking, event);
  if (isRefusal(state)) return state;
  if (booking.version !== before.version) return refuse('version_conflict');
  await freeSeat(tables, booking.host, booking.id);
  const moved = await changeRow(tables, booking, {
    ...seat,
    state,
    starts_at: visit.from,
    ends_at: visit.to,
    zone,
    title,
    unplaceable_at: null,
  });
  await tables.strangers.update({ holder: moved.id }, { expires_at: visit.to });
  await holdSeat(tables, seat, wanted);
  await emit(services, tables, 'booking.moved', bookingEventData(moved));
  return moved;
};

/**
 * Gives the booking another time, length or title. What changes nothing leaves the version as it is, and only another
 * time is a move that is told. Refuses booking_unknown, booking_closed, version_conflict, and what
 * `book` refuses of a time.
 */
export const moveBooking = async (
  services: Services,
  id: string,
  change: ChangeBooking,
  visitor: Visitor,
  version: number,
): Promise<Booking | Refusal> => {
  const moved = await untilSettled((taken) =>
    services.db.transact(async (tables) => {
      const booking = await findBooking(tables, id, visitor);
      if (isRefusal(booking)) return booking;
      if (booking.version !== version) return refuse('version_conflict');
      const state = nextState(booking, 'move');
      if (isRefusal(state)) return state;
      const app = await tables.apps.get({ name: booking.app });
      if (app === undefined) return refuse('app_unknown');
      const when = whenOf(booking, change, app, services);
      if (isRefusal(when)) return when;
      const title = change.title === undefined ? booking.title : change.title;
      if (when.stays) return title === booking.title ? booking : changeRow(tables, booking, { title });
      if (booking.account_id !== null) {
        const refused = await accountMay(services, tables, booking.account_id, {
          app,
          visit: when.visit,
          but: id,
        });
        if (refused !== undefined) return refused;
      }
      return settle(
        services,
        tables,
        booking,
        { ...when, title, takes: (host) => !taken.has(host), again: taken.size > 0 },
        'move',
      );
    }),
  );
  return moved ?? refuse('time_taken');
};

/** Ends a booking: its seat and code are free. Under the lock of its host. */
export const closeBooking = async (
  services: Services,
  tables: Tables,
  booking: Booking,
  state: 'cancelled' | 'missed' | 'lost',
): Promise<Booking> => {
  const closed = await changeRow(tables, booking, { state });
  await freeSeat(tables, booking.host, booking.id);
  await releaseCode(services, tables, booking.id, { opened: booking.state !== 'held' });
  await emit(services, tables, `booking.${state}`, bookingEventData(closed));
  return closed;
};

/** Locks the booking's host and reads it again; undefined when it is gone. */
export const lockBooking = async (tables: Tables, id: string): Promise<Booking | undefined> => {
  const before = await tables.bookings.get({ id });
  if (before === undefined) return undefined;
  await lockHosts(tables, [before.host]);
  return reread(tables, before);
};

/**
 * Cancels the booking. Its session, if one was started for it, is the caller's to end. Refuses booking_unknown,
 * booking_closed and version_conflict.
 */
export const cancelBooking = async (
  services: Services,
  id: string,
  visitor: Visitor,
  version: number,
): Promise<Booking | Refusal> => {
  const cancelled = await untilSettled(() =>
    services.db.transact(async (tables) => {
      const seen = await findBooking(tables, id, visitor);
      if (isRefusal(seen)) return seen;
      const booking = await lockBooking(tables, id);
      if (booking === undefined) return refuse('booking_unknown');
      if (booking.version !== version) return refuse('version_conflict');
      const state = nextState(booking, 'cancel');
      return isRefusal(state) ? state : closeBooking(services, tables, booking, 'cancelled');
    }),
  );
  return cancelled ?? refuse('too_busy');
};

/** Moves a booking, at its own time, to a seat that it may have, on a host that takes it; time_taken when none fits. */
export const relocateBooking = async (
  services: Services,
  id: string,
  takes: (host: string) => boolean,
): Promise<Booking | Refusal> => {
  const moved = await untilSettled((taken) =>
    services.db.transact(async (tables) => {
      const booking = await tables.bookings.get({ id });
      if (booking === undefined) return refuse('booking_unknown');
      const { starts_at, ends_at, zone, title } = booking;
      const visit = { from: starts_at, to: ends_at };
      return settle(
        services,
        tables,
        booking,
        { visit, takes: (host) => takes(host) && !taken.has(host), zone, title, again: taken.size > 0 },
        'relocate',
      );
    }),
  );
  return moved ?? refuse('time_taken');
};
