import { isRefusal } from '../../shared/errors.ts';
import { nextState } from '../domain/bookings.ts';
import { cardOf, isBound, surplus } from '../domain/capacity.ts';
import { bounds } from '../limits.ts';
import type { Booking, HostRow, ReadTables } from '../store/tables.ts';
import { closeBooking, lockBooking, relocateBooking } from './booking-moves.ts';
import { drainingCards, storedCapacity } from './host-rows.ts';
import { untilSettled } from './seats.ts';
import type { Services } from './services.ts';

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

/** What became of the bookings of a host. `kept`: no other seat fits, and the host may be back in time. */
export interface Evacuation {
  readonly moved: number;
  readonly lost: number;
  readonly kept: number;
}

/** Moves bookings of the host that `leaves` names, all of them by default, to seats that are not on the hosts of `avoid`. */
const evacuate = async (
  services: Services,
  host: string,
  avoid: readonly string[],
  leaves: (booking: Booking) => boolean = () => true,
): Promise<Evacuation> => {
  const { db, clock, log } = services;
  const done = { moved: 0, lost: 0, kept: 0 };
  const state = { in: ['held', 'open'] } as const;
  let after: Booking | undefined;
  for (;;) {
    const page = after === undefined ? {} : { after };
    const rows = await db.read(({ bookings }) =>
      bookings.find({ host, state }, { order: ['starts_at'], limit: page_rows, ...page }),
    );
    for (const { id, starts_at, session_id } of rows.filter(leaves)) {
      if (session_id !== null) continue; // it has begun: its session's end decides
      const moved = await relocateBooking(services, id, new Set(avoid));
      if (!isRefusal(moved)) done.moved += 1;
      else if (starts_at > clock.now() + bounds.lost_ahead_ms) done.kept += 1;
      else if ((await loseBooking(services, id)) !== undefined) done.lost += 1;
    }
    after = rows.at(-1);
    if (after === undefined || rows.length < page_rows) break;
  }
  if (done.moved + done.lost + done.kept > 0) log.warn({ host, ...done }, 'bookings moved off a host');
  return done;
};

/**
 * The host is away for longer than may be: its bookings move to other seats at their time. What fits nowhere is lost if
 * it begins within a day, else it stays; call again while the host is away, once an hour or so. Repeating does no harm.
 */
export const hostLost = (services: Services, host: string): Promise<Evacuation> =>
  evacuate(services, host, [host]);

/** The host takes nothing new: the same happens to its bookings. Call when it starts to drain, and again as above. */
export const hostDrained = (services: Services, host: string): Promise<Evacuation> =>
  evacuate(services, host, [host]);

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
export const hostChanged = async (services: Services, host: string): Promise<Evacuation> => {
  const known = await services.db.read(async ({ hosts, host_apps, bookings }) => {
    const row = await hosts.get({ name: host });
    if (row === undefined) return undefined;
    const apps = new Set((await host_apps.find({ host })).map(({ app }) => app));
    return { row, apps, over: await withoutRoom({ bookings }, row) };
  });
  if (known === undefined) return evacuate(services, host, [host]);
  const { row, apps, over } = known;
  const [capacity, draining] = [storedCapacity(row), drainingCards(row)];
  return evacuate(services, host, [], ({ id, seat, app }) => {
    const card = cardOf(capacity, seat);
    return card === undefined || draining.includes(card.index) || !apps.has(app) || over.has(id);
  });
};
