import { encoderOf } from '../../shared/protocol/encoder.ts';
import {
  type EventData,
  type EventName,
  eventDataSchema,
  type SentName,
  webhookEventSchema,
} from '../../shared/protocol/webhooks.ts';
import type { Tables } from '../store/tables.ts';
import type { Services } from './services.ts';

type Parts = Pick<Services, 'clock' | 'ids'>;

const encodeEvent = encoderOf(webhookEventSchema);

/** The body as it is sent: instants in it are RFC 3339 times, as in every answer. */
const bodyOf = (id: string, event: SentName, at: number, data: object): string =>
  JSON.stringify(encodeEvent({ id, event, at, data: encoderOf(eventDataSchema(event))(data) }));

/** Stores one event for one webhook, whatever that webhook wants. The body's `id` stays the same at every attempt. */
export const enqueue = async <E extends SentName>(
  { clock, ids }: Parts,
  { outbox }: Pick<Tables, 'outbox'>,
  webhook_id: string,
  event: E,
  data: EventData<E>,
): Promise<void> => {
  const [id, now] = [ids.id(), clock.now()];
  await outbox.insert({
    id,
    webhook_id,
    event,
    body: bodyOf(id, event, now, data),
    created_at: now,
    due_at: now,
    attempts: 0,
    state: 'waiting',
    delivered_at: null,
  });
};

/** Stores an event for every webhook that wants it, in the transaction that makes it true. */
export const emit = async <E extends EventName>(
  parts: Parts,
  tables: Pick<Tables, 'webhooks' | 'outbox'>,
  event: E,
  data: EventData<E>,
): Promise<void> => {
  for (const { id, events, enabled } of await tables.webhooks.find({})) {
    const wanted: string[] = JSON.parse(events);
    if (enabled && wanted.includes(event)) await enqueue(parts, tables, id, event, data);
  }
};
