import { z } from 'zod';
import { errorCodes } from '../errors.ts';
import { zoneSchema } from '../zone.ts';
import { strict } from './message.ts';
import { codeSchema, idSchema, languageSchema, namedSchema, nameSchema } from './names.ts';
import { endReasonSchema, sessionPhaseSchema } from './session.ts';

/** The WebSocket verbs at `/ws` (user requirements A9 to A11). */
export const CLIENT_VERBS_VERSION = 1;

/** Repeated in the answer when the client gives it. */
const correlation = { id: z.string().max(64).optional() };

/** `[{"en": "..."}, {"ru": "..."}]`: one object a language. */
const textsSchema = z
  .array(z.record(z.string().regex(/^[a-z]{2}(-[A-Za-z]{2,4})?$/), z.string().max(4_000)))
  .max(20);

/**
 * One entry of `servers.json` as clients see it: no key. `ip` and `port` are the
 * coordinator's public ones, as in CONNECT_TO_SESSION: clients connect there only, and are not told where the hosts are.
 */
export const serverEntrySchema = z.strictObject({
  server_name: namedSchema,
  ip: z.string(),
  port: z.string(),
  rc_info: z.strictObject({
    rc_name: namedSchema,
    info: z.strictObject({
      title: textsSchema.optional(),
      description: textsSchema,
      picture: z.string().optional(),
    }),
  }),
});
export type ServerEntry = z.infer<typeof serverEntrySchema>;

const day_first = 'day/month/year, like 24/12/2026';

/** The date as the user's verbs write it. */
const dayFirstSchema = z
  .string()
  .regex(/^\d{1,2}\/\d{1,2}\/\d{4}$/, day_first)
  .refine((date) => Number(date.split('/')[1]) <= 12, `the second number is the month: ${day_first}`);

/** What a client may send. */
export const fromClient = {
  /** Entries X to Y of servers.json, counted from 0, both included; at most 100. */
  GET_SERVERS: strict('verb', 'GET_SERVERS', {
    range: z.string().regex(/^\d{1,6}-\d{1,6}$/, 'two numbers with a dash, like "0-9"'),
    ...correlation,
  }),
  /** Starts a session; with `progress` true the phases are pushed as SESSION_PROGRESS while the client waits. */
  CREATE_SESSION: strict('verb', 'CREATE_SESSION', {
    rc_name: namedSchema,
    progress: z.boolean().optional(),
    /** The visitor's: the app is told, if it can be. */
    language: languageSchema.optional(),
    ...correlation,
  }),
  /** Books the app for a time by the clock of `zone` (the server's time_zone when left out). */
  PLAN_SESSION: strict('verb', 'PLAN_SESSION', {
    rc_name: namedSchema,
    /** Day/month/year, in this order; REST writes year-month-day. */
    date: dayFirstSchema,
    time: z.string().regex(/^\d{1,2}:\d{2}$/, 'hours:minutes, like 18:30'),
    /** Name in the zone database. */
    zone: zoneSchema.optional(),
    /** A multiple of 5; the app's default when left out. */
    minutes: z.number().int().min(5).max(1_440).optional(),
    /** Which of the two, where the clock shows this time twice. */
    which: z.enum(['earlier', 'later']).optional(),
    ...correlation,
  }),
  /**
   * Joins the live session that has this code. Who has to be let in first is told ERROR lobby_waiting, and CONNECT_TO_SESSION once that
   * is done, or SESSION_NOT_EXIST when nobody does it in ten minutes. After too many wrong codes every code is answered so, right or wrong.
   */
  CONNECT_SESSION_WITH_CODE: strict('verb', 'CONNECT_SESSION_WITH_CODE', {
    code: codeSchema,
    /** What the owner of the session is to call the caller. */
    name: nameSchema.optional(),
    ...correlation,
  }),
} as const;

/** What the coordinator may send. */
export const toClient = {
  /** The first message on every connection: the client's unique id. */
  CONNECTED: strict('msg', 'CONNECTED', { user_id: idSchema }),
  SERVERS_FOUND: strict('msg', 'SERVERS_FOUND', { servers: z.array(serverEntrySchema), ...correlation }),
  SERVERS_NOT_FOUND: strict('msg', 'SERVERS_NOT_FOUND', correlation),
  /** A session to play in: answers CREATE_SESSION when the app is ready, and CONNECT_SESSION_WITH_CODE. */
  CONNECT_TO_SESSION: strict('verb', 'CONNECT_TO_SESSION', {
    /** The coordinator's public address: every client is relayed through it. */
    ip: z.string(),
    port: z.string(),
    code: codeSchema,
    session_id: idSchema,
    /** Where the Pixel Streaming player connects: a ws: or wss: URL with a ticket that opens one connection. */
    signalling_url: z.string(),
    /** Bearer token for `/api/v1/sessions/{session_id}`; gets further tickets. */
    participant_token: z.string(),
    ...correlation,
  }),
  /** The time is booked: answers PLAN_SESSION. The code opens the session from shortly before its time on. */
  CONNECTION_CODE: strict('msg', 'CONNECTION_CODE', {
    code: codeSchema,
    booking_id: idSchema,
    /** Ms since 1970, on these sockets: REST writes RFC 3339. */
    starts_at: z.number().int(),
    ends_at: z.number().int(),
    /** When it begins by the clock of `zone`, as it was understood: day/month/year and hours:minutes. */
    date: z.string().optional(),
    time: z.string().optional(),
    zone: z.string().optional(),
    invite_url: z.string(),
    /** Bearer token for `/api/v1/bookings/{booking_id}`: moves and cancels it. */
    token: z.string().optional(),
    ...correlation,
  }),
  SERVERS_BUSY: strict('msg', 'SERVERS_BUSY', { reason: z.string().optional(), ...correlation }),
  SESSION_NOT_EXIST: strict('msg', 'SESSION_NOT_EXIST', correlation),
  /** Only for a client that asked for progress. */
  SESSION_PROGRESS: strict('msg', 'SESSION_PROGRESS', {
    session_id: idSchema,
    phase: sessionPhaseSchema,
    ...correlation,
  }),
  /** A started session that ended before it was ready. */
  SESSION_FAILED: strict('msg', 'SESSION_FAILED', {
    session_id: idSchema,
    reason: endReasonSchema,
    text: z.string(),
    ...correlation,
  }),
  ERROR: strict('msg', 'ERROR', { code: z.enum(errorCodes), text: z.string(), ...correlation }),
} as const;
