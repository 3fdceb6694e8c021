import { Hono } from 'hono';
import { refuse } from '../../shared/errors.ts';
import { listApps } from '../broker/sessions.ts';
import type { World } from '../broker/world.ts';
import type { Env } from './env.ts';
import { problem } from './problems.ts';

/** A picture may be an SVG: opened by itself it can neither run a script nor load anything. */
const pictureHeaders = {
  'Cache-Control': 'public, max-age=300',
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
};

/** The catalogue, under `/api/v1`. A picture is found by its app's name: no part of a path reaches the file system. */
export const appRoutes = (world: World): Hono<Env> =>
  new Hono<Env>()
    .get('/apps', (c) => c.json({ apps: listApps(world) }))
    .get('/apps/:name/picture', async (c) => {
      const name = world.catalogue.apps.get(c.req.param('name'))?.picture ?? undefined;
      const picture = name === undefined ? undefined : await world.store.picture(name);
      if (picture === undefined) return problem(refuse('not_found'));
      return new Response(picture, { headers: { ...pictureHeaders, 'Content-Type': picture.type } });
    });
