import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { isRefusal } from '../../shared/errors.ts';
import { auditSchema } from '../../shared/protocol/records.ts';
import { as, pageQuery, rangeQuery } from '../kit/http-asked.ts';
import type { Env } from '../kit/http-env.ts';
import { answers, byBearer, describedRoutes, refuses } from '../kit/http-openapi.ts';
import { problem } from '../kit/http-problems.ts';
import type { Services } from '../kit/services.ts';
import { listAudit } from './records.ts';

const list = createRoute({
  method: 'get',
  path: '/audit',
  tags: ['audit'],
  security: byBearer,
  summary: 'List what administrators and operators did, newest first',
  request: {
    query: z.object({
      ...rangeQuery,
      actor: z.string().min(1).max(64).optional(),
      subject: z.string().min(1).max(128).optional(),
      ...pageQuery,
    }),
  },
  responses: {
    200: answers(auditSchema, 'One page.'),
    ...refuses('account_required', 'forbidden', 'malformed'),
  },
});

/** The audit log, under `/api/v1`: for administrators. */
export const auditRoutes = (parts: Pick<Services, 'db'>): OpenAPIHono<Env> =>
  describedRoutes().openapi(list, (c) =>
    as(c, 'admin', async () => {
      const { limit, after, ...filter } = c.req.valid('query');
      const page = await listAudit(parts, filter, { limit, after });
      return isRefusal(page) ? problem(page) : c.json({ entries: page.rows, next: page.next });
    }),
  );
