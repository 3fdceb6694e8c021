import type { OpenAPIHono } from '@hono/zod-openapi';
import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { publicBase } from '../kit/http-addresses.ts';
import { callerWith } from '../kit/http-caller.ts';
import type { Ctx, Env } from '../kit/http-env.ts';
import { describedRoutes } from '../kit/http-openapi.ts';
import { answer, problem } from '../kit/http-problems.ts';
import { etagOf, versionFrom } from '../kit/http-versions.ts';
import { bearer } from '../kit/secrets.ts';
import type { Services } from '../kit/services.ts';
import type { Booking } from '../store/tables.ts';
import { availability } from './availability.ts';
import { book, getBooking, listBookings, type Visitor } from './bookings.ts';
import { bookingDescriptions as described, type ListQuery } from './http-descriptions.ts';
import { moveBooking } from './moves.ts';
import { calendarOf } from './rules-calendar.ts';
import { describeBooking, inviteUrl } from './view.ts';

const visitorOf = (services: Services, c: Ctx): Visitor => ({
  account: c.var.caller,
  token: bearer(c.req.header('authorization')),
  network: c.env.network,
  base: publicBase(c, services.store.configuration()).origin,
});

/** The visitor of a route that is about one booking; unauthorized when it shows nothing by which it could be known. */
export const holderOf = (services: Services, c: Ctx): Visitor | Refusal => {
  const visitor = visitorOf(services, c);
  return visitor.account === undefined && visitor.token === undefined ? refuse('unauthorized') : visitor;
};

/** The booking with its ETag, as the visitor sees it; or why not. */
export const answerBooking = (c: Ctx, booking: Booking | Refusal, { base }: Visitor): Response => {
  if (isRefusal(booking)) return problem(booking);
  c.header('ETag', etagOf(booking.version));
  return c.json(describeBooking(booking, base));
};

/** One's own bookings; operators may ask for everybody's. */
const list = async (services: Services, c: Ctx, query: ListQuery): Promise<Response> => {
  const { whose, account, ...filter } = query;
  const caller = callerWith(c, whose === 'all' ? 'operator' : 'user');
  if (isRefusal(caller)) return problem(caller);
  const { base } = visitorOf(services, c);
  if (whose === 'own') {
    return answer(c, await listBookings(services, { ...filter, account_id: caller.id }, base));
  }
  const wide = account === undefined && filter.app === undefined && filter.host === undefined;
  const state = filter.state ?? (wide ? 'held' : undefined);
  return answer(c, await listBookings(services, { ...filter, state, account_id: account }, base));
};

const calendar = async (services: Services, c: Ctx, id: string): Promise<Response> => {
  const visitor = holderOf(services, c);
  if (isRefusal(visitor)) return problem(visitor);
  const booking = await getBooking(services, id, visitor);
  if (isRefusal(booking)) return problem(booking);
  const url = inviteUrl(visitor.base, booking.invite);
  const file = calendarOf({
    uid: `${booking.id}@${new URL(visitor.base).hostname}`,
    sequence: booking.version,
    stamp: services.clock.now(),
    from: booking.starts_at,
    to: booking.ends_at,
    cancelled: ['cancelled', 'missed', 'lost'].includes(booking.state),
    summary: booking.title ?? booking.app,
    description: `${booking.app}\n${url}\n${booking.code}`,
    url,
  });
  return new Response(file, {
    headers: {
      'Content-Type': 'text/calendar; charset=utf-8; method=PUBLISH',
      'Content-Disposition': 'attachment; filename="booking.ics"',
      ETag: etagOf(booking.version),
    },
  });
};

/** Free times and bookings, under `/api/v1`; what touches a booking's session too stands with the sessions. */
export const bookingRoutes = (services: Services): OpenAPIHono<Env> =>
  describedRoutes()
    .openapi(described.availability, async (c) =>
      answer(c, await availability(services, c.req.valid('param').name, c.req.valid('query'))),
    )
    .openapi(described.create, async (c) => {
      const key = c.req.valid('header')['idempotency-key'];
      const reply = await book(services, c.req.valid('json'), visitorOf(services, c), key);
      if (isRefusal(reply)) return problem(reply);
      if ('version' in reply.body) c.header('ETag', etagOf(Number(reply.body.version)));
      return answer(c, reply.body, 201);
    })
    .openapi(described.list, (c) => list(services, c, c.req.valid('query')))
    .openapi(described.show, async (c) => {
      const visitor = holderOf(services, c);
      if (isRefusal(visitor)) return problem(visitor);
      return answerBooking(c, await getBooking(services, c.req.valid('param').id, visitor), visitor);
    })
    .openapi(described.change, async (c) => {
      const visitor = holderOf(services, c);
      if (isRefusal(visitor)) return problem(visitor);
      const version = versionFrom(c);
      if (isRefusal(version)) return problem(version);
      const { id } = c.req.valid('param');
      return answerBooking(
        c,
        await moveBooking(services, id, c.req.valid('json'), visitor, version),
        visitor,
      );
    })
    .openapi(described.calendar, (c) => calendar(services, c, c.req.valid('param').id));
