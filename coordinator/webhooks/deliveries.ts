import { createHmac } from 'node:crypto';
import type { Services } from '../kit/services.ts';
import { Unavailable } from '../store/database.ts';
import type { OutboxRow, WebhookRow } from '../store/tables.ts';
import { attempts_most, type Outcome, outcomeOf, retryDelay, signedText, signingSecrets } from './rules.ts';
import { type Send, TargetRefused } from './targets.ts';

/** Webhooks that are sent something at one time; the others wait for their turn. */
const at_once = 8;
/** How long a receiver may take to answer; then the attempt has failed. */
const answer_ms = 10_000;
/** For so long nobody else takes an event that is being sent. Longer than an attempt can take. */
const lease_ms = 30_000;
/** Events sent to one webhook before others have their turn. */
const turn_events = 50;

/** What brings the outbox to its receivers: each event at least once, with the same id each time. */
export interface Deliveries {
  /** Starts what is due. Resolves when that and all that was under way is done; nobody has to wait for it. */
  tick(): Promise<void>;
  /** Breaks off what is under way; it is sent again after its lease. Idempotent. */
  stop(): Promise<void>;
}

/** The headers by which a receiver knows that a delivery is ours, new and whole: https://www.standardwebhooks.com. */
const headersOf = ({ id, body }: OutboxRow, webhook: WebhookRow, now: number): Record<string, string> => {
  const timestamp = Math.floor(now / 1_000);
  const text = signedText(id, timestamp, body);
  const signed = (secret: string) => `v1,${createHmac('sha256', secret).update(text).digest('base64')}`;
  return {
    'Content-Type': 'application/json',
    'User-Agent': 'Vitrina-Webhooks',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signingSecrets(webhook, now).map(signed).join(' '),
  };
};

/** What is left of an event that is over: of whom it tells is known here no longer than it takes to tell. */
const leftOf = ({ event }: OutboxRow) => (event === 'account.erased' ? { body: '{}' } : {});

/** What the deliveries ask of the database: one transaction each. */
const outboxOf = ({ db, clock, ids }: Pick<Services, 'db' | 'clock' | 'ids'>) => ({
  webhooks: () => db.read(({ webhooks }) => webhooks.find({ enabled: true })),

  /** The event that has been due for longest. */
  next: async (webhook_id: string): Promise<OutboxRow | undefined> => {
    const due = { webhook_id, state: 'waiting', due_at: { to: clock.now() + 1 } } as const;
    const [row] = await db.read(({ outbox }) => outbox.find(due, { order: ['due_at'], limit: 1 }));
    return row;
  },

  /** Takes the event before it is sent, so that a crash repeats and never loses it. Undefined: another was faster. */
  claim: ({ id, webhook_id, attempts }: OutboxRow): Promise<WebhookRow | undefined> =>
    db.transact(async ({ outbox, webhooks }) => {
      const webhook = await webhooks.get({ id: webhook_id });
      if (webhook?.enabled !== true) return undefined;
      const taken = { attempts: attempts + 1, due_at: clock.now() + lease_ms };
      return (await outbox.update({ id }, taken, { attempts, state: 'waiting' })) ? webhook : undefined;
    }),

  /** Stores how the attempt with this number ended. */
  settle: async (row: OutboxRow, attempts: number, webhook: WebhookRow, outcome: Outcome) => {
    const { id } = row;
    const now = clock.now();
    const delay = outcome === 'failed' ? retryDelay(attempts, ids.below(1_000) / 1_000) : undefined;
    await db.transact(async ({ outbox, webhooks }) => {
      if (outcome === 'delivered') {
        await outbox.update({ id }, { state: 'delivered', delivered_at: now, due_at: now, ...leftOf(row) });
      } else if (delay === undefined) {
        await outbox.update({ id }, { state: 'given_up', due_at: now, ...leftOf(row) }, { state: 'waiting' });
      } else {
        await outbox.update({ id }, { due_at: now + delay }, { attempts, state: 'waiting' });
      }
      // An address that was changed since has not said that it is gone.
      if (outcome === 'gone') {
        await webhooks.update({ id: webhook.id }, { enabled: false }, { version: webhook.version });
      }
    });
    return delay;
  },

  /** The last attempt was claimed, but nobody stored how it ended. */
  abandon: (row: OutboxRow) =>
    db.transact(({ outbox }) =>
      outbox.update(
        { id: row.id },
        { state: 'given_up', due_at: clock.now(), ...leftOf(row) },
        { attempts: row.attempts, state: 'waiting' },
      ),
    ),
});

/**
 * Delivers the outbox: the oldest event of each webhook first and one at a time, so that one that is slow or away keeps
 * no other from its events. Several coordinators may do so on one database.
 */
export const createDeliveries = (
  services: Pick<Services, 'db' | 'clock' | 'ids' | 'log'>,
  send: Send,
): Deliveries => {
  const { clock, log } = services;
  const stored = outboxOf(services);
  const stopping = new AbortController();
  const busy = new Map<string, Promise<void>>();
  let looking: Promise<void> | undefined;
  let troubled = false;
  let last = '';

  const trouble = (error: unknown): void => {
    if (!(error instanceof Unavailable)) log.error({ error }, 'delivering events failed');
    else if (!troubled) log.warn({ error }, 'events wait: the database does not answer');
    troubled = true;
  };

  /** The status of the answer, of which nothing else is read; undefined when there was none in time. */
  const post = async (webhook: WebhookRow, row: OutboxRow): Promise<number | undefined> => {
    const enough = new AbortController();
    const cancel = clock.after(answer_ms, () => enough.abort());
    try {
      const response = await send(webhook.url, {
        method: 'POST',
        body: row.body,
        headers: headersOf(row, webhook, clock.now()),
        redirect: 'manual',
        signal: AbortSignal.any([enough.signal, stopping.signal]),
      });
      return response.status;
    } catch (error) {
      if (error instanceof TargetRefused) {
        log.warn({ webhook: webhook.id, reason: error.message }, 'a webhook leads to no public address');
        return undefined;
      }
      // Its message could hold the address, and an address could hold a secret.
      log.debug({ webhook: webhook.id, why: error instanceof Error ? error.name : 'unknown' }, 'no answer');
      return undefined;
    } finally {
      cancel();
      enough.abort();
    }
  };

  /** Says whether the webhook took the event and may be sent the next one now. */
  const deliver = async (row: OutboxRow): Promise<boolean> => {
    if (row.attempts >= attempts_most) return stored.abandon(row);
    const webhook = await stored.claim(row);
    if (webhook === undefined) return false;
    const status = await post(webhook, row);
    if (status === undefined && stopping.signal.aborted) return false;
    const attempts = row.attempts + 1;
    const outcome = status === undefined ? 'failed' : outcomeOf(status);
    const retry_ms = await stored.settle(row, attempts, webhook, outcome);
    if (outcome === 'delivered') return true;
    const { id: event_id, event, webhook_id } = row;
    const facts = { webhook: webhook_id, event, event_id, attempts, status, retry_ms };
    if (outcome === 'gone') log.warn(facts, 'a webhook is gone and switched off');
    else if (retry_ms === undefined) log.warn(facts, 'an event is given up');
    else log.info(facts, 'an event was not taken and is sent again');
    return false;
  };

  const serve = async (webhook_id: string): Promise<void> => {
    for (let events = 0; events < turn_events && !stopping.signal.aborted; events++) {
      const row = await stored.next(webhook_id);
      if (row === undefined || !(await deliver(row))) return;
    }
  };

  const look = async (): Promise<void> => {
    const webhooks = await stored.webhooks();
    troubled = false;
    // Whoever comes after the one that was served last begins.
    const turns = [...webhooks.filter(({ id }) => id > last), ...webhooks.filter(({ id }) => id <= last)];
    for (const { id } of turns) {
      if (busy.size >= at_once) return;
      if (busy.has(id) || (await stored.next(id)) === undefined) continue;
      if (stopping.signal.aborted) return;
      last = id;
      const served = serve(id)
        .catch(trouble)
        .finally(() => busy.delete(id));
      busy.set(id, served);
    }
  };

  return {
    async tick() {
      if (stopping.signal.aborted) return;
      looking ??= look()
        .catch(trouble)
        .finally(() => {
          looking = undefined;
        });
      await looking;
      await Promise.all(busy.values());
    },
    async stop() {
      stopping.abort();
      await looking;
      await Promise.all(busy.values());
    },
  };
};
