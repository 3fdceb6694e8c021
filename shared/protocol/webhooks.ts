import { z } from 'zod';
import { bookingStateSchema } from './bookings.ts';
import { instantSchema } from './instant.ts';
import { idSchema } from './names.ts';
import { endReasonSchema } from './session.ts';

/**
 * Webhooks: the REST bodies under `/api/v1/webhooks`, and the event that a webhook is sent. A delivery is a POST, signed as
 * Standard Webhooks (https://www.standardwebhooks.com) has it, with the headers `webhook-id`, `webhook-timestamp` (seconds
 * since 1970) and `webhook-signature: v1,<base64>`: HMAC-SHA256, keyed with the bytes of the webhook's secret (what stands behind
 * `whsec_`, in base64), of `<webhook-id>.<webhook-timestamp>.<the body as it came>`. A receiver refuses timestamps that are more than
 * five minutes off, answers 2xx within 10 s, and knows a repeated event by its id. Events can come twice and out of order.
 */
export const WEBHOOKS_VERSION = 3;

/** What a webhook can be told of. */
export const eventNames = [
  'session.started',
  'session.ready',
  'session.ended',
  'booking.created',
  'booking.moved',
  'booking.cancelled',
  'booking.opened',
  'booking.missed',
  'booking.lost',
  'booking.unplaceable',
  'host.quarantined',
  'account.erased',
] as const;
export type EventName = (typeof eventNames)[number];

/** `test` is sent when somebody asks for it. */
const sentNames = [...eventNames, 'test'] as const;
export type SentName = (typeof sentNames)[number];

/** The `data` of a session's events. */
export const sessionEventSchema = z.object({
  session_id: idSchema,
  app: z.string(),
  host: z.string(),
  account_id: idSchema.nullable(),
  booking_id: idSchema.nullable(),
  /** When each phase was first reached. */
  phases: z.record(z.string(), instantSchema),
  /** Of `session.ended`. */
  end: z.object({ reason: endReasonSchema, code: z.number().int() }).optional(),
});

/** The `data` of a booking's events. */
export const bookingEventSchema = z.object({
  id: idSchema,
  app: z.string(),
  account_id: idSchema.nullable(),
  host: z.string(),
  starts_at: instantSchema,
  ends_at: instantSchema,
  /** Name in the zone database. */
  zone: z.string(),
  state: bookingStateSchema,
  session_id: idSchema.nullable(),
});
export type BookingEvent = z.infer<typeof bookingEventSchema>;

/** The `data` of a host's events. */
export const hostEventSchema = z.object({ host: z.string() });

/** The `data` of an account's events: nothing that is stored names it any more. */
export const accountEventSchema = z.object({ account_id: idSchema });

/** The `data` of each event. */
const eventData = {
  'session.started': sessionEventSchema,
  'session.ready': sessionEventSchema,
  'session.ended': sessionEventSchema,
  'booking.created': bookingEventSchema,
  'booking.moved': bookingEventSchema,
  'booking.cancelled': bookingEventSchema,
  'booking.opened': bookingEventSchema,
  'booking.missed': bookingEventSchema,
  'booking.lost': bookingEventSchema,
  'booking.unplaceable': bookingEventSchema,
  'host.quarantined': hostEventSchema,
  'account.erased': accountEventSchema,
  test: z.object({}),
} as const satisfies Record<SentName, z.ZodType>;
export type EventData<E extends SentName> = z.infer<(typeof eventData)[E]>;

/** What the `data` of this event is. */
export const eventDataSchema = <E extends SentName>(event: E): (typeof eventData)[E] => eventData[event];

/** The body of a delivery; `data` is as the event's kind says. Later versions may add fields to it. */
export const webhookEventSchema = z.strictObject({
  /** The same at every attempt to deliver this event to this webhook, and the same as `webhook-id`. */
  id: idSchema,
  event: z.enum(sentNames),
  /** When it happened. */
  at: instantSchema,
  data: z.record(z.string(), z.unknown()),
});

const url_chars = 2_000;

/** Longest is counted as it is stored: with what is not ASCII encoded. */
const isAddress = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, href } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '' && href.length <= url_chars;
};

const urlSchema = z
  .string()
  .max(url_chars)
  .refine(isAddress, 'an address like "https://example.com/hook", without a name and password in it');

const eventsSchema = z
  .array(z.enum(eventNames))
  .min(1)
  .max(eventNames.length)
  .refine((events) => new Set(events).size === events.length, 'names an event twice');

/** `POST /webhooks`. */
export const createWebhookSchema = z.strictObject({ url: urlSchema, events: eventsSchema });
export type CreateWebhook = z.infer<typeof createWebhookSchema>;

/** `PATCH /webhooks/{id}`: what is given is changed. Events that happen while it is not `enabled` are not kept for it. */
export const changeWebhookSchema = z
  .strictObject({ url: urlSchema, events: eventsSchema, enabled: z.boolean() })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'changes nothing');
export type ChangeWebhook = z.infer<typeof changeWebhookSchema>;

export const webhookSchema = z.strictObject({
  id: idSchema,
  url: z.string(),
  events: z.array(z.enum(eventNames)),
  /** Switched off by an administrator, or by an answer 410 of its address. */
  enabled: z.boolean(),
  version: z.number().int(),
});
export type Webhook = z.infer<typeof webhookSchema>;

/** `GET /webhooks`. */
export const webhooksSchema = z.strictObject({ webhooks: z.array(webhookSchema) });

/** Answers POST /webhooks and POST /webhooks/{id}/secret: the only time that the secret is shown. */
export const webhookSecretSchema = webhookSchema.extend({
  /** `whsec_` and base64: as verifiers of Standard Webhooks take it. */
  secret: z.string().startsWith('whsec_'),
});
export type WebhookSecret = z.infer<typeof webhookSecretSchema>;

/** One event on its way, or where it ended. */
export const deliverySchema = z.strictObject({
  id: idSchema,
  event: z.enum(sentNames),
  state: z.enum(['waiting', 'delivered', 'given_up']),
  /** How often it was sent. */
  attempts: z.number().int(),
  created_at: instantSchema,
  /** The next attempt, while it is waiting. */
  due_at: instantSchema.nullable(),
  delivered_at: instantSchema.nullable(),
});
export type Delivery = z.infer<typeof deliverySchema>;

/** `GET /webhooks/{id}`: with its latest events, newest first. */
export const shownWebhookSchema = webhookSchema.extend({ deliveries: z.array(deliverySchema) });
export type ShownWebhook = z.infer<typeof shownWebhookSchema>;
