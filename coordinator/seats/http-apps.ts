import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { refuse } from '../../shared/errors.ts';
import { appsSchema } from '../../shared/protocol/http.ts';
import type { CatalogueServices } from '../catalogue/data-directory.ts';
import type { Env } from '../kit/http-env.ts';
import { hasCopy } from '../kit/http-fixed.ts';
import { answers, describedRoutes, done, pathOf, refuses } from '../kit/http-openapi.ts';
import { answer, problem } from '../kit/http-problems.ts';
import { listApps } from './apps.ts';
import type { Seating } from './hosts.ts';

/** A picture may be an SVG: opened by itself it can neither run a script nor load anything. */
const pictureHeaders = {
  'Cache-Control': 'public, max-age=300',
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
};

const list = createRoute({
  method: 'get',
  path: '/apps',
  tags: ['apps'],
  summary: 'List the apps, with the seats that are free now',
  responses: { 200: answers(appsSchema, 'The catalogue.'), ...refuses() },
});

const picture = createRoute({
  method: 'get',
  path: '/apps/{name}/picture',
  tags: ['apps'],
  summary: "An app's picture",
  request: { params: pathOf('name') },
  responses: {
    304: done('The caller has it already: If-None-Match is its ETag.'),
    200: {
      description: 'The picture as the operator gave it.',
      content: { 'image/*': { schema: z.string().meta({ format: 'binary' }) } },
    },
    ...refuses('malformed', 'not_found'),
  },
});

/** The catalogue, under `/api/v1`. A picture is found by its app's name: no part of a path reaches the file system. */
export const appRoutes = (seating: Seating & Pick<CatalogueServices, 'files'>): OpenAPIHono<Env> =>
  describedRoutes()
    .openapi(list, (c) => answer(c, { apps: listApps(seating) }))
    .openapi(picture, async (c) => {
      const name = seating.catalogue.now().apps.get(c.req.valid('param').name)?.picture ?? undefined;
      const found = name === undefined ? undefined : await seating.files.pictures.read(name);
      if (found === undefined) return problem(refuse('not_found'));
      const changed = 'lastModified' in found ? found.lastModified : 0;
      const headers = { ...pictureHeaders, ETag: `"${found.size}-${changed}"` };
      if (hasCopy(c, headers.ETag)) return new Response(null, { status: 304, headers });
      return new Response(found, { headers: { ...headers, 'Content-Type': found.type } });
    });
