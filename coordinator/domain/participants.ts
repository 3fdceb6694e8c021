import { type Refusal, refuse } from '../../shared/errors.ts';
import { bounds } from '../limits.ts';

/** Someone in a session. Who is not `away` is present and keeps the session alive. */
export interface Participant {
  readonly id: string;
  /** SHA-256 of the participant token. */
  readonly token_hash: string;
  readonly owner: boolean;
  /** Signalling connections open now. */
  readonly channels: number;
  /** Has been connected at least once. */
  readonly came: boolean;
  readonly away: boolean;
  /** May connect; false while the owner has not let it in from the lobby. */
  readonly admitted: boolean;
  /** When its page last told of input (epoch ms); null for a page that never tells. */
  readonly active_at: number | null;
  /** When a participant without a connection is counted as gone (epoch ms); null while no clock runs. */
  readonly leave_at: number | null;
  /** Its last connection was cut, not closed: until then (epoch ms) the session waits for it even when it is away. */
  readonly returns_until: number | null;
}

type Participants = readonly Participant[];

export const present = (participants: Participants): Participants =>
  participants.filter(({ away, admitted }) => !away && admitted);

/** Who waits in the lobby. */
export const waiting = (participants: Participants): Participants =>
  participants.filter(({ away, admitted }) => !away && !admitted);

const change = (participants: Participants, id: string, patch: Partial<Participant>): Participants =>
  participants.map((one) => (one.id === id ? { ...one, ...patch } : one));

/** A newcomer, or one who was away and returns. Refused with session_full when `most` are present already. */
export const admit = (
  participants: Participants,
  newcomer: Participant,
  most: number,
): Participants | Refusal => {
  const others = participants.filter(({ id }) => id !== newcomer.id);
  if (others.filter(({ away }) => !away).length >= most) return refuse('session_full');
  const forgotten =
    others.length >= bounds.participants_remembered ? others.find(({ away }) => away) : undefined;
  return [...others.filter((one) => one !== forgotten), newcomer];
};

/** The participant is gone by its own word, or by the owner's. */
export const depart = (participants: Participants, id: string): Participants =>
  change(participants, id, { away: true, leave_at: null, returns_until: null });

/** A connection of the participant was opened. */
export const connected = (participants: Participants, id: string): Participants =>
  participants.map((one) =>
    one.id === id
      ? { ...one, channels: one.channels + 1, came: true, leave_at: null, returns_until: null }
      : one,
  );

/**
 * A connection of the participant was closed; with the last one its clock starts (`leave_at`, null for no clock), and the
 * time in which it may come back to a stream that was cut off (`returns_until`, null when it was not).
 */
export const disconnected = (
  participants: Participants,
  id: string,
  clocks: Pick<Participant, 'leave_at' | 'returns_until'>,
): Participants =>
  participants.map((one) => {
    if (one.id !== id || one.channels === 0) return one;
    const channels = one.channels - 1;
    return { ...one, channels, ...(channels === 0 && !one.away ? clocks : {}) };
  });

/** Somebody is about to come back. */
export const awaited = (participants: Participants, now: number): boolean =>
  participants.some(({ returns_until }) => returns_until !== null && returns_until > now);

/** Everyone present without a connection has until `leave_at` to come. The lobby's clocks are their own. */
export const startClocks = (participants: Participants, leave_at: number): Participants =>
  participants.map((one) => (one.away || !one.admitted || one.channels > 0 ? one : { ...one, leave_at }));

/** Nobody is counted as gone for now. */
export const stopClocks = (participants: Participants): Participants =>
  participants.map((one) => (one.admitted ? { ...one, leave_at: null } : one));

/** A running clock is moved to `leave_at` if that is later. */
export const extendClock = (participants: Participants, id: string, leave_at: number): Participants =>
  participants.map((one) =>
    one.id === id && one.leave_at !== null ? { ...one, leave_at: Math.max(one.leave_at, leave_at) } : one,
  );

/** Those whose clock has run out are away. The same array when there is none. */
export const expire = (participants: Participants, now: number): Participants =>
  participants.some(({ leave_at }) => leave_at !== null && leave_at <= now)
    ? participants.map((one) =>
        one.leave_at !== null && one.leave_at <= now ? { ...one, away: true, leave_at: null } : one,
      )
    : participants;

/** The owner lets someone in, who has until `leave_at` (null for no clock) to come. */
export const letIn = (participants: Participants, id: string, leave_at: number | null): Participants =>
  change(participants, id, { admitted: true, leave_at });

/** The page told of input. */
export const acted = (participants: Participants, id: string, now: number): Participants =>
  change(participants, id, { active_at: now });

/**
 * When someone present last did something; undefined when nobody is present or someone's page never tells, whom nobody
 * can call idle.
 */
export const lastActivity = (participants: Participants): number | undefined => {
  const here = present(participants);
  const times = here.flatMap(({ active_at }) => (active_at === null ? [] : [active_at]));
  return here.length > 0 && times.length === here.length ? Math.max(...times) : undefined;
};
