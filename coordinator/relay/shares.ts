import type { Clock } from '../../shared/clock.ts';
import { bounds } from '../kit/limits.ts';

/** Whose channel it is. */
export interface Owner {
  readonly session: string;
  readonly participant: string;
}

/** What somebody has sent of late: it grows with what is sent and falls with time. */
interface Use {
  level: number;
  /** Monotonic ms. */
  at: number;
}

interface ParticipantUse extends Use {
  channels: number;
}

interface SessionUse extends Use {
  readonly participants: Map<string, ParticipantUse>;
}

/** How fast a use falls, in bytes per second, and how far it may rise. */
interface Share {
  readonly per_second: number;
  readonly burst: number;
}

const of_participant: Share = {
  per_second: bounds.participant_bytes_per_second,
  burst: bounds.participant_bytes_burst,
};
const of_session: Share = { per_second: bounds.session_bytes_per_second, burst: bounds.session_bytes_burst };

/** How much of one link each participant and each session may use. */
export interface Shares {
  /** Notes a channel of the owner; the function returned takes it out. */
  open(owner: Owner): () => void;
  /**
   * Notes a frame of so many bytes, unless its sender is to be closed for it. Says who has to be closed: the sender beyond
   * its own share; beyond its session's whoever used most of that, so that one participant cannot take it from the others,
   * who may go on while they use little.
   */
  spend(owner: Owner, bytes: number): Owner | undefined;
  /** Who uses most of the link, of the session that does; undefined when nobody's use is worth a word. */
  greatest(): Owner | undefined;
}

const fallen = (use: Use, { per_second }: Share, now: number): number => {
  use.level = Math.max(0, use.level - ((now - use.at) / 1_000) * per_second);
  use.at = now;
  return use.level;
};

/** Of those that have a channel open, whoever used most. */
const greatestOf = ({ participants }: SessionUse, now: number): [string, ParticipantUse] | undefined => {
  let found: [string, ParticipantUse] | undefined;
  for (const [name, use] of participants) {
    const level = fallen(use, of_participant, now);
    if (use.channels > 0 && level > (found?.[1].level ?? -1)) found = [name, use];
  }
  return found;
};

export const createShares = (clock: Clock): Shares => {
  const sessions = new Map<string, SessionUse>();

  /** Nobody's use is remembered for longer than it counts. */
  const sweep = (now: number) => {
    for (const [id, session] of sessions) {
      for (const [name, use] of session.participants) {
        if (use.channels === 0 && fallen(use, of_participant, now) === 0) session.participants.delete(name);
      }
      if (session.participants.size === 0 && fallen(session, of_session, now) === 0) sessions.delete(id);
    }
  };
  const sessionOf = ({ session: id }: Owner, now: number): SessionUse => {
    const session = sessions.get(id) ?? { level: 0, at: now, participants: new Map() };
    sessions.set(id, session);
    return session;
  };
  const participantOf = (
    { participants }: SessionUse,
    { participant }: Owner,
    now: number,
  ): ParticipantUse => {
    const use = participants.get(participant) ?? { level: 0, at: now, channels: 0 };
    participants.set(participant, use);
    return use;
  };

  return {
    open(owner) {
      const now = clock.monotonic();
      sweep(now);
      const use = participantOf(sessionOf(owner, now), owner, now);
      use.channels += 1;
      return () => {
        use.channels -= 1;
      };
    },
    spend(owner, bytes) {
      const now = clock.monotonic();
      const cost = bytes + bounds.frame_cost_bytes;
      const session = sessionOf(owner, now);
      const own = participantOf(session, owner, now);
      if (fallen(own, of_participant, now) + cost > of_participant.burst) return owner;
      const level = fallen(session, of_session, now) + cost;
      const [participant, use] = level > of_session.burst ? (greatestOf(session, now) ?? []) : [];
      const noticed =
        use !== undefined && (use.level >= bounds.noticed_bytes || level > 2 * of_session.burst);
      if (noticed && participant === owner.participant) return owner;
      own.level += cost;
      session.level = level;
      return noticed && participant !== undefined ? { session: owner.session, participant } : undefined;
    },
    greatest() {
      const now = clock.monotonic();
      let found: { owner: Owner; of_session: number } | undefined;
      for (const [id, session] of sessions) {
        const [participant, use] = greatestOf(session, now) ?? [];
        if (participant === undefined || (use?.level ?? 0) < bounds.noticed_bytes) continue;
        const level = fallen(session, of_session, now);
        if (level > (found?.of_session ?? -1)) {
          found = { owner: { session: id, participant }, of_session: level };
        }
      }
      return found?.owner;
    },
  };
};
