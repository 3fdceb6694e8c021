import type { OpenAPIHono } from '@hono/zod-openapi';
import { Hono } from 'hono';
import { errors } from '../../shared/errors.ts';
import { version } from '../../shared/version.ts';
import type { Configuration } from '../store/configuration-file.ts';
import type { Store } from '../store/store.ts';
import type { Ctx, Env } from './env.ts';
import { type Reference, referencePage, referenceStyle } from './reference-page.ts';
import { pagePolicy } from './site.ts';

const everywhere = (
  ['too_many_messages', 'misdirected', 'origin_refused', 'unauthorized', 'storage_away', 'internal'] as const
)
  .map((code) => `- \`${code}\` (${errors[code].http}): ${errors[code].text}`)
  .join('\n');

const description = `Sessions of Unreal Engine apps on your own GPU machines.

Every error is \`application/problem+json\` with a \`code\` of a closed list. Any route may also answer:

${everywhere}`;

/** JSON Schema has no flags behind a pattern; the generator writes them there as JavaScript does. */
const withPlainPatterns = (document: Reference): Reference =>
  JSON.parse(
    JSON.stringify(document, (key, value: unknown) =>
      key === 'pattern' && typeof value === 'string' ? value.replace(/\/[a-z]+$/, '') : value,
    ),
  );

/** The OpenAPI document of the routes that describe themselves; without `servers`. */
export const referenceOf = (app: OpenAPIHono<Env>): Reference => {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description:
      "A participant's token for the routes of its session, an account's access token for the others.",
  });
  return withPlainPatterns(
    app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: 'Vitrina', version, description } }),
  );
};

const ownUrl = (c: Ctx, { public_url }: Configuration): string => public_url ?? new URL(c.req.url).origin;

/** `/openapi.json` for programs and `/docs` for people, of every route that `app` has by the time somebody asks. */
export const referenceRoutes = (app: OpenAPIHono<Env>, store: Store): Hono<Env> => {
  let made: Reference | undefined;
  const reference = (c: Ctx): Reference => {
    made ??= referenceOf(app);
    return { ...made, servers: [{ url: ownUrl(c, store.configuration()) }] };
  };
  return new Hono<Env>()
    .get('/openapi.json', (c) => c.json(reference(c)))
    .get('/docs', (c) => c.html(referencePage(reference(c)), 200, pagePolicy(c, store.configuration())))
    .get('/docs/style.css', (c) =>
      c.body(referenceStyle, 200, { 'Content-Type': 'text/css;charset=utf-8', 'Cache-Control': 'no-cache' }),
    );
};
