import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { isRefusal } from '../../shared/errors.ts';
import { namedSchema } from '../../shared/protocol/names.ts';
import { recordSchema, recordsSchema, type SessionRecord } from '../../shared/protocol/records.ts';
import { as, pageQuery, rangeQuery } from '../kit/http-asked.ts';
import type { Env } from '../kit/http-env.ts';
import { answers, byBearer, describedRoutes, pathOf, refuses } from '../kit/http-openapi.ts';
import { answer, problem } from '../kit/http-problems.ts';
import type { Services } from '../kit/services.ts';
import { everyRecord, listRecords, showRecord } from './records.ts';
import { csv_mark, csvLine } from './rules-csv.ts';

const shared = { method: 'get' as const, tags: ['records'], security: byBearer };
const denied = ['account_required', 'forbidden', 'malformed'] as const;
const filter = {
  ...rangeQuery,
  app: namedSchema.optional(),
  account: z.string().min(1).max(64).optional(),
};

const list = createRoute({
  ...shared,
  path: '/records',
  summary: 'List the records of sessions, newest end first',
  request: { query: z.object({ ...filter, ...pageQuery }) },
  responses: { 200: answers(recordsSchema, 'One page.'), ...refuses(...denied) },
});

const table = createRoute({
  ...shared,
  path: '/records.csv',
  summary: 'Export the records of sessions, newest end first',
  description:
    'RFC 4180 in UTF-8 with a byte order mark, with one line of names. A text that a spreadsheet would take for a formula begins with an apostrophe. Times are RFC 3339 in UTC.',
  request: { query: z.object(filter) },
  responses: {
    200: { description: 'All of them.', content: { 'text/csv': { schema: z.string() } } },
    ...refuses(...denied),
  },
});

const show = createRoute({
  ...shared,
  path: '/records/{session_id}',
  summary: 'Show the record of a session',
  request: { params: pathOf('session_id') },
  responses: { 200: answers(recordSchema, 'The record.'), ...refuses(...denied, 'session_unknown') },
});

const timeOf = (at: number): string => new Date(at).toISOString();

/** The columns of the export. Their order and names stay; new ones come last. */
const columns: Readonly<Record<string, (record: SessionRecord) => string | number | null>> = {
  session_id: ({ session_id }) => session_id,
  app: ({ app }) => app,
  host: ({ host }) => host,
  account_id: ({ account_id }) => account_id,
  booking_id: ({ booking_id }) => booking_id,
  started_at: ({ started_at }) => timeOf(started_at),
  ended_at: ({ ended_at }) => timeOf(ended_at),
  minutes: ({ minutes }) => minutes,
  waited_ms: ({ waited_ms }) => waited_ms,
  participants_max: ({ participants_max }) => participants_max,
  end_code: ({ end }) => end.code,
  end_reason: ({ end }) => end.name,
};

const linesOf = (records: readonly SessionRecord[]): string =>
  records.map((record) => csvLine(Object.values(columns).map((cell) => cell(record)))).join('');

/** The text piece by piece; the next page is read when whoever downloads it has taken the one before. */
const streamOf = (first: string, pages: AsyncGenerator<readonly SessionRecord[]>): ReadableStream => {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start: (out) => out.enqueue(encoder.encode(first)),
    async pull(out) {
      const { done, value } = await pages.next();
      if (done === true) out.close();
      else out.enqueue(encoder.encode(linesOf(value)));
    },
    async cancel() {
      await pages.return(undefined);
    },
  });
};

/** What is left of sessions, under `/api/v1`: for operators. */
export const recordRoutes = (parts: Pick<Services, 'db'>): OpenAPIHono<Env> =>
  describedRoutes()
    .openapi(list, (c) =>
      as(c, 'operator', async () => {
        const { limit, after, ...wanted } = c.req.valid('query');
        const page = await listRecords(parts, wanted, { limit, after });
        return isRefusal(page) ? problem(page) : c.json({ records: page.rows, next: page.next });
      }),
    )
    .openapi(table, (c) =>
      as(c, 'operator', async () => {
        const pages = everyRecord(parts, c.req.valid('query'));
        // Read before anything is answered: what goes wrong then has a status of its own.
        const first = await pages.next();
        const head =
          csv_mark + csvLine(Object.keys(columns)) + (first.done === true ? '' : linesOf(first.value));
        return new Response(streamOf(head, pages), {
          headers: {
            'Content-Type': 'text/csv; charset=utf-8',
            'Content-Disposition': 'attachment; filename="records.csv"',
          },
        });
      }),
    )
    .openapi(show, (c) =>
      as(c, 'operator', async () => answer(c, await showRecord(parts, c.req.valid('param').session_id))),
    );
