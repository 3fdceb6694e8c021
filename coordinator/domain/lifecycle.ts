import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { EndReason, SessionPhase } from '../../shared/protocol/session.ts';
import { bounds } from '../limits.ts';
import {
  admit,
  connected,
  depart,
  disconnected,
  expire,
  extendClock,
  present,
  startClocks,
  stopClocks,
} from './participants.ts';
import type { Rules } from './rules.ts';
import { type Effect, isLive, newParticipant, type Session, type Step, serving } from './session.ts';
import { addTicket, useTicket } from './tickets.ts';

/** The phases that a host reports. */
export type HostPhase = 'launching' | 'app_started' | 'ready' | 'restarting';

export type SessionEvent =
  | { readonly type: 'progressed'; readonly phase: HostPhase }
  /** The host says that every process of the session is gone. */
  | { readonly type: 'host_ended'; readonly reason: EndReason }
  /** The host's link dropped; it came back and still runs the session, or no longer does; it did not come back. */
  | { readonly type: 'host_away' }
  | { readonly type: 'host_has'; readonly state: 'starting' | 'ready' | 'restarting' }
  | { readonly type: 'host_lacks' }
  | { readonly type: 'host_lost' }
  /** Someone's decision to end it. */
  | { readonly type: 'end'; readonly reason: EndReason }
  | { readonly type: 'join'; readonly id: string; readonly token_hash: string }
  | { readonly type: 'leave'; readonly participant: string }
  | { readonly type: 'issue_ticket'; readonly participant: string; readonly hash: string }
  | { readonly type: 'use_ticket'; readonly hash: string }
  | { readonly type: 'channel_closed'; readonly participant: string }
  | { readonly type: 'tick' };

/** From which phases a report leads on; in all others it is late or repeated and changes nothing. */
const leadsFrom: Record<HostPhase, readonly SessionPhase[]> = {
  launching: ['assigned'],
  app_started: ['assigned', 'launching'],
  ready: ['assigned', 'launching', 'app_started', 'restarting'],
  restarting: ['assigned', 'launching', 'app_started', 'ready'],
};

const still = (session: Session): Step => ({ session, effects: [] });

const changed = (session: Session, patch: Partial<Session>, effects: readonly Effect[] = []): Step => ({
  session: { ...session, ...patch, version: session.version + 1 },
  effects,
});

/** Runs the clocks of the unconnected only while players could connect. */
const withClocks = (before: Session, step: Step, now: number, rules: Rules): Step => {
  const { session } = step;
  if (serving(before) === serving(session)) return step;
  const participants = serving(session)
    ? startClocks(session.participants, now + rules.first_join_ms)
    : stopClocks(session.participants);
  return { ...step, session: { ...session, participants } };
};

const ended = (session: Session, reason: EndReason, now: number, seat_held: boolean): Step => {
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

const seatFreed = (session: Session, now: number): Step =>
  session.seat_held
    ? still({ ...session, seat_held: false, due: now + bounds.ended_kept_ms })
    : still(session);

/** The host has nothing of the session any more: it ends if it lives, and the seat is free either way. */
const gone = (session: Session, reason: EndReason, now: number): Step =>
  isLive(session) ? ended(session, reason, now, false) : seatFreed(session, now);

const progressed = (session: Session, phase: HostPhase, now: number, rules: Rules): Step => {
  if (!leadsFrom[phase].includes(session.phase)) return still(session);
  // An app that dies while starting is given no more time than one that does not.
  const due = phase === 'ready' ? null : (session.due ?? now + rules.start_timeout_ms);
  const phases = { ...session.phases, [phase]: session.phases[phase] ?? now };
  return withClocks(session, changed(session, { phase, phases, due }), now, rules);
};

const hostHas = (
  session: Session,
  state: 'starting' | 'ready' | 'restarting',
  now: number,
  rules: Rules,
): Step => {
  if (!isLive(session)) return still(session);
  const back = withClocks(session, changed(session, { reachable: true }), now, rules).session;
  if (state !== 'starting') return progressed(back, state, now, rules);
  // "Starting" after it was ready: the report of a restart was lost with the link.
  return progressed(back, back.phase === 'ready' ? 'restarting' : 'launching', now, rules);
};

const hostLacks = (session: Session, now: number): Step =>
  session.phase === 'assigned'
    ? changed(session, { reachable: true }, [{ type: 'start' }])
    : gone(session, 'host_forgot', now);

const hostAway = (session: Session, now: number, rules: Rules): Step =>
  isLive(session) && session.reachable
    ? withClocks(session, changed(session, { reachable: false }), now, rules)
    : still(session);

const emptied = (session: Session): EndReason | undefined => {
  if (present(session.participants).length > 0) return undefined;
  return session.participants.some(({ came }) => came) ? 'last_left' : 'nobody_came';
};

const leave = (session: Session, id: string, now: number): Step => {
  const leaver = present(session.participants).find((one) => one.id === id);
  if (leaver === undefined || !isLive(session)) return still(session);
  const step = changed(session, { participants: depart(session.participants, id) }, [
    { type: 'close_players', participant: id },
  ]);
  return present(step.session.participants).length > 0 ? step : ended(step.session, 'last_left', now, true);
};

const join = (
  session: Session,
  newcomer: { id: string; token_hash: string },
  now: number,
  rules: Rules,
): Step | Refusal => {
  if (!isLive(session)) return refuse('session_ended');
  const leave_at = serving(session) ? now + rules.first_join_ms : null;
  const participants = admit(
    session.participants,
    { ...newParticipant(newcomer, false), leave_at },
    rules.participants,
  );
  return isRefusal(participants) ? participants : changed(session, { participants });
};

/** Why players may not connect now, if they may not. */
const closedDoor = (session: Session): Refusal | undefined => {
  if (!isLive(session)) return refuse('session_ended');
  if (session.phase !== 'ready') return refuse('session_not_ready');
  return session.reachable ? undefined : refuse('host_offline');
};

/** Someone who was away and asks for a ticket is back, if there is room. */
const issueTicket = (
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
  const expires = now + bounds.ticket_ms;
  const tickets = addTicket(session.tickets, { hash, participant: id, expires, used: false }, now);
  if (!holder.away) {
    return still({ ...session, tickets, participants: extendClock(session.participants, id, expires) });
  }
  const returned = { ...holder, away: false, leave_at: now + rules.first_join_ms };
  const participants = admit(session.participants, returned, rules.participants);
  return isRefusal(participants) ? participants : changed(session, { tickets, participants });
};

const redeemTicket = (session: Session, hash: string, now: number): Step | Refusal => {
  const closed = closedDoor(session);
  if (closed !== undefined) return closed;
  const used = useTicket(session.tickets, hash, now);
  if (isRefusal(used)) return used;
  const holder = present(session.participants).find(({ id }) => id === used.participant);
  if (holder === undefined) return refuse('ticket_unknown');
  if (holder.channels >= bounds.channels_per_participant) {
    return refuse('session_full', `this participant has ${holder.channels} connections open`);
  }
  return still({
    ...session,
    tickets: used.tickets,
    participants: connected(session.participants, holder.id),
  });
};

const channelClosed = (session: Session, id: string, now: number, rules: Rules): Step =>
  still({
    ...session,
    participants: disconnected(
      session.participants,
      id,
      serving(session) ? now + rules.leave_grace_ms : null,
    ),
  });

const tick = (session: Session, now: number): Step => {
  const late = session.due !== null && session.due <= now;
  if (session.end !== null) {
    if (!late) return still(session);
    if (!session.seat_held) return { session, effects: [{ type: 'forget' }] };
    const due = now + bounds.end_repeat_ms;
    return { session: { ...session, due }, effects: [{ type: 'stop', reason: session.end.reason }] };
  }
  if (late) return ended(session, 'start_timeout', now, true);
  const participants = expire(session.participants, now);
  if (participants === session.participants) return still(session);
  const step = changed(session, { participants });
  const reason = emptied(step.session);
  return reason === undefined ? step : ended(step.session, reason, now, true);
};

/** What an event makes of a session. An event that is late or repeated changes nothing and returns the same value. */
export const transition = (
  session: Session,
  event: SessionEvent,
  now: number,
  rules: Rules,
): Step | Refusal => {
  switch (event.type) {
    case 'progressed':
      return progressed(session, event.phase, now, rules);
    case 'host_ended':
      return gone(session, event.reason, now);
    case 'host_away':
      return hostAway(session, now, rules);
    case 'host_has':
      return hostHas(session, event.state, now, rules);
    case 'host_lacks':
      return hostLacks(session, now);
    case 'host_lost':
      return gone(session, 'host_lost', now);
    case 'end':
      return isLive(session) ? ended(session, event.reason, now, true) : still(session);
    case 'join':
      return join(session, event, now, rules);
    case 'leave':
      return leave(session, event.participant, now);
    case 'issue_ticket':
      return issueTicket(session, event.participant, event.hash, now, rules);
    case 'use_ticket':
      return redeemTicket(session, event.hash, now);
    case 'channel_closed':
      return channelClosed(session, event.participant, now, rules);
    case 'tick':
      return tick(session, now);
  }
};
