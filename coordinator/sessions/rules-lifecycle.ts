import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { EndReason, SessionPhase } from '../../shared/protocol/session.ts';
import { bounds } from '../kit/limits.ts';
import type { SessionSettings } from './rules.ts';
import {
  active,
  admitGuest,
  answer,
  channelClosed,
  issueTicket,
  join,
  leave,
  type Newcomer,
  redeemTicket,
} from './rules-attendance.ts';
import {
  awaited,
  expire,
  lastActivity,
  late,
  present,
  startClocks,
  stopClocks,
  streaming,
} from './rules-participants.ts';
import { type Effect, isLive, type Session, type Step, serving } from './rules-session.ts';
import { changed, ended, still } from './rules-steps.ts';

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
  /** A newcomer; `invited` ones pass the lobby. */
  | ({ readonly type: 'join' } & Newcomer)
  /** The owner's word about someone in the lobby, or to someone who is to go. */
  | { readonly type: 'admit'; readonly participant: string; readonly admitted: boolean }
  /** A page tells of input. */
  | { readonly type: 'active'; readonly participant: string }
  /** The seat is found free until then, or no longer; the session goes on until then. */
  | { readonly type: 'offer_extension'; readonly to: number | null }
  | { readonly type: 'extended'; readonly to: number }
  | { readonly type: 'leave'; readonly participant: string }
  /** A newcomer was told that it did not come in. */
  | { readonly type: 'issue_ticket'; readonly participant: string; readonly hash: string }
  | { readonly type: 'use_ticket'; readonly hash: string }
  /** The stream was answered on one of the participant's connections. */
  | { readonly type: 'answered'; readonly participant: string }
  /** A connection is closed, or was cut off and may be resumed; `streamed` says that the stream was answered on it. */
  | {
      readonly type: 'channel_closed';
      readonly participant: string;
      readonly cut: boolean;
      readonly streamed: boolean;
      /** The hash of the ticket that opened it. */
      readonly ticket?: string;
    }
  /** A coordinator begins with it, which knows nothing of who is connected. */
  | { readonly type: 'taken_up' }
  | { readonly type: 'tick' };

/** What happened to a session, and when (epoch ms). */
export interface Happened {
  readonly event: SessionEvent;
  readonly at: number;
}

/** From which phases a report leads on; in all others it is late or repeated and changes nothing. */
const leadsFrom: Record<HostPhase, readonly SessionPhase[]> = {
  launching: ['assigned'],
  app_started: ['assigned', 'launching'],
  ready: ['assigned', 'launching', 'app_started', 'restarting'],
  restarting: ['assigned', 'launching', 'app_started', 'ready'],
};

/** Runs the clocks of the unconnected only while players could connect. */
const withClocks = (before: Session, step: Step, now: number, settings: SessionSettings): Step => {
  const { session } = step;
  if (serving(before) === serving(session)) return step;
  const participants = serving(session)
    ? startClocks(session.participants, now + settings.first_join_ms)
    : stopClocks(session.participants);
  return { ...step, session: { ...session, participants } };
};

const seatFreed = (session: Session, now: number): Step =>
  session.seat_held
    ? still({ ...session, seat_held: false, due: now + bounds.ended_kept_ms })
    : still(session);

/** The host has nothing of the session any more: it ends if it lives, and the seat is free either way. */
const gone = (session: Session, reason: EndReason, now: number): Step =>
  isLive(session) ? ended(session, reason, now, false) : seatFreed(session, now);

const progressed = (session: Session, phase: HostPhase, now: number, settings: SessionSettings): Step => {
  if (!leadsFrom[phase].includes(session.phase)) return still(session);
  // An app that dies while starting is given no more time than one that does not.
  const due = phase === 'ready' ? null : (session.due ?? now + settings.start_timeout_ms);
  const phases = { ...session.phases, [phase]: session.phases[phase] ?? now };
  return withClocks(session, changed(session, { phase, phases, due }), now, settings);
};

const hostHas = (
  session: Session,
  state: 'starting' | 'ready' | 'restarting',
  now: number,
  settings: SessionSettings,
): Step => {
  if (!isLive(session)) return still(session);
  const back = withClocks(session, changed(session, { reachable: true }), now, settings).session;
  if (state !== 'starting') return progressed(back, state, now, settings);
  // "Starting" after it was ready: the report of a restart was lost with the link.
  return progressed(back, back.phase === 'ready' ? 'restarting' : 'launching', now, settings);
};

const hostLacks = (session: Session, now: number): Step =>
  session.phase === 'assigned'
    ? changed(session, { reachable: true }, [{ type: 'start' }])
    : gone(session, 'host_forgot', now);

const hostAway = (session: Session, now: number, settings: SessionSettings): Step =>
  isLive(session) && session.reachable
    ? withClocks(session, changed(session, { reachable: false }), now, settings)
    : still(session);

/** Nobody has had the stream for longer than anybody needs to come, or to come back: newcomers who never answer keep no seat. */
const deserted = ({ quiet_since }: Session, now: number, settings: SessionSettings): boolean =>
  quiet_since !== null && quiet_since + 2 * settings.first_join_ms + settings.leave_grace_ms <= now;

const emptied = (session: Session, now: number, settings: SessionSettings): EndReason | undefined => {
  const { participants, awaited_until } = session;
  if (awaited_until !== null || awaited(participants, now)) return undefined;
  if (present(participants).length > 0 && !deserted(session, now, settings)) return undefined;
  return participants.some(({ came }) => came) ? 'last_left' : 'nobody_came';
};

const offerExtension = (session: Session, to: number | null): Step =>
  isLive(session) && session.extendable_to !== to ? changed(session, { extendable_to: to }) : still(session);

const extended = (session: Session, to: number): Step | Refusal => {
  if (!isLive(session)) return refuse('session_ended');
  if (to > session.longest_end) return refuse('extension_longest');
  if (to <= session.ends_at) return refuse('extension_refused');
  return changed(session, { ends_at: to, cut_short: false, extendable_to: null });
};

/** The first time that a booked session's owner and guests had to come is over. */
const stopAwaiting = (session: Session, now: number, settings: SessionSettings): Step => {
  // Who came at the last moment has as long as others.
  const quiet_since = session.quiet_since === null ? null : now;
  const waited = { ...session, awaited_until: null, quiet_since };
  const reason = emptied(waited, now, settings);
  return reason === undefined ? still(waited) : ended(waited, reason, now, true);
};

/** The tickets without those of people who are counted as gone now and are waited for no more: they may ask for others. */
const ticketsLeft = ({ participants, tickets }: Session, now: number): Session['tickets'] => {
  const gone = late(participants, now).filter(({ returns_until }) => (returns_until ?? 0) <= now);
  return tickets.filter(({ participant }) => gone.every(({ id }) => id !== participant));
};

const tick = (session: Session, now: number, settings: SessionSettings): Step => {
  const overdue = session.due !== null && session.due <= now;
  if (session.end !== null) {
    if (!overdue) return still(session);
    if (!session.seat_held) return { session, effects: [{ type: 'forget' }] };
    const due = now + bounds.end_repeat_ms;
    return { session: { ...session, due }, effects: [{ type: 'stop', reason: session.end.reason }] };
  }
  if (overdue) return ended(session, 'start_timeout', now, true);
  if (session.ends_at <= now) return ended(session, 'time_up', now, true);
  if (session.awaited_until !== null && session.awaited_until <= now)
    return stopAwaiting(session, now, settings);
  const participants = expire(session.participants, now);
  const expired = participants !== session.participants;
  const silent = late(session.participants, now).filter(({ channels }) => channels > 0);
  const closes = silent.map(({ id }): Effect => ({ type: 'close_players', participant: id }));
  const step = expired
    ? changed(session, { participants, tickets: ticketsLeft(session, now) }, closes)
    : still(session);
  const reason = emptied(step.session, now, settings);
  if (reason !== undefined) return ended(step.session, reason, now, true);
  return expired ? step : watchIdle(session, now, settings);
};

/** Counts down to the end of a session in which nobody does anything, and ends it. */
const watchIdle = (session: Session, now: number, settings: SessionSettings): Step => {
  const last =
    serving(session) && session.idle_ms > 0
      ? lastActivity(session.participants, settings.silent_page_ms)
      : undefined;
  const end = last === undefined ? Number.POSITIVE_INFINITY : last + session.idle_ms;
  if (end <= now) return ended(session, 'idle', now, true);
  const idle_at = end - bounds.idle_countdown_ms <= now ? end : null;
  return idle_at === session.idle_at ? still(session) : changed(session, { idle_at });
};

/** Notes since when nobody has the stream. */
const withQuiet = (step: Step, now: number): Step => {
  const { session } = step;
  const quiet = serving(session) && !streaming(session.participants);
  const quiet_since = quiet ? (session.quiet_since ?? now) : null;
  return quiet_since === session.quiet_since ? step : { ...step, session: { ...session, quiet_since } };
};

/** What an event makes of a session. An event that is late or repeated changes nothing and returns the same value. */
export const transition = (
  session: Session,
  event: SessionEvent,
  now: number,
  settings: SessionSettings,
): Step | Refusal => {
  const step = carry(session, event, now, settings);
  return isRefusal(step) ? step : withQuiet(step, now);
};

/** What becomes of a session to which all these facts happen; what may not happen to it counts and changes nothing. */
export const replay = (session: Session, events: readonly Happened[], settings: SessionSettings): Session =>
  events.reduce((now, { event, at }) => {
    const step = transition(now, event, at, settings);
    return { ...(isRefusal(step) ? now : step.session), facts: now.facts + 1 };
  }, session);

/** Nobody is connected, and the host has yet to come. */
const takenUp = (session: Session): Session => ({
  ...session,
  reachable: false,
  tickets: [],
  participants: stopClocks(session.participants.map((one) => ({ ...one, channels: 0, streams: 0 }))),
});

const carry = (
  session: Session,
  event: SessionEvent,
  now: number,
  settings: SessionSettings,
): Step | Refusal => {
  switch (event.type) {
    case 'progressed':
      return progressed(session, event.phase, now, settings);
    case 'host_ended':
      return gone(session, event.reason, now);
    case 'host_away':
      return hostAway(session, now, settings);
    case 'host_has':
      return hostHas(session, event.state, now, settings);
    case 'host_lacks':
      return hostLacks(session, now);
    case 'host_lost':
      return gone(session, 'host_lost', now);
    case 'end':
      return isLive(session) ? ended(session, event.reason, now, true) : still(session);
    case 'join':
      return join(session, event, now, settings);
    case 'admit':
      return admitGuest(session, event.participant, event.admitted, now, settings);
    case 'active':
      return active(session, event.participant, now);
    case 'offer_extension':
      return offerExtension(session, event.to);
    case 'extended':
      return extended(session, event.to);
    case 'leave':
      return leave(session, event.participant, now);
    case 'issue_ticket':
      return issueTicket(session, event.participant, event.hash, now, settings);
    case 'use_ticket':
      return redeemTicket(session, event.hash, now, settings);
    case 'answered':
      return answer(session, event.participant, now, settings);
    case 'channel_closed':
      return channelClosed(session, event, now, settings);
    case 'taken_up':
      return still(takenUp(session));
    case 'tick':
      return tick(session, now, settings);
  }
};
