import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { bounds } from '../limits.ts';
import {
  acted,
  admit,
  awaited,
  connected,
  depart,
  disconnected,
  extendClock,
  letIn,
  type Participant,
  present,
  waiting,
} from './participants.ts';
import type { Rules } from './rules.ts';
import { isLive, newParticipant, type Session, type Step, serving } from './session.ts';
import { changed, ended, still } from './steps.ts';
import { addTicket, freeTicket, useTicket } from './tickets.ts';

export const leave = (session: Session, id: string, now: number): Step => {
  const leaver = session.participants.find((one) => one.id === id && !one.away);
  if (leaver === undefined || !isLive(session)) return still(session);
  const step = changed(session, { participants: depart(session.participants, id) }, [
    { type: 'close_players', participant: id },
  ]);
  const { participants } = step.session;
  const last =
    present(participants).length === 0 && session.awaited_until === null && !awaited(participants, now);
  return last ? ended(step.session, 'last_left', now, true) : step;
};

export const join = (
  session: Session,
  newcomer: { id: string; token_hash: string; invited: boolean; owner?: boolean },
  now: number,
  rules: Rules,
): Step | Refusal => {
  if (!isLive(session)) return refuse('session_ended');
  const admitted = !session.lobby || newcomer.invited;
  const clock = serving(session) ? now + rules.first_join_ms : null;
  const leave_at = admitted ? clock : now + bounds.lobby_ms;
  const participants = admit(
    session.participants,
    { ...newParticipant(newcomer, newcomer.owner ?? false), admitted, leave_at },
    rules.participants,
  );
  return isRefusal(participants) ? participants : changed(session, { participants });
};

/** Takes a newcomer out again, as if it had never come: unlike `leave`, this ends nothing. */
export const withdraw = (session: Session, id: string): Step => {
  const participants = session.participants.filter((one) => one.id !== id);
  return isLive(session) && participants.length < session.participants.length
    ? changed(session, { participants }, [{ type: 'close_players', participant: id }])
    : still(session);
};

export const admitGuest = (
  session: Session,
  id: string,
  admitted: boolean,
  now: number,
  rules: Rules,
): Step | Refusal => {
  if (!isLive(session)) return refuse('session_ended');
  const guest = waiting(session.participants).find((one) => one.id === id);
  if (guest === undefined) return refuse('participant_unknown');
  if (!admitted) return changed(session, { participants: depart(session.participants, id) });
  const clock = serving(session) ? now + rules.first_join_ms : null;
  return changed(session, { participants: letIn(session.participants, id, clock) });
};

export const active = (session: Session, id: string, now: number): Step => {
  if (!isLive(session)) return still(session);
  const participants = acted(session.participants, id, now);
  return session.idle_at === null
    ? still({ ...session, participants })
    : changed(session, { participants, idle_at: null });
};

/** Why players may not connect now, if they may not. */
export const closedDoor = (session: Session): Refusal | undefined => {
  if (!isLive(session)) return refuse('session_ended');
  if (session.phase !== 'ready') return refuse('session_not_ready');
  return session.reachable ? undefined : refuse('host_offline');
};

/** Someone who was away and asks for a ticket is back, if there is room. */
export const issueTicket = (
  session: Session,
  id: string,
  hash: string,
  now: number,
  rules: Rules,
): Step | Refusal => {
  const holder = session.participants.find((one) => one.id === id);
  const closed = closedDoor(session);
  if (closed !== undefined) return closed;
  if (holder === undefined) return refuse('unauthorized');
  if (!holder.admitted) return refuse(holder.away ? 'forbidden' : 'lobby_waiting');
  const expires = now + bounds.ticket_ms;
  const tickets = addTicket(session.tickets, { hash, participant: id, expires, used: false }, now);
  if (!holder.away) {
    return still({ ...session, tickets, participants: extendClock(session.participants, id, expires) });
  }
  const returned = { ...holder, away: false, leave_at: now + rules.first_join_ms, returns_until: null };
  const participants = admit(session.participants, returned, rules.participants);
  return isRefusal(participants) ? participants : changed(session, { tickets, participants });
};

/** Whether someone who is away was cut off and is still waited for. Who left, or was sent away, is not. */
const mayReturn = ({ returns_until }: Participant, now: number): boolean =>
  returns_until !== null && returns_until > now;

/** Lets the ticket's holder connect; one who was cut off and is away meanwhile is back, if there is room. */
export const redeemTicket = (session: Session, hash: string, now: number, rules: Rules): Step | Refusal => {
  const closed = closedDoor(session);
  if (closed !== undefined) return closed;
  const used = useTicket(session.tickets, hash, now);
  if (isRefusal(used)) return used;
  const holder = session.participants.find(({ id, admitted }) => id === used.participant && admitted);
  if (holder === undefined || (holder.away && !mayReturn(holder, now))) return refuse('ticket_unknown');
  if (holder.channels >= bounds.channels_per_participant) {
    return refuse('session_full', `this participant has ${holder.channels} connections open`);
  }
  const { tickets } = used;
  if (!holder.away) {
    return still({ ...session, tickets, participants: connected(session.participants, holder.id) });
  }
  const back = admit(session.participants, { ...holder, away: false }, rules.participants);
  if (isRefusal(back)) return back;
  return changed(session, { tickets, participants: connected(back, holder.id) });
};

export const channelClosed = (
  session: Session,
  { participant, cut, ticket }: { participant: string; cut: boolean; ticket?: string | undefined },
  now: number,
  rules: Rules,
): Step => {
  const leave_at = now + rules.leave_grace_ms;
  const participants = disconnected(session.participants, participant, {
    leave_at: serving(session) ? leave_at : null,
    returns_until: cut ? leave_at + bounds.resume_ms : null,
  });
  const tickets = ticket === undefined ? session.tickets : freeTicket(session.tickets, ticket, now);
  return still({ ...session, participants, tickets });
};
