import type { EventName, SentName } from '../../shared/protocol/webhooks.ts';
import type { Tables } from '../store/tables.ts';
import type { Services } from './services.ts';

type Parts = Pick<Services, 'clock' | 'ids'>;

/** Stores one event for one webhook, whatever that webhook wants. The body's `id` stays the same at every attempt. */
export const enqueue = async (
  { clock, ids }: Parts,
  { outbox }: Pick<Tables, 'outbox'>,
  webhook_id: string,
  event: SentName,
  data: object,
): Promise<void> => {
  const [id, now] = [ids.id(), clock.now()];
  await outbox.insert({
    id,
    webhook_id,
    event,
    body: JSON.stringify({ id, event, at: now, data }),
    created_at: now,
    due_at: now,
    attempts: 0,
    state: 'waiting',
    delivered_at: null,
  });
};

/** Stores an event for every webhook that wants it, in the transaction that makes it true. */
export const emit = async (
  parts: Parts,
  tables: Pick<Tables, 'webhooks' | 'outbox'>,
  event: EventName,
  data: object,
): Promise<void> => {
  for (const { id, events, enabled } of await tables.webhooks.find({})) {
    const wanted: string[] = JSON.parse(events);
    if (enabled && wanted.includes(event)) await enqueue(parts, tables, id, event, data);
  }
};
