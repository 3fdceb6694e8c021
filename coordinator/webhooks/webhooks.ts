import { type Refusal, refuse } from '../../shared/errors.ts';
import type {
  ChangeWebhook,
  CreateWebhook,
  Delivery,
  EventName,
  ShownWebhook,
  Webhook,
  WebhookSecret,
} from '../../shared/protocol/webhooks.ts';
import { audit } from '../kit/audit.ts';
import { bounds } from '../kit/limits.ts';
import { enqueue } from '../kit/outbox.ts';
import type { Services } from '../kit/services.ts';
import type { OutboxRow, Tables, WebhookRow } from '../store/tables.ts';
import { changeover_ms, shownSecret } from './rules.ts';
import { checkTarget } from './targets.ts';

type Parts = Pick<Services, 'db' | 'clock' | 'ids' | 'store'>;

const eventsOf = ({ events }: WebhookRow): EventName[] => JSON.parse(events);

const describe = (row: WebhookRow): Webhook => {
  const { id, url, enabled, version } = row;
  return { id, url, events: eventsOf(row), enabled, version };
};

const describeDelivery = ({ body: _, webhook_id: __, due_at, ...row }: OutboxRow): Delivery => ({
  ...row,
  event: row.event as Delivery['event'],
  due_at: row.state === 'waiting' ? due_at : null,
});

/** What the audit log keeps of an address: no path, which could hold a secret. */
const siteOf = (url: string): string => new URL(url).origin;

/** What the operator's configuration says of where a webhook may lead. */
const refusedUrl = ({ store }: Parts, url: string): Refusal | undefined =>
  checkTarget(url, store.configuration().webhook_private_targets);

/** Adds a webhook; malformed for a target that is not public, too_many when there are as many as there may be. */
export const createWebhook = async (
  parts: Parts,
  actor: string,
  { url, events }: CreateWebhook,
): Promise<WebhookSecret | Refusal> => {
  const refused = refusedUrl(parts, url);
  if (refused !== undefined) return refused;
  const [id, secret] = [parts.ids.id(), parts.ids.secret()];
  const { href } = new URL(url);
  return parts.db.transact(async (tables) => {
    if ((await tables.webhooks.count({})) >= bounds.webhooks) {
      return refuse('too_many', 'webhooks');
    }
    const before = { secret_before: null, secret_before_until: null };
    const said = { url: href, events: JSON.stringify(events) };
    const row = { id, ...said, secret, ...before, enabled: true, version: 1 };
    await tables.webhooks.insert(row);
    await audit(parts, tables, actor, 'webhook.created', id, { site: siteOf(href), events });
    return { ...describe(row), secret: shownSecret(secret) };
  });
};

export const listWebhooks = async ({ db }: Parts): Promise<Webhook[]> =>
  (await db.read(({ webhooks }) => webhooks.find({}))).map(describe);

/** The webhook with its latest events, newest first; webhook_unknown. */
export const showWebhook = ({ db }: Parts, id: string): Promise<ShownWebhook | Refusal> =>
  db.read(async ({ webhooks, outbox }) => {
    const row = await webhooks.get({ id });
    if (row === undefined) return refuse('webhook_unknown');
    const selection = { order: ['created_at'], descending: true, limit: bounds.deliveries_shown } as const;
    const latest = await outbox.find({ webhook_id: id }, selection);
    return { ...describe(row), deliveries: latest.map(describeDelivery) };
  });

type Changes = Partial<Omit<WebhookRow, 'id' | 'version'>>;

/** Stores a change of the webhook, if it is at this version (when one is given); webhook_unknown or version_conflict. */
const store = async (
  { webhooks }: Pick<Tables, 'webhooks'>,
  id: string,
  change: Changes | ((row: WebhookRow) => Changes),
  version?: number,
): Promise<WebhookRow | Refusal> => {
  const row = await webhooks.lock({ id });
  if (row === undefined) return refuse('webhook_unknown');
  if (version !== undefined && row.version !== version) return refuse('version_conflict');
  const changes = typeof change === 'function' ? change(row) : change;
  await webhooks.update({ id }, changes);
  return { ...row, ...changes, version: row.version + 1 };
};

/** Changes what is given, if the webhook is still at this version; malformed as above, webhook_unknown or version_conflict. */
export const changeWebhook = async (
  parts: Parts,
  actor: string,
  id: string,
  version: number,
  { url, events, enabled }: ChangeWebhook,
): Promise<Webhook | Refusal> => {
  const refused = url === undefined ? undefined : refusedUrl(parts, url);
  if (refused !== undefined) return refused;
  const href = url === undefined ? undefined : new URL(url).href;
  const changes: Changes = {
    ...(href === undefined ? {} : { url: href }),
    ...(events === undefined ? {} : { events: JSON.stringify(events) }),
    ...(enabled === undefined ? {} : { enabled }),
  };
  const noted = { ...(href === undefined ? {} : { site: siteOf(href) }), events, enabled };
  return parts.db.transact(async (tables) => {
    const row = await store(tables, id, changes, version);
    if ('refused' in row) return row;
    await audit(parts, tables, actor, 'webhook.changed', id, noted);
    return describe(row);
  });
};

/** A new secret; the one before signs beside it for a day more. webhook_unknown. */
export const renewSecret = (parts: Parts, actor: string, id: string): Promise<WebhookSecret | Refusal> => {
  const secret = parts.ids.secret();
  const secret_before_until = parts.clock.now() + changeover_ms;
  return parts.db.transact(async (tables) => {
    const renewed = (row: WebhookRow) => ({ secret, secret_before: row.secret, secret_before_until });
    const row = await store(tables, id, renewed);
    if ('refused' in row) return row;
    await audit(parts, tables, actor, 'webhook.secret', id);
    return { ...describe(row), secret: shownSecret(secret) };
  });
};

/** Removes the webhook and what waits for it; webhook_unknown or version_conflict. */
export const removeWebhook = (
  parts: Parts,
  actor: string,
  id: string,
  version: number,
): Promise<Refusal | undefined> =>
  parts.db.transact(async (tables) => {
    const row = await tables.webhooks.lock({ id });
    if (row === undefined) return refuse('webhook_unknown');
    if (row.version !== version) return refuse('version_conflict');
    await tables.webhooks.remove({ id });
    await tables.outbox.remove({ webhook_id: id });
    await audit(parts, tables, actor, 'webhook.deleted', id, { site: siteOf(row.url) });
    return undefined;
  });

/** Queues an event "test" for it; webhook_unknown, or forbidden while it is switched off. */
export const testWebhook = (parts: Parts, actor: string, id: string): Promise<Refusal | undefined> =>
  parts.db.transact(async (tables) => {
    const row = await tables.webhooks.get({ id });
    if (row === undefined) return refuse('webhook_unknown');
    if (!row.enabled) return refuse('forbidden', 'the webhook is switched off');
    await enqueue(parts, tables, id, 'test', {});
    await audit(parts, tables, actor, 'webhook.tested', id);
    return undefined;
  });
