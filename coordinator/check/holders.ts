import { holderOf, sessionOf } from '../sessions/rows.ts';
import { isLive, type Session } from '../sessions/rules-session.ts';
import type { Booking, ReadTables } from '../store/tables.ts';

/** Who has a seat and a code: a booking that is not over, or a session that nobody booked. */
export interface Holder {
  readonly id: string;
  readonly host: string;
  readonly seat: number;
  readonly app: string;
  readonly code: string;
  /** The time for which it has to have its seat. */
  readonly from: number;
  readonly to: number;
  /** From then on, and until then, it may have it: a booked app is started early, a session is made longer in two steps. */
  readonly earliest: number;
  readonly longest: number;
}

const ofBooking = (booking: Booking, session: Session | undefined): Holder | undefined => {
  const { id, host, seat, app, code, starts_at: from, ends_at: to, state } = booking;
  const plays = session !== undefined && isLive(session);
  if (state !== 'held' && state !== 'open' && !(state === 'used' && plays)) return undefined;
  const longest = session !== undefined && plays ? Math.max(to, session.ends_at, session.longest_end) : to;
  // What was taken for a start that failed is kept for the next one.
  const earliest = state === 'held' ? from : 0;
  return { id, host, seat, app, code, from, to, earliest, longest };
};

const ofSession = (session: Session): Holder | undefined => {
  if (session.booking_id !== null || !(isLive(session) || session.seat_held)) return undefined;
  const { id, host, seat, app, code, ends_at: to, phases } = session;
  const from = phases.accepted ?? to;
  const longest = Math.max(to, session.longest_end);
  return { id, host, seat, app, code, from, to, earliest: from, longest };
};

/** The sessions of those bookings, by the booking: the one that lives, if one does. */
const sessionsOf = async ({ sessions }: ReadTables, bookings: readonly string[]) => {
  const rows = bookings.length === 0 ? [] : await sessions.find({ booking_id: { in: bookings } });
  const found = new Map<string, Session>();
  for (const row of rows) {
    const session = sessionOf(row);
    if (session === undefined) continue;
    const known = found.get(holderOf(session));
    if (known === undefined || !isLive(known)) found.set(holderOf(session), session);
  }
  return found;
};

/** Which of the bookings have a seat and a code. */
export const holdersAmong = async (
  tables: ReadTables,
  bookings: readonly Booking[],
): Promise<readonly Holder[]> => {
  const sessions = await sessionsOf(
    tables,
    bookings.map(({ id }) => id),
  );
  return bookings.flatMap((booking) => ofBooking(booking, sessions.get(booking.id)) ?? []);
};

/** The session as one that has a seat and a code; undefined where it has none, or its booking has. */
export const holderAs = (row: Parameters<typeof sessionOf>[0]): Holder | undefined => {
  const session = sessionOf(row);
  return session === undefined ? undefined : ofSession(session);
};

/** Whether something of that id, or of the booking of that id, is there and cannot be read: it may have a seat and a code. */
const isUnread = async ({ bookings, sessions }: ReadTables, id: string): Promise<boolean> => {
  const [booked, own, of] = [
    await bookings.find({ id }),
    await sessions.find({ id }),
    await sessions.find({ booking_id: id }),
  ];
  if ([...own, ...of].some((row) => sessionOf(row) === undefined)) return true;
  const there =
    (await bookings.count({ id })) +
    (await sessions.count({ id })) +
    (await sessions.count({ booking_id: id }));
  return there > booked.length + own.length + of.length;
};

/**
 * Bookings and sessions of these ids that have a seat and a code, by id; undefined for who has none. An id is left out when what
 * has it cannot be read.
 */
export const holdersOf = async (
  tables: ReadTables,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Holder | undefined>> => {
  const wanted = { id: { in: [...new Set(ids)] } };
  if (wanted.id.in.length === 0) return new Map();
  const booked = await holdersAmong(tables, await tables.bookings.find(wanted));
  const played = (await tables.sessions.find(wanted)).flatMap((row) => holderAs(row) ?? []);
  const found = new Map<string, Holder | undefined>(
    [...booked, ...played].map((holder) => [holder.id, holder]),
  );
  for (const id of wanted.id.in) {
    if (!found.has(id) && !(await isUnread(tables, id))) found.set(id, undefined);
  }
  return found;
};
