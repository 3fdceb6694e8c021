import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { isRefusal } from '../../shared/errors.ts';
import { enterQueueSchema, queuedSchema, queuePlaceSchema } from '../../shared/protocol/queue.ts';
import type { Env } from '../kit/http-env.ts';
import { answers, byBearer, describedRoutes, done, pathOf, refuses, takes } from '../kit/http-openapi.ts';
import { answer, problem } from '../kit/http-problems.ts';
import { bearer } from '../kit/secrets.ts';
import type { Seating } from './hosts.ts';
import { askPlace, enterQueue, leaveQueue } from './queue.ts';

const tags = ['queue'];
const ofPlace = { tags, security: byBearer, path: '/queue/{id}', request: { params: pathOf('id') } } as const;

const enter = createRoute({
  method: 'post',
  path: '/queue',
  tags,
  summary: 'Wait for a seat of an app',
  request: { body: takes(enterQueueSchema) },
  responses: {
    201: answers(queuedSchema, 'The place.'),
    ...refuses(
      'malformed',
      'app_unknown',
      'app_disabled',
      'account_required',
      'too_many',
      'too_many_messages',
      'visitor_share',
      'visitors_full',
    ),
  },
});
const ask = createRoute({
  ...ofPlace,
  method: 'get',
  summary: 'Show a place in the queue, and keep it',
  description:
    'Ask every few seconds. Who has not asked for 15 s keeps the place, but no seat from others who come; after 60 s the place is gone.',
  responses: {
    200: answers(queuePlaceSchema, 'The place.'),
    ...refuses('malformed', 'unauthorized', 'queue_unknown'),
  },
});
const leave = createRoute({
  ...ofPlace,
  method: 'delete',
  summary: 'Give a place in the queue up',
  responses: { 204: done('Given up.'), ...refuses('malformed', 'unauthorized', 'queue_unknown') },
});

/** Who waits for a seat, under `/api/v1`. */
export const queueRoutes = (seating: Seating): OpenAPIHono<Env> =>
  describedRoutes()
    .openapi(enter, async (c) =>
      answer(c, await enterQueue(seating, c.req.valid('json').app, c.var.caller, c.env.network), 201),
    )
    .openapi(ask, async (c) =>
      answer(c, await askPlace(seating, c.req.valid('param').id, bearer(c.req.header('authorization')))),
    )
    .openapi(leave, async (c) => {
      const left = await leaveQueue(seating, c.req.valid('param').id, bearer(c.req.header('authorization')));
      return isRefusal(left) ? problem(left) : c.body(null, 204);
    });
