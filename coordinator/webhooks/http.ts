import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import {
  changeWebhookSchema,
  createWebhookSchema,
  shownWebhookSchema,
  webhookSchema,
  webhookSecretSchema,
  webhooksSchema,
} from '../../shared/protocol/webhooks.ts';
import { as, asVersion, empty, tagged } from '../kit/http-asked.ts';
import type { Env } from '../kit/http-env.ts';
import { answers, byBearer, describedRoutes, done, pathOf, refuses, takes } from '../kit/http-openapi.ts';
import type { Services } from '../kit/services.ts';
import {
  changeWebhook,
  createWebhook,
  listWebhooks,
  removeWebhook,
  renewSecret,
  showWebhook,
  testWebhook,
} from './webhooks.ts';

const tags = ['webhooks'];
const security = byBearer;
const denied = ['account_required', 'forbidden', 'malformed'] as const;
const one = { tags, security, request: { params: pathOf('id') } };
const versioned = ['webhook_unknown', 'version_required', 'version_conflict'] as const;

const described = {
  create: createRoute({
    method: 'post',
    path: '/webhooks',
    tags,
    security,
    summary: 'Add a webhook',
    description:
      'The answer is the only one that shows its secret, which signs what is sent in the format of Standard Webhooks.',
    request: { body: takes(createWebhookSchema) },
    responses: {
      201: answers(webhookSecretSchema, 'The webhook and its secret.'),
      ...refuses(...denied, 'too_many'),
    },
  }),
  list: createRoute({
    method: 'get',
    path: '/webhooks',
    tags,
    security,
    summary: 'List the webhooks',
    responses: { 200: answers(webhooksSchema, 'All of them.'), ...refuses(...denied) },
  }),
  show: createRoute({
    ...one,
    method: 'get',
    path: '/webhooks/{id}',
    summary: 'Show a webhook and its latest events',
    responses: {
      200: answers(shownWebhookSchema, 'The webhook.'),
      ...refuses(...denied, 'webhook_unknown'),
    },
  }),
  change: createRoute({
    ...one,
    method: 'patch',
    path: '/webhooks/{id}',
    summary: 'Change a webhook',
    description: 'Needs If-Match with the ETag of the last read.',
    request: { ...one.request, body: takes(changeWebhookSchema) },
    responses: {
      200: answers(webhookSchema, 'The webhook as it is now.'),
      ...refuses(...denied, ...versioned),
    },
  }),
  remove: createRoute({
    ...one,
    method: 'delete',
    path: '/webhooks/{id}',
    summary: 'Remove a webhook, and the events that wait for it',
    description: 'Needs If-Match with the ETag of the last read.',
    responses: { 204: done('It is gone.'), ...refuses(...denied, ...versioned) },
  }),
  test: createRoute({
    ...one,
    method: 'post',
    path: '/webhooks/{id}/test',
    summary: 'Send a webhook the test event',
    responses: { 204: done('The event is on its way.'), ...refuses(...denied, 'webhook_unknown') },
  }),
  secret: createRoute({
    ...one,
    method: 'post',
    path: '/webhooks/{id}/secret',
    summary: 'Give a webhook a new secret',
    description:
      'For 24 hours deliveries are signed by it and by the one before, so that a receiver can change over without refusing any. No more than the last two sign.',
    responses: {
      200: answers(webhookSecretSchema, 'The webhook and its new secret.'),
      ...refuses(...denied, 'webhook_unknown'),
    },
  }),
};

/** Webhooks, under `/api/v1`: for administrators. */
export const webhookRoutes = (parts: Pick<Services, 'db' | 'clock' | 'ids' | 'store'>): OpenAPIHono<Env> =>
  describedRoutes()
    .openapi(described.create, (c) =>
      as(c, 'admin', async ({ id: actor }) =>
        tagged(c, await createWebhook(parts, actor, c.req.valid('json')), 201),
      ),
    )
    .openapi(described.list, (c) =>
      as(c, 'admin', async () => c.json({ webhooks: await listWebhooks(parts) })),
    )
    .openapi(described.show, (c) =>
      as(c, 'admin', async () => tagged(c, await showWebhook(parts, c.req.valid('param').id))),
    )
    .openapi(described.change, (c) =>
      asVersion(c, 'admin', async (actor, version) => {
        const { id } = c.req.valid('param');
        return tagged(c, await changeWebhook(parts, actor, id, version, c.req.valid('json')));
      }),
    )
    .openapi(described.remove, (c) =>
      asVersion(c, 'admin', async (actor, version) =>
        empty(c, await removeWebhook(parts, actor, c.req.valid('param').id, version)),
      ),
    )
    .openapi(described.test, (c) =>
      as(c, 'admin', async ({ id: actor }) =>
        empty(c, await testWebhook(parts, actor, c.req.valid('param').id)),
      ),
    )
    .openapi(described.secret, (c) =>
      as(c, 'admin', async ({ id: actor }) =>
        tagged(c, await renewSecret(parts, actor, c.req.valid('param').id)),
      ),
    );
