import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { refuse } from '../../shared/errors.ts';
import { agentCheckSchema } from '../../shared/protocol/agent-check.ts';
import { namedSchema } from '../../shared/protocol/names.ts';
import { version } from '../../shared/version.ts';
import { hostCheck } from '../broker/host-check.ts';
import type { World } from '../broker/world.ts';
import { bearer } from '../secrets.ts';
import type { Env } from './env.ts';
import { answers, byBearer, describedRoutes, refuses } from './openapi.ts';
import { problem } from './problems.ts';

const check = createRoute({
  method: 'get',
  path: '/agent/check',
  tags: ['health'],
  summary: "Tell a host's doctor how things stand",
  description:
    "For `session-agent doctor`, with the host's own key. Changes nothing, and leaves the host's link alone.",
  security: byBearer,
  request: { query: z.object({ server_name: namedSchema }) },
  responses: {
    200: answers(agentCheckSchema, 'The key is right.'),
    ...refuses('malformed', 'unauthorized', 'agent_key_wrong', 'too_many_messages'),
  },
});

/** `/agent/check`, beside the link itself, so that what lets one through lets the other. */
export const agentCheckRoutes = (world: World): OpenAPIHono<Env> =>
  describedRoutes().openapi(check, (c) => {
    const key = bearer(c.req.header('authorization'));
    if (key === undefined) return problem(refuse('unauthorized', 'Authorization: Bearer <key>'));
    const answer = hostCheck(world, c.req.valid('query').server_name, key, version);
    if (!('refused' in answer)) return c.json(answer, 200);
    world.log.warn({ network: c.env.network }, 'a check with a wrong key was refused');
    return problem(answer);
  });
