import { z } from 'zod';
import { instantSchema } from './instant.ts';
import { idSchema } from './names.ts';
import { endReasonSchema } from './session.ts';

/** One session that has ended. */
export const recordSchema = z.strictObject({
  session_id: idSchema,
  app: z.string(),
  host: z.string(),
  /** Who started it; null for a visitor without an account. */
  account_id: idSchema.nullable(),
  booking_id: idSchema.nullable(),
  /** From the request until the app could be seen. */
  waited_ms: z.number().int(),
  /** When each phase was first reached. */
  phases: z.record(z.string(), instantSchema),
  minutes: z.number().int(),
  /** The most people who were in it at one time. */
  participants_max: z.number().int(),
  /** `name` is null for a number that this version does not know. */
  end: z.strictObject({ code: z.number().int(), name: endReasonSchema.nullable() }),
  started_at: instantSchema,
  ended_at: instantSchema,
});
export type SessionRecord = z.infer<typeof recordSchema>;

/** `GET /records`: newest end first. `next` goes into `?after=` for the page that follows. */
export const recordsSchema = z.strictObject({ records: z.array(recordSchema), next: z.string().nullable() });

/** What an administrator or operator did. */
export const auditEntrySchema = z.strictObject({
  id: idSchema,
  at: instantSchema,
  /** The account that did it. */
  actor: z.string(),
  /** Like "webhook.created". */
  action: z.string(),
  /** The id or name of what it was done to. */
  subject: z.string(),
  /** What was said. `expires_at`: of an enrolment. */
  detail: z.looseObject({ expires_at: instantSchema.optional() }),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** `GET /audit`: newest first. */
export const auditSchema = z.strictObject({
  entries: z.array(auditEntrySchema),
  next: z.string().nullable(),
});
