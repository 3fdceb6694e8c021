import { lookAlike } from '../../shared/look-alike.ts';
import { bounds } from '../kit/limits.ts';

/** Someone in a session. Who is not `away` is present and keeps the session alive. */
export interface Participant {
  readonly id: string;
  /** SHA-256 of the participant token. */
  readonly token_hash: string;
  readonly owner: boolean;
  /** Came by an invite or by the owner's leave, not by a code alone: room is kept for them. */
  readonly invited: boolean;
  /** What the owner is to call someone who knocks. */
  readonly name: string | null;
  /** Whom a caller is counted as who came by code: see `networkOf`. */
  readonly network: string | null;
  /** Signalling connections open now, and on how many of them the stream was answered. */
  readonly channels: number;
  readonly streams: number;
  /** Has answered the stream at least once. */
  readonly came: boolean;
  /** When it first did (epoch ms). */
  readonly came_at: number | null;
  readonly away: boolean;
  /** May connect; false while the owner has not let it in from the lobby. */
  readonly admitted: boolean;
  /** When its page last told of input (epoch ms); null for a page that never tells. */
  readonly active_at: number | null;
  /** When a participant without a stream is counted as gone (epoch ms); null while no clock runs. */
  readonly leave_at: number | null;
  /** A running clock is moved on no further than this, however often its page asks. */
  readonly leave_latest: number | null;
  /** Its last connection was cut, not closed: until then (epoch ms) the session waits for it even when it is away. */
  readonly returns_until: number | null;
}

type Participants = readonly Participant[];

/** Whether somebody in the session is called that, or by a name that differs in case or script alone. */
export const isNameTaken = (participants: Participants, name: string): boolean =>
  lookAlike(
    name,
    participants.flatMap((one) => one.name ?? []),
  ) !== undefined;

/** A clock that has been started: see `leave_at` and `leave_latest`. */
type Clock = Pick<Participant, 'leave_at' | 'leave_latest'>;

const no_clock: Clock = { leave_at: null, leave_latest: null };

export const present = (participants: Participants): Participants =>
  participants.filter(({ away, admitted }) => !away && admitted);

/** Who waits in the lobby. */
export const waiting = (participants: Participants): Participants =>
  participants.filter(({ away, admitted }) => !away && !admitted);

/** Whether anybody has the stream. */
export const streaming = (participants: Participants): boolean =>
  participants.some(({ streams }) => streams > 0);

const change = (participants: Participants, id: string, patch: Partial<Participant>): Participants =>
  participants.map((one) => (one.id === id ? { ...one, ...patch } : one));

/** Adds a newcomer, or replaces one. Of those who went away the longest gone is forgotten when too many are remembered. */
export const admit = (participants: Participants, newcomer: Participant): Participants => {
  const others = participants.filter(({ id }) => id !== newcomer.id);
  const forgotten =
    others.length >= bounds.participants_remembered ? others.find(({ away }) => away) : undefined;
  return [...others.filter((one) => one !== forgotten), newcomer];
};

/** The participant is gone by its own word, or by the owner's. */
export const depart = (participants: Participants, id: string): Participants =>
  change(participants, id, { away: true, ...no_clock, returns_until: null });

/** The owner sends the participant away: it may not come back. */
export const dismiss = (participants: Participants, id: string): Participants =>
  change(depart(participants, id), id, { admitted: false });

/**
 * A connection of the participant was opened. That alone makes nobody present: its clock runs on until the stream is
 * answered, and the connection of someone who is away has until `until`.
 */
export const connected = (participants: Participants, id: string, until: number): Participants =>
  participants.map((one) => {
    if (one.id !== id) return one;
    const leave_at = one.away ? (one.leave_at ?? until) : one.leave_at && (one.leave_latest ?? one.leave_at);
    return { ...one, channels: one.channels + 1, leave_at };
  });

/** The participant has answered the stream on one of its connections: it is there. */
export const answered = (participants: Participants, id: string, now: number): Participants =>
  participants.map((one) =>
    one.id === id && one.streams < one.channels
      ? {
          ...one,
          streams: one.streams + 1,
          came: true,
          came_at: one.came_at ?? now,
          away: false,
          ...no_clock,
          returns_until: null,
        }
      : one,
  );

/**
 * A connection of the participant was closed. With the last one that had the stream its clock starts (`leave_at` null for
 * no clock), and the time in which it may come back to a stream that was cut off (`returns_until`, null when it was not).
 */
export const disconnected = (
  participants: Participants,
  { id, streamed }: { readonly id: string; readonly streamed: boolean },
  clocks: Clock & Pick<Participant, 'returns_until'>,
): Participants =>
  participants.map((one) => {
    if (one.id !== id || one.channels === 0) return one;
    const channels = one.channels - 1;
    if (!streamed || one.streams === 0) return { ...one, channels };
    const streams = one.streams - 1;
    return { ...one, channels, streams, ...(streams === 0 && !one.away ? clocks : {}) };
  });

/** Somebody is about to come back. */
export const awaited = (participants: Participants, now: number): boolean =>
  participants.some(({ returns_until }) => returns_until !== null && returns_until > now);

/** Everyone present without a stream has until `leave_at` to come. The lobby's clocks are their own. */
export const startClocks = (participants: Participants, leave_at: number): Participants =>
  participants.map((one) =>
    one.away || !one.admitted || one.streams > 0 ? one : { ...one, leave_at, leave_latest: leave_at },
  );

/** Nobody is counted as gone for now. */
export const stopClocks = (participants: Participants): Participants =>
  participants.map((one) => (one.admitted ? { ...one, ...no_clock } : one));

/** A running clock is moved to `leave_at` if that is later, and no further than it may. */
export const extendClock = (participants: Participants, id: string, leave_at: number): Participants =>
  participants.map((one) => {
    if (one.id !== id || one.away || one.leave_at === null) return one;
    const most = Math.min(leave_at, one.leave_latest ?? leave_at);
    return { ...one, leave_at: Math.max(one.leave_at, most) };
  });

/** Whose clock has run out. */
export const late = (participants: Participants, now: number): Participants =>
  participants.filter(({ leave_at }) => leave_at !== null && leave_at <= now);

/** Those whose clock has run out are away. The same array when there is none. */
export const expire = (participants: Participants, now: number): Participants =>
  late(participants, now).reduce(
    (left, { id }) => change(left, id, { away: true, ...no_clock }),
    participants,
  );

/** The owner lets someone in, who has until `leave_at` (null for no clock) to come. */
export const letIn = (participants: Participants, id: string, leave_at: number | null): Participants =>
  change(participants, id, { admitted: true, invited: true, leave_at, leave_latest: leave_at });

/** The page told of input. */
export const acted = (participants: Participants, id: string, now: number): Participants =>
  change(participants, id, { active_at: now });

/**
 * When someone present last did something; undefined when nobody is present. Pages that tell of input count alone: one
 * that never tells keeps nobody's session. Where none tells, the first to come counts as active for `silent_ms`.
 */
export const lastActivity = (participants: Participants, silent_ms: number): number | undefined => {
  const here = present(participants);
  const told = here.flatMap(({ active_at }) => (active_at === null ? [] : [active_at]));
  if (told.length > 0) return Math.max(...told);
  const came = here.flatMap(({ came_at }) => (came_at === null ? [] : [came_at]));
  return came.length > 0 ? Math.min(...came) + silent_ms : undefined;
};
