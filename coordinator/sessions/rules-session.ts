import type { EndReason, SessionPhase } from '../../shared/protocol/session.ts';
import type { SessionSettings } from './rules.ts';
import { type Participant, present } from './rules-participants.ts';
import type { Ticket } from './rules-tickets.ts';

/** One run of an app on one seat of one host. A value: every change makes a new one. Instants are epoch ms. */
export interface Session {
  readonly id: string;
  readonly app: string;
  readonly host: string;
  /** Which of the host's seats, from 0. */
  readonly seat: number;
  /** Who started it, when that was someone with an account. */
  readonly account_id: string | null;
  /** The booking whose time this is. */
  readonly booking_id: string | null;
  /** Fences orders and reports: the host obeys no lower one, the coordinator believes no other one. */
  readonly generation: number;
  readonly code: string;
  /** The language of whom the app is started for, where that is known. */
  readonly language: string | null;
  /** The secret of its invite link. */
  readonly invite: string;
  /** Guests who come by code wait until the owner lets them in. */
  readonly lobby: boolean;
  readonly phase: SessionPhase;
  /** Counts up with every change that a participant may want to hear of. */
  readonly version: number;
  /** When each phase was first reached. */
  readonly phases: Readonly<Partial<Record<'accepted' | SessionPhase, number>>>;
  /** The host's link is up. */
  readonly reachable: boolean;
  /** The seat is taken until the host has said that every process is gone, also after the end. */
  readonly seat_held: boolean;
  readonly participants: readonly Participant[];
  readonly tickets: readonly Ticket[];
  /**
   * What happens next without anybody's doing. Starting or restarting: the start times out. Ended and the seat held:
   * the order to stop is repeated. Ended and the seat free: the session is forgotten.
   */
  readonly due: number | null;
  /** How much has happened to it so far where its host is: by that, each such event counts once, however often it is stored. */
  readonly facts: number;
  /** Since when players could have the stream and nobody has it; null while somebody does, or nobody could. */
  readonly quiet_since: number | null;
  /** A booked session is let go when nobody has come by then; null for others. */
  readonly awaited_until: number | null;
  /** When it ends at the latest, unless it is extended; never beyond `longest_end`. */
  readonly ends_at: number;
  readonly longest_end: number;
  /** It ends earlier than was asked for, because the seat is booked then. */
  readonly cut_short: boolean;
  /** Shortly before the end: until when it may be extended. Null when no extension is offered. */
  readonly extendable_to: number | null;
  /** It ends when nobody has done anything for so long; 0 for never. */
  readonly idle_ms: number;
  /** Set during the countdown: when it ends for want of activity. */
  readonly idle_at: number | null;
  readonly end: { readonly reason: EndReason; readonly at: number } | null;
}

/** What has to be done outside because of a change. All of them are about the changed session. */
export type Effect =
  /** Tell the host to start it, to stop it. */
  | { readonly type: 'start' }
  | { readonly type: 'stop'; readonly reason: EndReason }
  /** Close the signalling connections of all, or of the one who left. */
  | { readonly type: 'close_players'; readonly participant?: string }
  | { readonly type: 'forget' };

export interface Step {
  readonly session: Session;
  readonly effects: readonly Effect[];
}

/** Players may connect: the streamer is registered and the host's link is up. */
export const serving = ({ phase, reachable }: Session): boolean => phase === 'ready' && reachable;

export const isLive = ({ phase }: Session): boolean => phase !== 'ended';

export const participantCount = ({ participants }: Session): number => present(participants).length;

export interface NewSession {
  readonly id: string;
  readonly app: string;
  readonly host: string;
  readonly seat: number;
  readonly account_id: string | null;
  readonly booking_id: string | null;
  readonly code: string;
  readonly language: string | null;
  readonly invite: string;
  readonly lobby: boolean;
  readonly ends_at: number;
  readonly longest_end: number;
  readonly cut_short: boolean;
  readonly idle_ms: number;
  readonly awaited_until: number | null;
  /** Null for a booked session, whose owner comes later. */
  readonly owner: { readonly id: string; readonly token_hash: string } | null;
}

export const newParticipant = (
  { id, token_hash }: { readonly id: string; readonly token_hash: string },
  owner: boolean,
): Participant => ({
  id,
  token_hash,
  owner,
  invited: owner,
  name: null,
  network: null,
  channels: 0,
  streams: 0,
  came: false,
  came_at: null,
  away: false,
  admitted: true,
  active_at: null,
  leave_at: null,
  leave_latest: null,
  returns_until: null,
});

/** A seat was chosen: the session exists, its host has to be told. */
export const openSession = (
  { owner, ...given }: NewSession,
  now: number,
  settings: SessionSettings,
): Step => ({
  session: {
    ...given,
    generation: 1,
    phase: 'assigned',
    version: 1,
    phases: { accepted: now, assigned: now },
    reachable: true,
    seat_held: true,
    participants: owner === null ? [] : [newParticipant(owner, true)],
    tickets: [],
    facts: 0,
    quiet_since: null,
    due: now + settings.start_timeout_ms,
    extendable_to: null,
    idle_at: null,
    end: null,
  },
  effects: [{ type: 'start' }],
});
