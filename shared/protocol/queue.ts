import { z } from 'zod';
import { idSchema, namedSchema } from './names.ts';

/** Bodies of the queue's routes under `/api/v1`. */
export const QUEUE_VERSION = 1;

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
  /** The latest time at which a seat should come free, epoch ms; null when nobody can tell. People often leave earlier. */
  expected_at: z.number().nullable(),
  claim_until: z.number().nullable(),
});
export type QueuePlace = z.infer<typeof queuePlaceSchema>;

/** Answers `POST /api/v1/queue`. The token is the bearer token of the place; keep it for a reload. */
export const queuedSchema = queuePlaceSchema.extend({ token: z.string() });
