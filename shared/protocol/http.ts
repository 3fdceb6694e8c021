import { z } from 'zod';
import { errorCodes } from '../errors.ts';
import { instantSchema } from './instant.ts';
import { codeSchema, idSchema, languageSchema, namedSchema, nameSchema } from './names.ts';
import { endReasonSchema, sessionPhaseSchema } from './session.ts';

/** Bodies of the REST interface under `/api/v1`. */
export const HTTP_VERSION = 2;

/** One app of the catalogue: `GET /api/v1/apps`. Texts are by language ("en", "ru"). */
export const appSchema = z.strictObject({
  name: namedSchema,
  title: z.record(z.string(), z.string()),
  description: z.record(z.string(), z.string()),
  /** Path of the picture on this coordinator, or null when the app has none. */
  picture: z.string().nullable(),
  /** Seats over all hosts that are connected and have the app; 0 when none is. */
  seats: z.number().int(),
  seats_free: z.number().int(),
  /** How long a session of it usually lasts, and at most. */
  default_minutes: z.number().int(),
  max_minutes: z.number().int(),
  /** Whether one has to log in to start or book it. */
  who_may_start: z.enum(['anyone', 'accounts']),
  /** Guests who come by code wait until the owner lets them in. */
  lobby: z.boolean(),
});
export type App = z.infer<typeof appSchema>;
export const appsSchema = z.strictObject({ apps: z.array(appSchema) });

/** `POST /api/v1/sessions`. */
export const createSessionSchema = z.strictObject({
  app: namedSchema,
  /** How long it may last; the app's usual length without it, never more than its longest. */
  minutes: z.number().int().min(5).max(1_440).optional(),
  /** The place in the queue to which a seat was offered. */
  queue: z.strictObject({ id: idSchema, token: z.string().max(100) }).optional(),
  /** The visitor's: the app is told, if it can be. */
  language: languageSchema.optional(),
});

/** `POST /api/v1/join`: by code, or by the secret of an invite link. */
export const joinSchema = z.union([
  z.strictObject({
    code: codeSchema,
    /** The app on whose page it was typed: wrong codes are counted for that app then. */
    app: namedSchema.optional(),
    /** What the owner of the session is to call the caller, should it have to wait to be let in. */
    name: nameSchema.optional(),
  }),
  z.strictObject({ invite: idSchema }),
]);

/** `POST /api/v1/sessions/{id}/admission`: the owner lets someone in from the lobby, or sends them away, from there or out of the session. */
export const admissionSchema = z.strictObject({ participant_id: idSchema, admitted: z.boolean() });

/** `POST /api/v1/sessions/{id}/trouble`: what the browser said when a page could not show the picture. */
export const troubleSchema = z.strictObject({ text: z.string().trim().min(1).max(500) });

/** A session as its participants see it: `GET /api/v1/sessions/{id}`. */
export const sessionSchema = z.strictObject({
  id: idSchema,
  /** Null for who waits at the door without having named an app. */
  app: namedSchema.nullable(),
  phase: sessionPhaseSchema,
  code: codeSchema,
  /** Counts up with every change; `?after=<version>` holds the request until there is a newer one (at most 25 s). */
  version: z.number().int(),
  participants: z.number().int(),
  /** The coordinator's clock when it answered: the visitor's may be wrong. */
  now: instantSchema,
  /** The secret of the invite link `/i/<invite>`; null for who waits in the lobby. */
  invite: idSchema.nullable(),
  /** When it ends at the latest. */
  ends_at: instantSchema,
  /** Whether that is earlier than asked for, because the seat is booked then. */
  cut_short: z.boolean(),
  /** Near the end, until when `POST /sessions/{id}/extension` would let it go on; null when it cannot be extended. */
  extendable_to: instantSchema.nullable(),
  /** During the countdown: when it ends because nobody does anything. */
  idle_at: instantSchema.nullable(),
  /** Ids of participants in the lobby. */
  waiting: z.array(idSchema),
  /** What those of them are called who said a name. */
  names: z.record(idSchema, z.string()),
  /** When each phase was first reached. `accepted` is the moment the request was taken. */
  phases: z.record(z.string(), instantSchema),
  end: z.strictObject({ reason: endReasonSchema, code: z.number().int(), text: z.string() }).nullable(),
});
export type Session = z.infer<typeof sessionSchema>;

/** `GET /api/v1/sessions`, for operators: the live sessions, the one that began last first. */
export const runningSessionSchema = z.strictObject({
  id: idSchema,
  app: namedSchema,
  host: namedSchema,
  seat: z.number().int(),
  phase: sessionPhaseSchema,
  /** Whether its host is connected now. */
  reachable: z.boolean(),
  participants: z.number().int(),
  account_id: idSchema.nullable(),
  booking_id: idSchema.nullable(),
  started_at: instantSchema,
  ends_at: instantSchema,
});
export type RunningSession = z.infer<typeof runningSessionSchema>;
export const runningSessionsSchema = z.strictObject({ sessions: z.array(runningSessionSchema) });

/** Answers POST /sessions, POST /join: who the caller is in the session. The token is the participant's from now on. */
export const participationSchema = z.strictObject({
  session: sessionSchema,
  participant_id: idSchema,
  owner: z.boolean(),
  /** Bearer token for this session's routes; keep it for the session's life (a reload needs it). */
  participant_token: z.string(),
});
export type Participation = z.infer<typeof participationSchema>;

/** Answers POST /sessions/{id}/tickets: opens one signalling connection, within 30 s. */
export const ticketSchema = z.strictObject({
  signalling_url: z.string(),
  expires: instantSchema,
  /** Whether the host keeps the connection for a page that names it (`&resumable=`) and comes back; see `player-channel.ts`. */
  resumable: z.boolean(),
});
export type Ticket = z.infer<typeof ticketSchema>;

/** Every error body. `incident` is there for errors that only we can mend; quote it. */
export const problemSchema = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(errorCodes),
  detail: z.string().optional(),
  retryable: z.boolean(),
  /** In how many seconds trying again can help; the header Retry-After says the same. */
  retry_after: z.number().int().optional(),
  incident: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;
