import type { Tables } from '../store/tables.ts';
import type { Services } from './services.ts';

/** What webhooks can be told of. */
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
] as const;
export type EventName = (typeof eventNames)[number];

/**
 * Stores an event for every webhook that wants it, in the transaction that makes it true. The body's `id` is the same
 * at every attempt to deliver it.
 */
export const emit = async (
  { clock, ids }: Pick<Services, 'clock' | 'ids'>,
  { webhooks, outbox }: Pick<Tables, 'webhooks' | 'outbox'>,
  event: EventName,
  data: object,
): Promise<void> => {
  const now = clock.now();
  for (const { id: webhook_id, events, enabled } of await webhooks.find({})) {
    const wanted: string[] = JSON.parse(events);
    if (!enabled || !wanted.includes(event)) continue;
    const id = ids.id();
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
  }
};
