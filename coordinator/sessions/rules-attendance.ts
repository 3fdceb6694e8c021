import { counted } from '../../shared/counted.ts';
import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { bounds } from '../kit/limits.ts';
import type { SessionSettings } from './rules.ts';
import {
  acted,
  admit,
  answered,
  awaited,
  connected,
  depart,
  disconnected,
  dismiss,
  extendClock,
  letIn,
  present,
  waiting,
} from './rules-participants.ts';
import { roomFor, roomInLobby } from './rules-room.ts';
import { isLive, newParticipant, type Session, type Step, serving } from './rules-session.ts';
import { changed, ended, still } from './rules-steps.ts';
import { addTicket, freeTicket, useTicket } from './rules-tickets.ts';

export const leave = (session: Session, id: string, now: number): Step => {
  const leaver = session.participants.find((one) => one.id === id && !one.away);
  if (leaver === undefined || !isLive(session)) return still(session);
  // Its tickets end with it: it may ask for another.
  const tickets = session.tickets.filter(({ participant }) => participant !== id);
  const step = changed(session, { participants: depart(session.participants, id), tickets }, [
    { type: 'close_players', participant: id },
  ]);
  const { participants } = step.session;
  const last =
    leaver.admitted &&
    present(participants).length === 0 &&
    session.awaited_until === null &&
    !awaited(participants, now);
  return last ? ended(step.session, 'last_left', now, true) : step;
};

/** Who wants to come in. */
export interface Newcomer {
  readonly id: string;
  readonly token_hash: string;
  /** Has an invite: passes the lobby. */
  readonly invited: boolean;
  readonly owner?: boolean;
  /** Waits for the owner, whatever the app says. */
  readonly knocks?: boolean;
  /** How long it waits in the lobby, epoch ms. */
  readonly until?: number;
  readonly name?: string | undefined;
  readonly network?: string | undefined;
}

export const join = (
  session: Session,
  newcomer: Newcomer,
  now: number,
  settings: SessionSettings,
): Step | Refusal => {
  if (!isLive(session)) return refuse('session_ended');
  const { invited, owner = false, knocks = false, name = null, network = null } = newcomer;
  const { until = now + bounds.lobby_ms } = newcomer;
  const admitted = invited || !(session.lobby || knocks);
  const others = session.participants.filter(({ id }) => id !== newcomer.id);
  const full = admitted
    ? roomFor(present(others), { invited, network }, settings.participants)
    : roomInLobby(waiting(others), network);
  if (full !== undefined) return full;
  const clock = serving(session) ? now + settings.first_join_ms : null;
  const leave_at = admitted ? clock : until;
  const one = { ...newParticipant(newcomer, owner), invited: invited || owner, name, network };
  const participants = admit(others, { ...one, admitted, leave_at, leave_latest: leave_at });
  return changed(session, { participants });
};

/** The owner sends somebody away, from the lobby or out of the session; not another owner. */
const sendAway = (session: Session, id: string): Step | Refusal => {
  const guest = session.participants.find((one) => one.id === id && !one.away && !one.owner);
  if (guest === undefined) return refuse('participant_unknown');
  const tickets = session.tickets.filter(({ participant }) => participant !== id);
  return changed(session, { participants: dismiss(session.participants, id), tickets }, [
    { type: 'close_players', participant: id },
  ]);
};

export const admitGuest = (
  session: Session,
  id: string,
  admitted: boolean,
  now: number,
  settings: SessionSettings,
): Step | Refusal => {
  if (!isLive(session)) return refuse('session_ended');
  if (!admitted) return sendAway(session, id);
  if (!waiting(session.participants).some((one) => one.id === id)) return refuse('participant_unknown');
  if (present(session.participants).length >= settings.participants) return refuse('session_full');
  const clock = serving(session) ? now + settings.first_join_ms : null;
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

/** Someone who is away is back once the stream is answered, if there is room. */
export const issueTicket = (
  session: Session,
  id: string,
  hash: string,
  now: number,
  settings: SessionSettings,
): Step | Refusal => {
  const holder = session.participants.find((one) => one.id === id);
  const closed = closedDoor(session);
  if (closed !== undefined) return closed;
  if (holder === undefined) return refuse('unauthorized');
  if (!holder.admitted) return refuse(holder.away ? 'forbidden' : 'lobby_waiting');
  const expires = now + bounds.ticket_ms;
  const tickets = addTicket(session.tickets, { hash, participant: id, expires, used: false }, now);
  if (holder.away && present(session.participants).length >= settings.participants)
    return refuse('session_full');
  return still({ ...session, tickets, participants: extendClock(session.participants, id, expires) });
};

/** Lets the ticket's holder connect; one who is away is back once it answers the stream. */
export const redeemTicket = (
  session: Session,
  hash: string,
  now: number,
  settings: SessionSettings,
): Step | Refusal => {
  const closed = closedDoor(session);
  if (closed !== undefined) return closed;
  const used = useTicket(session.tickets, hash, now);
  if (isRefusal(used)) return used;
  const holder = session.participants.find(({ id, admitted }) => id === used.participant && admitted);
  if (holder === undefined) return refuse('ticket_unknown');
  if (holder.channels >= bounds.channels_per_participant) {
    return refuse('session_full', `this participant has ${counted(holder.channels, 'connection')} open`);
  }
  if (holder.away && present(session.participants).length >= settings.participants)
    return refuse('session_full');
  return still({
    ...session,
    tickets: used.tickets,
    participants: connected(session.participants, holder.id, now + settings.first_join_ms),
  });
};

/** The host has seen the participant answer the stream. Who was away is back, if there is room still. */
export const answer = (session: Session, id: string, now: number, settings: SessionSettings): Step => {
  const one = session.participants.find((each) => each.id === id);
  if (one === undefined || !isLive(session)) return still(session);
  if (one.away && present(session.participants).length >= settings.participants) {
    return { session, effects: [{ type: 'close_players', participant: id }] };
  }
  const participants = answered(session.participants, id, now);
  return one.away ? changed(session, { participants }) : still({ ...session, participants });
};

export const channelClosed = (
  session: Session,
  {
    participant,
    cut,
    streamed,
    ticket,
  }: { participant: string; cut: boolean; streamed: boolean; ticket?: string | undefined },
  now: number,
  settings: SessionSettings,
): Step => {
  const leave_at = now + settings.leave_grace_ms;
  const clock = serving(session)
    ? { leave_at, leave_latest: Math.max(leave_at, now + settings.first_join_ms) }
    : { leave_at: null, leave_latest: null };
  const participants = disconnected(
    session.participants,
    { id: participant, streamed },
    { ...clock, returns_until: cut ? leave_at + bounds.resume_ms : null },
  );
  const tickets = ticket === undefined ? session.tickets : freeTicket(session.tickets, ticket, now);
  return still({ ...session, participants, tickets });
};
