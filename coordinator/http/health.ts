import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Ctx, Env } from '../kit/http-env.ts';
import { isInsider } from '../kit/http-insider.ts';
import { answers, describedRoutes } from '../kit/http-openapi.ts';
import { isConnected } from '../seats/rules-hosts.ts';
import type { World } from '../sessions/live.ts';
import { isReady, type Parts } from './readiness.ts';

const partSchema = z.strictObject({ ok: z.boolean(), note: z.string().optional() });
const readySchema = z.strictObject({
  ok: z.boolean(),
  parts: z.record(z.string(), partSchema),
  hosts_connected: z.number().int(),
});

const alive = createRoute({
  method: 'get',
  path: '/healthz',
  tags: ['health'],
  summary: 'Whether the process answers',
  responses: { 200: answers(z.strictObject({ ok: z.literal(true) }), 'It does.') },
});

const ready = createRoute({
  method: 'get',
  path: '/readyz',
  tags: ['health'],
  summary: 'Whether the coordinator can do its work, and which part cannot',
  responses: {
    200: answers(readySchema, 'It can.'),
    503: answers(readySchema, 'It cannot now: the parts that are not `ok` say why.'),
  },
});

/** Which parts work, without a word about why not. */
const withoutNotes = (parts: Parts): Parts =>
  Object.fromEntries(Object.entries(parts).map(([name, { ok }]) => [name, { ok }]));

/**
 * `/healthz`: the process answers. `/readyz`: it can do its work; says which part cannot. HAProxy asks with OPTIONS unless it
 * is told otherwise, for `/` if it is told nothing.
 */
export const healthRoutes = (world: World, look: () => Promise<Parts>): OpenAPIHono<Env> => {
  const readyNow = async (c: Ctx) => {
    const all = await look();
    // What is wrong names files, addresses and other machines: that is for those who run this one.
    const inside = isInsider(c, world.store);
    const parts = inside ? all : withoutNotes(all);
    const ok = isReady(parts);
    const hosts = [...world.hosts.values()].filter(isConnected).length;
    return { body: { ok, parts, hosts_connected: hosts }, status: ok ? 200 : 503 } as const;
  };
  const routes = describedRoutes();
  routes
    .options('/', () => new Response(null, { status: 204, headers: { Allow: 'GET, HEAD, OPTIONS' } }))
    .options('/healthz', (c) => c.json({ ok: true }))
    .options('/readyz', async (c) => {
      const { body, status } = await readyNow(c);
      return c.json(body, status);
    });
  return routes
    .openapi(alive, (c) => c.json({ ok: true as const }, 200))
    .openapi(ready, async (c) => {
      const { body, status } = await readyNow(c);
      return c.json(body, status);
    });
};
