import { bounds } from '../kit/limits.ts';
import { slot_ms } from '../seats/rules-slots.ts';
import { sessionOf } from '../sessions/rows.ts';
import { isLive } from '../sessions/rules-session.ts';
import type { Booking } from '../store/tables.ts';
import { absentFrom, by_repair, type Check, rule } from './check.ts';

const isHeld = ({ state }: Booking): boolean => state === 'held' || state === 'open';

const cancel = ({ id }: Booking): string => `cancel it by DELETE /api/v1/bookings/${id}, as an operator`;

const ofNothing = rule('bookings', {
  name: 'booking_of_nothing',
  by_hand: (row) =>
    `add what is gone again, or ${cancel(row)}. Coordinators move it if they can, and lose it a day before`,
  async wrong(tables, rows) {
    const held = rows.filter(isHeld);
    const hosts = await absentFrom(
      tables,
      'hosts',
      held.map(({ host }) => host),
    );
    const apps = await absentFrom(
      tables,
      'apps',
      held.map(({ app }) => app),
    );
    return held.flatMap((row) => {
      if (hosts.has(row.host)) return [{ row, text: `is on ${JSON.stringify(row.host)}, which is gone` }];
      return apps.has(row.app) ? [{ row, text: `is of ${JSON.stringify(row.app)}, which is gone` }] : [];
    });
  },
});

const times = rule('bookings', {
  name: 'booking_times',
  by_hand: (row) => `give it another time by PATCH /api/v1/bookings/${row.id}, or ${cancel(row)}`,
  wrong: async (_, rows) =>
    rows
      .filter(
        ({ starts_at, ends_at, ...row }) =>
          isHeld({ starts_at, ends_at, ...row }) &&
          (ends_at <= starts_at ||
            ends_at - starts_at > bounds.booking_minutes * 60_000 ||
            starts_at % slot_ms !== 0 ||
            ends_at % slot_ms !== 0),
      )
      .map((row) => ({ row, text: 'is of a time that nobody can book: it is looked for in vain' })),
});

const ofGoneSession = rule('bookings', {
  name: 'booking_of_gone_session',
  by_hand: () => by_repair,
  async wrong(tables, rows) {
    const started = rows.filter((row) => isHeld(row) && row.session_id !== null);
    const ids = started.flatMap(({ session_id }) => session_id ?? []);
    const absent = await absentFrom(tables, 'sessions', ids);
    const sessions = ids.length === 0 ? [] : await tables.sessions.find({ id: { in: ids } });
    const over = new Set(
      sessions.flatMap((row) => {
        const session = sessionOf(row);
        return session === undefined || isLive(session) ? [] : [row.id];
      }),
    );
    return started
      .filter(({ session_id }) => session_id !== null && (absent.has(session_id) || over.has(session_id)))
      .map((row) => ({ row, text: `waits for its session ${row.session_id}, which is over` }));
  },
  // Then it is started again, or lost, as its time is.
  async mend(_, { bookings }, { id }) {
    await bookings.update({ id }, { session_id: null });
  },
});

const inviteTwice = rule('bookings', {
  name: 'booking_invite_twice',
  by_hand: (row) => `its link may lead to the other one: ${cancel(row)}, and book again`,
  async wrong({ bookings }, rows) {
    const held = rows.filter(isHeld);
    if (held.length === 0) return [];
    const invites = { in: [...new Set(held.map(({ invite }) => invite))] };
    const same = await bookings.find({ invite: invites, state: { in: ['held', 'open'] } });
    const byInvite = Map.groupBy(same, ({ invite }) => invite);
    return held.flatMap((row) => {
      const other = byInvite.get(row.invite)?.find(({ id }) => id < row.id);
      return other === undefined ? [] : [{ row, text: `has the invite link of ${other.id}` }];
    });
  },
});

/** What holds of bookings by themselves; their seats and codes are another matter. */
export const bookingChecks: readonly Check[] = [times, ofGoneSession, inviteTwice, ofNothing];
