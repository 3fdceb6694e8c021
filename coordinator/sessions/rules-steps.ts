import type { EndReason } from '../../shared/protocol/session.ts';
import { bounds } from '../kit/limits.ts';
import { stopClocks } from './rules-participants.ts';
import type { Effect, Session, Step } from './rules-session.ts';

/** Nothing that a participant may want to hear of has changed. */
export const still = (session: Session): Step => ({ session, effects: [] });

export const changed = (
  session: Session,
  patch: Partial<Session>,
  effects: readonly Effect[] = [],
): Step => ({
  session: { ...session, ...patch, version: session.version + 1 },
  effects,
});

/** The session is over; while it holds its seat, its host has to be told. */
export const ended = (session: Session, reason: EndReason, now: number, seat_held: boolean): Step => {
  const stop: Effect[] = seat_held ? [{ type: 'stop', reason }] : [];
  return changed(
    session,
    {
      phase: 'ended',
      phases: { ...session.phases, ended: now },
      participants: stopClocks(session.participants),
      tickets: [],
      seat_held,
      due: now + (seat_held ? bounds.end_repeat_ms : bounds.ended_kept_ms),
      end: { reason, at: now },
    },
    [...stop, { type: 'close_players' }],
  );
};
