import { isRefusal } from '../../shared/errors.ts';
import { bounds } from '../kit/limits.ts';
import { emit } from '../kit/outbox.ts';
import type { Services } from '../kit/services.ts';
import { drainingCards, storedCapacity } from '../seats/hosts.ts';
import { cardOf, isBound, surplus } from '../seats/rules-capacity.ts';
import { type CardPlan, fittingSeat } from '../seats/rules-plans.ts';
import type { Booking, HostRow, ReadTables } from '../store/tables.ts';
import { untilSettled } from './choose.ts';
import { closeBooking, lockBooking, relocateBooking, without } from './moves.ts';
import { bookableHosts, readWithPlans } from './plans.ts';
import { nextState } from './rules.ts';
import { bookingEventData } from './view.ts';

const page_rows = 200;

/** Gives a booking up that fits nowhere; undefined when it has changed in the meantime. */
export const loseBooking = (services: Services, id: string): Promise<Booking | undefined> =>
  untilSettled(() =>
    services.db.transact(async (tables) => {
      const booking = await lockBooking(tables, id);
      if (booking === undefined || isRefusal(nextState(booking, 'lose'))) return undefined;
      return closeBooking(services, tables, booking, 'lost');
    }),
  );

/** Notes that no seat fits the booking, and tells of it, unless that was done before. */
const tellUnplaceable = ({ db, clock, ids }: Services, id: string): Promise<void> =>
  db.transact(async (tables) => {
    const booking = await tables.bookings.get({ id });
    if (booking === undefined || booking.unplaceable_at !== null) return;
    if (isRefusal(nextState(booking, 'relocate'))) return;
    const { version } = booking;
    const noted = { unplaceable_at: clock.now() };
    if (!(await tables.bookings.update({ id }, noted, { version }))) return;
    await emit({ clock, ids }, tables, 'booking.unplaceable', bookingEventData({ ...booking, ...noted }));
  });

/** What became of the bookings of a host. `kept`: no other seat fits, and the host may be back in time. */
export interface Evacuation {
  readonly moved: number;
  readonly lost: number;
  readonly kept: number;
}

/** What moves bookings off a host, and when that is enough for one time. */
interface Leaving {
  /** Hosts that bookings may move to. */
  readonly takes: (host: string) => boolean;
  /** Bookings that leave; all of them when left out. */
  readonly leaves?: (booking: Booking) => boolean;
  /** What fits nowhere and begins within a day: it stays, and its owner is told once, or it is lost. */
  readonly near: 'stays' | 'lost';
}

/** Whether an app of the host is to be had on another host that takes its bookings. */
const hasOthers = ({ db }: Pick<Services, 'db'>, host: string, takes: Leaving['takes']): Promise<boolean> =>
  db.read(async ({ host_apps }) => {
    const apps = (await host_apps.find({ host })).map(({ app }) => app);
    const places = await host_apps.find({ app: { in: apps } });
    return places.some((place) => takes(place.host));
  });

/** The cards of the hosts that take bookings of the app, with all times at which they are taken. */
const cardsFor = (services: Services, name: string, takes: Leaving['takes']): Promise<CardPlan[]> =>
  readWithPlans(services, async (tables, seatPlans) => {
    const app = await tables.apps.get({ name });
    if (app === undefined) return [];
    const hosts = await bookableHosts(tables, app);
    return seatPlans(
      tables,
      hosts.filter((host) => takes(host.name)),
    );
  });

/** For an app and a time, whether some seat of the hosts that take bookings is free, as far as is remembered. */
const findRoom = (services: Services, takes: Leaving['takes']) => {
  const known = new Map<string, CardPlan[]>();
  return {
    async fits(booking: Booking): Promise<boolean> {
      const { app, starts_at, ends_at } = booking;
      const cards = known.get(app) ?? (await cardsFor(services, app, takes));
      known.set(app, cards);
      return fittingSeat(without(cards, booking), app, { from: starts_at, to: ends_at }) !== undefined;
    },
    /** What was read is not true any more. */
    forget: () => known.clear(),
  };
};

/**
 * Moves bookings of the host to other hosts, the nearest first. Each is looked at with what is remembered of the others' bookings, and
 * only what fits there costs a transaction. Where no host takes bookings of any app of this host, only those of the next day
 * are looked at, to be told of.
 */
const evacuate = async (
  services: Services,
  host: string,
  { takes, leaves = () => true, near }: Leaving,
): Promise<Evacuation> => {
  const { db, clock, log } = services;
  const done = { moved: 0, lost: 0, kept: 0 };
  const state = { in: ['held', 'open'] } as const;
  const room = findRoom(services, takes);
  const horizon = clock.now() + bounds.lost_ahead_ms;
  const anywhere = near === 'lost' || (await hasOthers(services, host, takes));
  const starts_at = anywhere ? {} : { starts_at: { to: horizon + 1 } };
  const move = async (booking: Booking): Promise<boolean> => {
    if (!(await room.fits(booking))) return false;
    if (!isRefusal(await relocateBooking(services, booking.id, takes))) return true;
    room.forget();
    return false;
  };
  const place = async (booking: Booking): Promise<void> => {
    if (await move(booking)) done.moved += 1;
    else if (booking.starts_at > horizon) done.kept += 1;
    else if (near === 'stays') {
      await tellUnplaceable(services, booking.id);
      done.kept += 1;
    } else if ((await loseBooking(services, booking.id)) !== undefined) done.lost += 1;
  };
  let after: Booking | undefined;
  for (;;) {
    const page = after === undefined ? {} : { after };
    const rows = await db.read(({ bookings }) =>
      bookings.find({ host, state, ...starts_at }, { order: ['starts_at'], limit: page_rows, ...page }),
    );
    // What has begun is decided by its session's end.
    for (const booking of rows.filter(leaves)) if (booking.session_id === null) await place(booking);
    after = rows.at(-1);
    if (after === undefined || rows.length < page_rows) break;
  }
  if (done.moved + done.lost + done.kept > 0) log.warn({ host, ...done }, 'bookings moved off a host');
  return done;
};

/**
 * The host is away for longer than may be, or takes nothing new: its bookings move to seats of hosts that are `alive`. What fits nowhere stays; of
 * what begins within a day the owner is told, once. Call again while that is so, once an hour or so. Repeating does no harm.
 */
export const hostLost = (
  services: Services,
  host: string,
  alive: (host: string) => boolean = () => true,
): Promise<Evacuation> =>
  evacuate(services, host, { takes: (other) => other !== host && alive(other), near: 'stays' });

/** Bookings for which a card has no room beside those before them: its host has made it smaller, or its apps larger. */
const withoutRoom = async (
  { bookings }: Pick<ReadTables, 'bookings'>,
  row: HostRow,
): Promise<ReadonlySet<string>> => {
  const capacity = storedCapacity(row);
  const bound = capacity.cards.filter((card) => isBound(card, capacity));
  if (bound.length === 0) return new Set();
  const held = await bookings.find({ host: row.name, state: { in: ['held', 'open'] } });
  const uses = held.map((one) => ({ ...one, from: one.starts_at, to: one.ends_at }));
  const over = bound.flatMap((card) =>
    surplus(
      card,
      capacity,
      uses.filter(({ seat }) => cardOf(capacity, seat)?.index === card.index),
    ),
  );
  return new Set(over.map(({ id }) => id));
};

/**
 * The host has fewer seats than it had, no longer an app, a card that takes nothing new or less room on one: what it cannot
 * have goes to its other seats or elsewhere, as above.
 */
export const hostChanged = async (
  services: Services,
  host: string,
  alive: (host: string) => boolean = () => true,
): Promise<Evacuation> => {
  const known = await services.db.read(async ({ hosts, host_apps, bookings }) => {
    const row = await hosts.get({ name: host });
    if (row === undefined) return undefined;
    const apps = new Set((await host_apps.find({ host })).map(({ app }) => app));
    return { row, apps, over: await withoutRoom({ bookings }, row) };
  });
  const takes = (other: string) => other === host || alive(other);
  if (known === undefined) return evacuate(services, host, { takes: alive, near: 'lost' });
  const { row, apps, over } = known;
  const [capacity, draining] = [storedCapacity(row), drainingCards(row)];
  const leaves = ({ id, seat, app }: Booking): boolean => {
    const card = cardOf(capacity, seat);
    return card === undefined || draining.includes(card.index) || !apps.has(app) || over.has(id);
  };
  return evacuate(services, host, { takes, leaves, near: 'lost' });
};
