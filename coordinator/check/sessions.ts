import { keepRecord, rowOf, sessionOf } from '../sessions/rows.ts';
import { isLive, type Session } from '../sessions/rules-session.ts';
import type { Tables } from '../store/tables.ts';
import { type RowIn, rule } from './check.ts';

type Row = RowIn<'sessions'>;

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

/** Columns that say something else than the state of the session does. */
const differing = (row: Row, session: Session): string[] => {
  const right = rowOf(session, row.updated_at);
  return told.filter((column) => row[column] !== right[column]);
};

const unreadable = rule('sessions', {
  name: 'session_unreadable',
  by_hand:
    'no version that runs here can read it. When its host runs nothing of it any more: DELETE FROM sessions WHERE id = ...; then "coordinator check --repair" frees its seat and code',
  wrong: async (_, rows) =>
    rows
      .filter((row) => sessionOf(row) === undefined)
      .map((row) => ({ row, text: 'holds a state in "data" that this version cannot read' })),
});

const columns = rule('sessions', {
  name: 'session_columns',
  by_hand: 'nothing: "coordinator check --repair" does it',
  wrong: async (_, rows) =>
    rows.flatMap((row) => {
      const session = sessionOf(row);
      const wrong = session === undefined ? [] : differing(row, session);
      return wrong.length === 0 ? [] : [{ row, text: `says otherwise than its state: ${wrong.join(', ')}` }];
    }),
  async mend({ clock }, { sessions }, row) {
    const session = sessionOf(row);
    if (session === undefined) return;
    const { id, created_at: _, ...right } = rowOf(session, clock.now());
    await sessions.update({ id }, right);
  },
});

/** Ends the session of a host that nobody can ask any more. */
const endIt = async (tables: Tables, session: Session, now: number): Promise<void> => {
  const ended: Session = {
    ...session,
    phase: 'ended',
    phases: { ...session.phases, ended: now },
    seat_held: false,
    due: null,
    end: { reason: 'host_lost', at: now },
  };
  const { id, created_at: _, ...right } = rowOf(ended, now);
  await tables.sessions.update({ id }, right);
};

const ofGoneHost = rule('sessions', {
  name: 'session_of_gone_host',
  by_hand: 'add the host again, or end the session',
  async wrong({ hosts }, rows) {
    const live = rows.filter((row) => row.phase !== 'ended' && sessionOf(row) !== undefined);
    if (live.length === 0) return [];
    const names = { in: [...new Set(live.map(({ host }) => host))] };
    const there = new Set((await hosts.find({ name: names })).map(({ name }) => name));
    return live
      .filter(({ host }) => !there.has(host))
      .map((row) => ({ row, text: `plays on ${JSON.stringify(row.host)}, which is gone` }));
  },
  async mend({ clock }, tables, row) {
    const session = sessionOf(row);
    if (session !== undefined && isLive(session)) await endIt(tables, session, clock.now());
  },
});

const withoutRecord = rule('sessions', {
  name: 'session_without_record',
  by_hand: 'nothing: "coordinator check --repair" does it',
  async wrong({ records }, rows) {
    const ended = rows.filter((row) => sessionOf(row)?.end);
    if (ended.length === 0) return [];
    const kept = await records.find({ session_id: { in: ended.map(({ id }) => id) } });
    const there = new Set(kept.map(({ session_id }) => session_id));
    return ended
      .filter(({ id }) => !there.has(id))
      .map((row) => ({ row, text: 'has ended without a record' }));
  },
  async mend(_, tables, row) {
    const session = sessionOf(row);
    if (session?.end) await keepRecord(tables, session, session.end);
  },
});

/** What holds of each session. What ends has its record looked for afterwards. */
export const sessionChecks = [unreadable, columns, ofGoneHost, withoutRecord] as const;
