import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { isRefusal } from '../../shared/errors.ts';
import { enrolledSchema, enrolSchema } from '../../shared/protocol/catalogue.ts';
import { type CatalogueNeeds, inForce } from '../catalogue/http-edits.ts';
import type { Env } from '../kit/http-env.ts';
import { answers, describedRoutes, refuses, takes } from '../kit/http-openapi.ts';
import { problem } from '../kit/http-problems.ts';
import { useEnrolment } from './enrolments.ts';

const enrol = createRoute({
  method: 'post',
  path: '/enrolments',
  tags: ['catalogue'],
  summary: "Exchange a one-time token for a host's key",
  description: 'For agents: `session-agent enroll`. The key that the host had opens nothing from now on.',
  request: { body: takes(enrolSchema) },
  responses: {
    201: answers(enrolledSchema, "What belongs into the host's config.json."),
    ...refuses('malformed', 'enrolment_wrong', 'origin_refused', 'too_many_messages'),
  },
});

/** Where agents come with their token; under `/api/v1`. Needs no login: the token is what proves them. */
export const enrolmentRoutes = (needs: CatalogueNeeds): OpenAPIHono<Env> =>
  describedRoutes().openapi(enrol, async (c) => {
    const { network } = c.env;
    const enrolled = await inForce(needs, useEnrolment(needs, c.req.valid('json').token));
    if (isRefusal(enrolled)) {
      needs.log.warn({ network }, 'an enrolment was refused');
      return problem(enrolled);
    }
    needs.log.info({ network, host: enrolled.server_name }, 'host enrolled');
    return c.json(enrolled, 201);
  });
