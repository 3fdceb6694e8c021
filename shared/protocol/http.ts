import { z } from 'zod';
import { errorCodes } from '../errors.ts';
import { codeSchema, idSchema, nameSchema } from './names.ts';
import { endReasonSchema, sessionPhaseSchema } from './session.ts';

/** Bodies of the REST interface under `/api/v1`. */
export const HTTP_VERSION = 1;

/** One app of the catalogue: `GET /api/v1/apps`. Texts are by language ("en", "ru"). */
export const appSchema = z.strictObject({
  name: nameSchema,
  title: z.record(z.string(), z.string()),
  description: z.record(z.string(), z.string()),
  /** Path of the picture on this coordinator, or null when the app has none. */
  picture: z.string().nullable(),
  /** Seats over all hosts that are connected and have the app; 0 when none is. */
  seats: z.number().int(),
  seats_free: z.number().int(),
});
export type App = z.infer<typeof appSchema>;
export const appsSchema = z.strictObject({ apps: z.array(appSchema) });

/** `POST /api/v1/sessions`. */
export const createSessionSchema = z.strictObject({ app: nameSchema });

/** `POST /api/v1/join`. */
export const joinSchema = z.strictObject({ code: codeSchema });

/** A session as its participants see it: `GET /api/v1/sessions/{id}`. */
export const sessionSchema = z.strictObject({
  id: idSchema,
  app: nameSchema,
  phase: sessionPhaseSchema,
  code: codeSchema,
  /** Counts up with every change; `?after=<version>` holds the request until there is a newer one (at most 25 s). */
  version: z.number().int(),
  participants: z.number().int(),
  /** When each phase was first reached, epoch ms. `accepted` is the moment the request was taken. */
  phases: z.record(z.string(), z.number()),
  end: z.strictObject({ reason: endReasonSchema, code: z.number().int(), text: z.string() }).nullable(),
});
export type Session = z.infer<typeof sessionSchema>;

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
export const ticketSchema = z.strictObject({ signalling_url: z.string(), expires: z.number() });
export type Ticket = z.infer<typeof ticketSchema>;

/** Every error body. `incident` is there for errors that only we can mend; quote it. */
export const problemSchema = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(errorCodes),
  detail: z.string().optional(),
  retryable: z.boolean(),
  incident: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;
