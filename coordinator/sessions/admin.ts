import { type Refusal, refuse } from '../../shared/errors.ts';
import type { RunningSession } from '../../shared/protocol/http.ts';
import { audit } from '../kit/audit.ts';
import type { Account } from '../store/tables.ts';
import { change, sessionAt } from './change.ts';
import type { World } from './live.ts';
import { playing, sessionOf } from './rows.ts';
import { isLive, participantCount, type Session } from './rules-session.ts';

/** Every live session: as it is known here, else as its row says. */
const liveSessions = async (world: World): Promise<Session[]> => {
  const rows = await world.db.read(({ sessions }) => sessions.find({ phase: playing }));
  const others = rows.flatMap((row) => (world.sessions.has(row.id) ? [] : (sessionOf(row) ?? [])));
  return [...world.sessions.values(), ...others].filter(isLive);
};

/** The live sessions, the one that began last first. */
export const listSessions = async (world: World): Promise<RunningSession[]> =>
  (await liveSessions(world))
    .map((session) => ({
      id: session.id,
      app: session.app,
      host: session.host,
      seat: session.seat,
      phase: session.phase,
      reachable: session.reachable,
      participants: participantCount(session),
      account_id: session.account_id,
      booking_id: session.booking_id,
      started_at: session.phases.accepted ?? 0,
      ends_at: session.ends_at,
    }))
    .sort((a, b) => b.started_at - a.started_at);

/** Ends a session that is not one's own, which the audit log keeps; session_unknown. */
export const endForEverybody = async (
  world: World,
  actor: Account,
  session_id: string,
): Promise<Session | Refusal> => {
  const session = await sessionAt(world, session_id);
  if (session === undefined) return refuse('session_unknown');
  await world.db.transact((tables) =>
    audit(world, tables, actor.id, 'session.end', session_id, { app: session.app, host: session.host }),
  );
  return change(world, session_id, { type: 'end', reason: 'admin_ended' });
};
