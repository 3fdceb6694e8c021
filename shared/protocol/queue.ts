import { z } from 'zod';
import { instantSchema } from './instant.ts';
import { idSchema, namedSchema } from './names.ts';

/** Bodies of the queue's routes under `/api/v1`. */
export const QUEUE_VERSION = 2;

/** `POST /api/v1/queue`: wait for a seat of an app. */
export const enterQueueSchema = z.strictObject({ app: namedSchema });

/** A place in an app's queue: `GET /api/v1/queue/{id}`. Ask for it every few seconds; who does not ask for a minute loses it. */
export const queuePlaceSchema = z.strictObject({
  id: idSchema,
  app: namedSchema,
  /** `offered`: a seat is kept until `claim_until`; start the session with the place's id and token. */
  state: z.enum(['waiting', 'offered']),
  /** From 1; 0 when a seat is offered. */
  position: z.number().int(),
  /** The latest time at which a seat should come free; null when nobody can tell. People often leave earlier. */
  expected_at: instantSchema.nullable(),
  claim_until: instantSchema.nullable(),
});
export type QueuePlace = z.infer<typeof queuePlaceSchema>;

/** Answers `POST /api/v1/queue`. The token is the bearer token of the place; keep it for a reload. */
export const queuedSchema = queuePlaceSchema.extend({ token: z.string() });
