import type { OpenAPIHono } from '@hono/zod-openapi';
import { Hono } from 'hono';
import { errors } from '../../shared/errors.ts';
import { version } from '../../shared/version.ts';
import type { Settings } from '../kit/data-directory.ts';
import type { Ctx, Env } from '../kit/http-env.ts';
import { answerFixed, type Fixed, fixed } from '../kit/http-fixed.ts';
import { pagePolicy } from './pages.ts';
import { type Reference, referencePage, referenceStyle } from './reference-page.ts';

const everywhere = (
  [
    'too_many_messages',
    'misdirected',
    'origin_refused',
    'unauthorized',
    'storage_away',
    'row_unreadable',
    'internal',
  ] as const
)
  .map((code) => `- \`${code}\` (${errors[code].http}): ${errors[code].text}`)
  .join('\n');

const description = `Sessions of Unreal Engine apps on your own GPU machines.

Local dates are year-month-day (2026-12-24), times of the day hours:minutes of 24 hours (18:30), zones names of the zone database
(Europe/Berlin). An instant in an answer, and in the body of a webhook, is a RFC 3339 time in UTC with milliseconds
(2026-12-24T17:30:00.000Z). A query takes instants as RFC 3339 with any offset; ms since 1970 are taken too.

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

/** Stands for the address by which callers reach us, until that is known. */
const any_address = 'https://address.invalid';

/** A document that differs in nothing but that address: made once, and kept as it was asked for last. */
const perAddress = (type: string, make: () => string, written: (address: string) => string) => {
  let template: string | undefined;
  let last: { address: string; document: Fixed } | undefined;
  return (address: string): Fixed => {
    if (last?.address === address) return last.document;
    template ??= make();
    const text = template.replaceAll(any_address, () => written(address));
    last = { address, document: fixed(new TextEncoder().encode(text), type) };
    return last.document;
  };
};

const style = fixed(new TextEncoder().encode(referenceStyle), 'text/css;charset=utf-8');

/** `/openapi.json` for programs and `/docs` for people, of every route that `app` has by the time somebody asks. */
export const referenceRoutes = (app: OpenAPIHono<Env>, store: Settings): Hono<Env> => {
  const reference = (): Reference => ({ ...referenceOf(app), servers: [{ url: any_address }] });
  const json = perAddress(
    'application/json',
    () => JSON.stringify(reference()),
    (text) => JSON.stringify(text).slice(1, -1),
  );
  const page = perAddress(
    'text/html; charset=UTF-8',
    () => String(referencePage(reference())),
    Bun.escapeHTML,
  );
  const ownUrl = (c: Ctx): string => store.configuration().public_url ?? new URL(c.req.url).origin;
  const again = { 'Cache-Control': 'no-cache' };
  return new Hono<Env>()
    .get('/openapi.json', (c) => answerFixed(c, json(ownUrl(c)), again))
    .get('/docs', (c) => answerFixed(c, page(ownUrl(c)), pagePolicy(c, store.configuration())))
    .get('/docs/style.css', (c) => answerFixed(c, style, again));
};
