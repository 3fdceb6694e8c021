import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { refuse } from '../../shared/errors.ts';
import { agentCheckSchema, drainedSchema, drainOrderSchema } from '../../shared/protocol/agent-check.ts';
import { namedSchema } from '../../shared/protocol/names.ts';
import { version } from '../../shared/version.ts';
import { type CatalogueNeeds, inForce } from '../catalogue/http-edits.ts';
import type { Env } from '../kit/http-env.ts';
import { answers, byBearer, describedRoutes, refuses, takes } from '../kit/http-openapi.ts';
import { problem } from '../kit/http-problems.ts';
import { bearer } from '../kit/secrets.ts';
import type { World } from '../sessions/live.ts';
import { hostCheck } from './check.ts';
import { drainByHost } from './drain.ts';
import { keyIsRight } from './fleet.ts';

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

const drain = createRoute({
  method: 'post',
  path: '/agent/draining',
  tags: ['health'],
  summary: 'Drain a host by its own word, or take that back',
  description:
    "For `session-agent drain` and `undrain`, with the host's own key. A host that drains takes nothing new; what an operator has drained stays so.",
  security: byBearer,
  request: { query: z.object({ server_name: namedSchema }), body: takes(drainOrderSchema) },
  responses: {
    200: answers(drainedSchema, 'What holds now.'),
    ...refuses('malformed', 'unauthorized', 'agent_key_wrong', 'too_many_messages', 'storage_away'),
  },
});

/** `/agent/check` and `/agent/draining`, beside the link itself, so that what lets one through lets the other. */
export const agentCheckRoutes = (needs: CatalogueNeeds & { readonly world: World }): OpenAPIHono<Env> => {
  const { world } = needs;
  return describedRoutes()
    .openapi(check, (c) => {
      const key = bearer(c.req.header('authorization'));
      if (key === undefined) return problem(refuse('unauthorized', 'Authorization: Bearer <key>'));
      const answer = hostCheck(world, c.req.valid('query').server_name, key, version);
      if (!('refused' in answer)) return c.json(answer, 200);
      world.log.warn({ network: c.env.network }, 'a check with a wrong key was refused');
      return problem(answer);
    })
    .openapi(drain, async (c) => {
      const key = bearer(c.req.header('authorization'));
      if (key === undefined) return problem(refuse('unauthorized', 'Authorization: Bearer <key>'));
      const { server_name } = c.req.valid('query');
      const draining = keyIsRight(world, server_name, key)
        ? await inForce(needs, drainByHost(needs, server_name, c.req.valid('json').draining))
        : undefined;
      if (draining !== undefined) return c.json({ draining }, 200);
      world.log.warn({ network: c.env.network }, 'a drain with a wrong key was refused');
      return problem(refuse('agent_key_wrong'));
    });
};
