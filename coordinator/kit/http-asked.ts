import { z } from '@hono/zod-openapi';
import { isRefusal, type Refusal } from '../../shared/errors.ts';
import { instantOf } from '../../shared/protocol/instant.ts';
import type { Account } from '../store/tables.ts';
import { callerWith } from './http-caller.ts';
import type { Ctx } from './http-env.ts';
import { problem } from './http-problems.ts';
import { etagOf, versionFrom } from './http-versions.ts';

const page_rows = 50;
const page_rows_most = 200;

/** The query of every list: how many, and after which one. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, `1 to ${page_rows_most}`)
    .transform(Number)
    .pipe(z.number().max(page_rows_most))
    .default(page_rows)
    .meta({ description: `How many at most: 1 to ${page_rows_most}.`, type: 'integer' }),
  after: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'what `next` of the page before said')
    .optional()
    .meta({ description: '`next` of the page before.' }),
};

const time_most = 8_640_000_000_000_000;

export const instant_text =
  'An RFC 3339 time like 2026-11-21T09:00:00Z or 2026-11-21T12:00:00+03:00; epoch ms are taken too.';

/** "2026" and "20260101": a person means a year or a day, not a moment of 1970. */
const year_or_day = /^(?:19|20|21)\d\d(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))?$/;

/** In a query a "+" that is not written as %2B is a blank: the offset of "2026-11-21T12:00:00+03:00". */
const withOffset = (text: string): string => text.replace(/ (?=\d\d:\d\d$)/, '+');

/** An instant in a query; ms since 1970 from then on. */
export const instantQuery = z
  .union(
    [
      z
        .string()
        .regex(/^\d{1,16}$/)
        .refine((text) => !year_or_day.test(text)),
      z
        .string()
        .refine((text) => instantOf(withOffset(text)) !== undefined)
        .meta({ format: 'date-time' }),
    ],
    'an RFC 3339 time like 2026-11-21T09:00:00Z',
  )
  .transform((text) => instantOf(withOffset(text)) ?? Number(text))
  .pipe(z.number().int().min(0).max(time_most))
  .optional();

/** The query of lists that are cut out by time: from `from` up to, not including, `to`. */
export const rangeQuery = {
  from: instantQuery.meta({ description: `At this instant or later. ${instant_text}` }),
  to: instantQuery.meta({ description: `Before this instant. ${instant_text}` }),
};

/** Runs `work` for a caller with at least this role; otherwise account_required or forbidden. */
export const as = async (
  c: Ctx,
  role: Account['role'],
  work: (caller: Account) => Response | Promise<Response>,
): Promise<Response> => {
  const caller = callerWith(c, role);
  return 'refused' in caller ? problem(caller) : work(caller);
};

/** Nothing, where the work is done; or why it is not. */
export const empty = (c: Ctx, refusal: Refusal | undefined): Response =>
  refusal === undefined ? c.body(null, 204) : problem(refusal);

/** Runs `work` for such a caller with the version that If-Match names. */
export const asVersion = (
  c: Ctx,
  role: Account['role'],
  work: (actor: string, version: number) => Promise<Response>,
): Promise<Response> =>
  as(c, role, ({ id }) => {
    const version = versionFrom(c);
    return isRefusal(version) ? problem(version) : work(id, version);
  });

/** What a versioned thing is answered with: its version is its ETag too. */
export const tagged = (
  c: Ctx,
  value: { readonly version: number } | Refusal,
  status: 200 | 201 = 200,
): Response => {
  if ('refused' in value) return problem(value);
  c.header('ETag', etagOf(value.version));
  return c.json(value, status);
};
