import { endReasons } from '../../shared/protocol/session.ts';
import type { World } from './live.ts';
import { endTextFor } from './rules-ends.ts';
import { waiting } from './rules-participants.ts';
import { participantCount, type Session } from './rules-session.ts';

/** The session as a participant sees it who has been let in, or waits for that. */
export const describeSession = (
  { clock }: Pick<World, 'clock'>,
  session: Session,
  { admitted, owner }: { readonly admitted: boolean; readonly owner: boolean },
) => ({
  now: clock.now(),
  id: session.id,
  app: session.app,
  phase: session.phase,
  code: session.code,
  version: session.version,
  participants: participantCount(session),
  // With the invite one passes the lobby.
  invite: admitted ? session.invite : null,
  ends_at: session.ends_at,
  cut_short: session.cut_short,
  extendable_to: session.extendable_to,
  idle_at: session.idle_at,
  waiting: waiting(session.participants).map(({ id }) => id),
  names: Object.fromEntries(
    waiting(session.participants).flatMap(({ id, name }) => (name === null ? [] : [[id, name]])),
  ),
  phases: session.phases,
  end:
    session.end === null
      ? null
      : {
          reason: session.end.reason,
          code: endReasons[session.end.reason],
          text: endTextFor(session.end.reason, { owner }),
        },
});

/** As whom the participant sees the session: one who is not in it any more sees what those in the lobby do. */
export const seenBy = (
  { participants }: Session,
  id: string,
): { readonly admitted: boolean; readonly owner: boolean } => ({
  admitted: participants.some((one) => one.id === id && one.admitted),
  owner: participants.some((one) => one.id === id && one.owner),
});

/** Who the caller is in the session from now on. */
export const participation = (
  world: World,
  session: Session,
  participant_id: string,
  participant_token: string,
  owner: boolean,
) => ({
  session: describeSession(world, session, seenBy(session, participant_id)),
  participant_id,
  owner,
  participant_token,
});
