import { z } from 'zod';
import {
  endReasonSchema,
  endReasons,
  sessionPhaseSchema,
  sessionPhases,
} from '../../shared/protocol/session.ts';
import { releaseCode } from '../bookings/codes.ts';
import { bookingEnded, bookingUsed } from '../bookings/ticks.ts';
import { emit } from '../kit/outbox.ts';
import type { Services } from '../kit/services.ts';
import { forgetUsed } from '../seats/stranger-rows.ts';
import type { SessionRow, Tables } from '../store/tables.ts';
import { isLive, type Session } from './rules-session.ts';

const participantSchema = z.object({
  id: z.string(),
  token_hash: z.string(),
  owner: z.boolean(),
  // The release before knew no more of them than the first three.
  invited: z.boolean().default(true),
  name: z.string().nullable().default(null),
  network: z.string().nullable().default(null),
  channels: z.number(),
  streams: z.number().default(0),
  came: z.boolean(),
  came_at: z.number().nullable().default(null),
  away: z.boolean(),
  admitted: z.boolean(),
  active_at: z.number().nullable(),
  leave_at: z.number().nullable(),
  leave_latest: z.number().nullable().default(null),
  returns_until: z.number().nullable().default(null),
});

/** The `data` of a row: a session, as this version of the coordinator writes it. */
const sessionSchema = z.object({
  id: z.string(),
  app: z.string(),
  host: z.string(),
  seat: z.number(),
  account_id: z.string().nullable(),
  booking_id: z.string().nullable(),
  generation: z.number(),
  code: z.string(),
  language: z.string().nullable().default(null),
  invite: z.string(),
  lobby: z.boolean(),
  phase: sessionPhaseSchema,
  version: z.number(),
  phases: z.record(z.string(), z.number()),
  reachable: z.boolean(),
  seat_held: z.boolean(),
  participants: z.array(participantSchema),
  tickets: z.array(
    z.object({ hash: z.string(), participant: z.string(), expires: z.number(), used: z.boolean() }),
  ),
  facts: z.number().default(0),
  quiet_since: z.number().nullable().default(null),
  due: z.number().nullable(),
  awaited_until: z.number().nullable(),
  ends_at: z.number(),
  longest_end: z.number(),
  cut_short: z.boolean().default(false),
  extendable_to: z.number().nullable(),
  idle_ms: z.number(),
  idle_at: z.number().nullable(),
  end: z.object({ reason: endReasonSchema, at: z.number() }).nullable(),
});

/** The phases of a session that goes on. */
export const playing = { in: sessionPhases.filter((phase) => phase !== 'ended') };

/** Whose rows in `codes` and `seat_slots` the session uses: a booked one goes on with its booking's. */
export const holderOf = ({ id, booking_id }: Session): string => booking_id ?? id;

export const rowOf = (session: Session, now: number): Omit<SessionRow, 'version'> => ({
  id: session.id,
  app: session.app,
  host: session.host,
  seat: session.seat,
  booking_id: session.booking_id,
  account_id: session.account_id,
  generation: session.generation,
  phase: session.phase,
  code: session.code,
  ends_at: session.ends_at,
  invite: session.invite,
  data: JSON.stringify(session),
  created_at: session.phases.accepted ?? now,
  updated_at: now,
});

/** The session of a row, or undefined when another version of the coordinator wrote it in a way that this one cannot read. */
export const sessionOf = ({ data }: Pick<SessionRow, 'data'>): Session | undefined => {
  try {
    return sessionSchema.safeParse(JSON.parse(data)).data;
  } catch {
    return undefined; // no JSON at all
  }
};

const minute_ms = 60_000;

const came = ({ participants }: Session): boolean => participants.some((one) => one.came);

/** What webhooks are told of a session. */
export const sessionEvent = ({ id, app, host, account_id, booking_id, phases, end }: Session) => ({
  session_id: id,
  app,
  host,
  account_id,
  booking_id,
  phases,
  ...(end === null ? {} : { end: { reason: end.reason, code: endReasons[end.reason] } }),
});

/** The session's record: how long people waited and played, and why it ended. */
export const keepRecord = async (
  tables: Tables,
  session: Session,
  end: NonNullable<Session['end']>,
): Promise<void> => {
  const { accepted = end.at, ready } = session.phases;
  const played = ready !== undefined && came(session);
  await tables.records.insert({
    session_id: session.id,
    app: session.app,
    host: session.host,
    account_id: session.account_id,
    booking_id: session.booking_id,
    waited_ms: (ready ?? end.at) - accepted,
    phases: JSON.stringify(session.phases),
    // An app that ran for nobody cost a seat, but nobody's quota.
    minutes: played ? Math.ceil((end.at - ready) / minute_ms) : 0,
    participants_max: session.participants.filter(({ came }) => came).length,
    end_reason: endReasons[end.reason],
    started_at: accepted,
    ended_at: end.at,
  });
};

/** A session as its row says, and the version of the row. */
export interface Stored {
  readonly session: Session;
  readonly version: number;
}

/** What an end leaves: its record, the code free for others, the word to who listens, and to its booking. */
const storeEnd = async (
  services: Services,
  tables: Tables,
  session: Session,
  end: NonNullable<Session['end']>,
): Promise<void> => {
  await keepRecord(tables, session, end);
  if (came(session)) await forgetUsed(tables, session.id);
  if (session.booking_id === null) await releaseCode(services, tables, session.id);
  await emit(services, tables, 'session.ended', sessionEvent(session));
  if (session.booking_id !== null)
    await bookingEnded(services, tables, session.booking_id, {
      came: came(session),
      by_people: endReasons[end.reason] < 10,
    });
};

/**
 * Stores what has become of a session whose row is locked, but for whose it is (that is the row's to say: an account may have been
 * erased), and with it what follows: events for webhooks, the record when it has ended, and the release of its code and of its seat.
 * Gives the session as it is stored, with the row's next version.
 */
export const storeChange = async (
  services: Services,
  tables: Tables,
  row: SessionRow,
  latest: Session,
): Promise<Stored> => {
  const before = sessionOf(row);
  const session = { ...latest, account_id: row.account_id };
  const { id, created_at: _, ...changes } = rowOf(session, services.clock.now());
  await tables.sessions.update({ id }, changes);
  const stored = { session, version: row.version + 1 };
  if (before === undefined) return stored;
  if (before.phases.ready === undefined && session.phases.ready !== undefined) {
    await emit(services, tables, 'session.ready', sessionEvent(session));
  }
  if (isLive(before) && session.end !== null) await storeEnd(services, tables, session, session.end);
  if (session.booking_id !== null && came(session) && !came(before) && isLive(session)) {
    const refused = await bookingUsed(tables, session.booking_id);
    if (refused !== undefined)
      services.log.warn({ session: session.id, ...refused }, 'the booking of a session');
  }
  // A booking gives its seat back itself.
  if (before.seat_held && !session.seat_held && session.booking_id === null) {
    await tables.hosts.lock({ name: session.host });
    await tables.seat_slots.remove({ holder: session.id });
  }
  return stored;
};
