import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { RunningSession } from '../../shared/protocol/http.ts';
import { audit } from '../kit/audit.ts';
import type { Account } from '../store/tables.ts';
import { happen, type World } from './live.ts';
import { isLive, participantCount, type Session } from './rules-session.ts';

/** The live sessions, the one that began last first. */
export const listSessions = (world: World): RunningSession[] =>
  [...world.sessions.values()]
    .filter(isLive)
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
  const session = world.sessions.get(session_id);
  if (session === undefined) return refuse('session_unknown');
  await world.db.transact((tables) =>
    audit(world, tables, actor.id, 'session.end', session_id, { app: session.app, host: session.host }),
  );
  const ended = happen(world, session_id, { type: 'end', reason: 'admin_ended' });
  if (!isRefusal(ended)) await world.saver.saved(session_id);
  return ended;
};
