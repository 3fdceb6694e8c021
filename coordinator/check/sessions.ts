import { type EndReason, endReasons } from '../../shared/protocol/session.ts';
import { keepRecord, rowOf, sessionOf } from '../sessions/rows.ts';
import { isLive, type Session } from '../sessions/rules-session.ts';
import { ended } from '../sessions/rules-steps.ts';
import type { SessionRow } from '../store/tables.ts';
import { absentFrom, by_repair, type Check, rule, whereSql } from './check.ts';

/** Who has a session in memory has ended it by then, and stored that. */
const overdue_ms = 600_000;
/** An ended session is forgotten some minutes after its seat is free. */
const left_ms = 86_400_000;

const told = [
  'app',
  'host',
  'seat',
  'booking_id',
  'account_id',
  'generation',
  'phase',
  'code',
  'ends_at',
] as const;

/** Rows with their sessions, those that can be read. */
const readable = (rows: readonly SessionRow[]) =>
  rows.flatMap((row) => {
    const session = sessionOf(row);
    return session === undefined ? [] : [{ row, session }];
  });

const live = (rows: readonly SessionRow[]) => readable(rows).filter(({ session }) => isLive(session));

/** Columns that say something else than the state of the session does. */
const differing = (row: SessionRow, session: Session): string[] => {
  const right = rowOf(session, row.updated_at);
  return told.filter((column) => row[column] !== right[column]);
};

const unreadable = rule('sessions', {
  name: 'session_unreadable',
  by_hand: ({ id }) =>
    `no version that runs here can read it. When its host runs nothing of it any more: DELETE FROM sessions ${whereSql({ id })}; then "coordinator check --repair" frees its seat and code`,
  wrong: async (_, rows) =>
    rows
      .filter((row) => sessionOf(row) === undefined)
      .map((row) => ({ row, text: 'holds a state in "data" that this version cannot read' })),
});

const columns = rule('sessions', {
  name: 'session_columns',
  by_hand: () => by_repair,
  wrong: async (_, rows) =>
    readable(rows).flatMap(({ row, session }) => {
      const wrong = differing(row, session);
      return wrong.length === 0 ? [] : [{ row, text: `says otherwise than its state: ${wrong.join(', ')}` }];
    }),
  async mend({ clock }, { sessions }, row) {
    const session = sessionOf(row);
    if (session === undefined) return;
    const { id: _, created_at: __, ...right } = rowOf(session, clock.now());
    await sessions.update({ id: row.id }, right);
  },
});

const overdue = rule('sessions', {
  name: 'session_overdue',
  by_hand: () => by_repair,
  wrong: async (_, rows, now) =>
    live(rows)
      .filter(({ session }) => session.ends_at + overdue_ms < now)
      .map(({ row }) => ({ row, text: 'goes on in the books although its time is over' })),
  // As a coordinator would have done on time, which asks the host again until everything of it is gone.
  async mend({ clock }, tables, row) {
    const session = sessionOf(row);
    if (session === undefined) return;
    const gone = (await absentFrom(tables, 'hosts', [session.host])).size > 0;
    const reason: EndReason = gone ? 'host_lost' : 'time_up';
    const over = ended(session, reason, session.ends_at, !gone).session;
    const { id, created_at: _, ...right } = rowOf(over, clock.now());
    await tables.sessions.update({ id }, right);
  },
});

const withoutRecord = rule('sessions', {
  name: 'session_without_record',
  by_hand: () => by_repair,
  async wrong(tables, rows) {
    const over = readable(rows).filter(({ session }) => session.end !== null);
    const absent = await absentFrom(
      tables,
      'records',
      over.map(({ row }) => row.id),
    );
    return over
      .filter(({ row }) => absent.has(row.id))
      .map(({ row }) => ({ row, text: 'has ended without a record' }));
  },
  async mend(_, tables, row) {
    const session = sessionOf(row);
    if (session?.end) await keepRecord(tables, session, session.end);
  },
});

const withRecord = rule('sessions', {
  name: 'session_with_record',
  by_hand: ({ id }) =>
    `end it by DELETE /api/v1/sessions/${id}, as an operator; if it does play: DELETE FROM records ${whereSql({ session_id: id })}`,
  async wrong({ records }, rows) {
    const playing = live(rows).map(({ row }) => row);
    if (playing.length === 0) return [];
    const kept = await records.find({ session_id: { in: playing.map(({ id }) => id) } });
    const there = new Map(kept.map((record) => [record.session_id, record]));
    return playing.flatMap((row) => {
      const record = there.get(row.id);
      if (record === undefined) return [];
      const why = Object.entries(endReasons).find(([, code]) => code === record.end_reason)?.[0];
      return [{ row, text: `goes on, and there is a record of its end (${why ?? record.end_reason})` }];
    });
  },
});

const left = rule('sessions', {
  name: 'session_left',
  by_hand: () => by_repair,
  async wrong(tables, rows, now) {
    const old = readable(rows).filter(
      ({ session }) => session.end !== null && session.end.at + left_ms < now,
    );
    const gone = await absentFrom(
      tables,
      'hosts',
      old.map(({ row }) => row.host),
    );
    const unrecorded = await absentFrom(
      tables,
      'records',
      old.map(({ row }) => row.id),
    );
    return old
      .filter(({ row, session }) => (!session.seat_held || gone.has(row.host)) && !unrecorded.has(row.id))
      .map(({ row }) => ({
        row,
        text: 'ended long ago; its record is there, and nobody asks for it any more',
      }));
  },
  async mend(_, { sessions }, { id }) {
    await sessions.remove({ id });
  },
});

const ofBooking = rule('sessions', {
  name: 'session_of_booking',
  by_hand: ({ id }) =>
    `one booking has two sessions: end one by DELETE /api/v1/sessions/${id}, as an operator`,
  async wrong({ bookings, sessions }, rows) {
    const booked = live(rows).filter(({ row }) => row.booking_id !== null);
    if (booked.length === 0) return [];
    const ids = booked.flatMap(({ row }) => row.booking_id ?? []);
    const found = new Map((await bookings.find({ id: { in: ids } })).map((one) => [one.id, one]));
    const twins = Map.groupBy(
      live(await sessions.find({ booking_id: { in: ids } })),
      ({ row }) => row.booking_id,
    );
    return booked.flatMap(({ row }) => {
      const booking = found.get(row.booking_id ?? '');
      const others = twins.get(row.booking_id)?.some((one) => one.row.id !== row.id) ?? false;
      const known = booking?.state !== 'open' || booking.session_id === row.id;
      if (others && booking?.session_id !== row.id) {
        return [{ row, text: `is a second session of the booking ${row.booking_id}` }];
      }
      return known
        ? []
        : [{ row, text: `plays for the booking ${row.booking_id}, which does not know of it` }];
    });
  },
  async mend(_, tables, { id, booking_id }) {
    if (booking_id === null) return;
    const booking = await tables.bookings.lock({ id: booking_id });
    if (booking?.state === 'open' && booking.session_id === null) {
      await tables.bookings.update({ id: booking_id }, { session_id: id });
    }
  },
});

const participants = rule('sessions', {
  name: 'session_participants',
  by_hand: ({ id }) => `end it by DELETE /api/v1/sessions/${id}, as an operator`,
  wrong: async (_, rows) =>
    live(rows)
      .filter(
        ({ session }) => new Set(session.participants.map(({ id }) => id)).size < session.participants.length,
      )
      .map(({ row }) => ({ row, text: 'has two participants of one id' })),
});

/** What holds of each session. What ends has its record looked for afterwards. */
export const sessionChecks: readonly Check[] = [
  unreadable,
  columns,
  withRecord,
  overdue,
  withoutRecord,
  left,
  ofBooking,
  participants,
];
