import { createRoute, z } from '@hono/zod-openapi';
import {
  availabilitySchema,
  bookedSchema,
  bookingSchema,
  bookingStateSchema,
  bookingsSchema,
  changeBookingSchema,
  createBookingSchema,
} from '../../shared/protocol/bookings.ts';
import { participationSchema } from '../../shared/protocol/http.ts';
import { namedSchema, wholeNumberSchema } from '../../shared/protocol/names.ts';
import { zoneSchema } from '../../shared/zone.ts';
import { instant_text, instantQuery } from '../kit/http-asked.ts';
import { answers, byBearer, idempotencyKey, pathOf, refuses, takes } from '../kit/http-openapi.ts';
import { bounds } from '../kit/limits.ts';

const tags = ['bookings'];
const optionalBearer = [{}, ...byBearer];
const ofBooking = { tags, security: byBearer, request: { params: pathOf('id') } };
const timeRefusals = [
  'time_skipped',
  'time_ambiguous',
  'time_past',
  'time_taken',
  'quota_exceeded',
  'visitors_full',
] as const;
const changeRefusals = [
  'malformed',
  'unauthorized',
  'booking_unknown',
  'booking_closed',
  'version_required',
  'version_conflict',
] as const;

const word = z.string().max(200).optional();
const daySchema = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'year-month-day, like 2026-12-24');

const listQuery = z.object({
  whose: z.enum(['own', 'all']).default('own').meta({ description: '`all` is for operators.' }),
  app: namedSchema.optional(),
  host: namedSchema.optional(),
  account: word,
  state: bookingStateSchema
    .optional()
    .meta({ description: 'With `whose=all` and no other filter it is `held` when left out.' }),
  from: instantQuery.meta({ description: `Those that begin then or later. ${instant_text}` }),
  to: instantQuery.meta({ description: `Those that begin before. ${instant_text}` }),
  limit: wholeNumberSchema(1, bounds.bookings_per_page_most).optional(),
  after: z.string().max(64).optional().meta({ description: '`next` of the page before.' }),
});
export type ListQuery = z.infer<typeof listQuery>;

/** The routes of bookings as the reference shows them, under `/api/v1`. */
export const bookingDescriptions = {
  availability: createRoute({
    method: 'get',
    path: '/apps/{name}/availability',
    tags,
    summary: 'When an app can be booked',
    request: {
      params: pathOf('name'),
      query: z.object({
        from: daySchema.meta({ description: 'First day, as year-month-day (ISO 8601).' }),
        to: daySchema.meta({ description: `Last day, included; at most ${bounds.availability_days} days.` }),
        minutes: wholeNumberSchema(5, bounds.booking_minutes).optional(),
        zone: zoneSchema.optional().meta({
          description: "Whose days: a name in the zone database; the server's `time_zone` when left out.",
        }),
      }),
    },
    responses: {
      200: answers(availabilitySchema, 'Free times from now on.'),
      ...refuses('malformed', 'app_unknown', 'app_disabled'),
    },
  }),
  create: createRoute({
    method: 'post',
    path: '/bookings',
    tags,
    summary: 'Book an app for a time',
    description:
      'Without an account only apps that anyone may start; the answer then holds the token that manages the booking.',
    security: optionalBearer,
    request: {
      headers: idempotencyKey,
      body: takes(createBookingSchema),
    },
    responses: {
      201: answers(bookedSchema, 'The seat is held.'),
      ...refuses(
        'malformed',
        'app_unknown',
        'app_disabled',
        'account_required',
        ...timeRefusals,
        'codes_used_up',
        'too_many_messages',
        'idempotency_mismatch',
        'idempotency_running',
      ),
    },
  }),
  list: createRoute({
    method: 'get',
    path: '/bookings',
    tags,
    security: byBearer,
    summary: 'List bookings by their time',
    request: { query: listQuery },
    responses: {
      200: answers(bookingsSchema, 'One page.'),
      ...refuses('malformed', 'account_required', 'forbidden'),
    },
  }),
  show: createRoute({
    ...ofBooking,
    method: 'get',
    path: '/bookings/{id}',
    summary: 'Show a booking',
    responses: {
      200: answers(bookingSchema, 'The booking.'),
      ...refuses('malformed', 'unauthorized', 'booking_unknown'),
    },
  }),
  change: createRoute({
    ...ofBooking,
    method: 'patch',
    path: '/bookings/{id}',
    summary: 'Move a booking to another time or length',
    description:
      'Needs `If-Match` with the ETag of the last read. Code and invite stay the same. What changes nothing keeps the version.',
    request: { ...ofBooking.request, body: takes(changeBookingSchema) },
    responses: {
      200: answers(bookingSchema, 'The booking as it is now.'),
      ...refuses(...changeRefusals, ...timeRefusals, 'account_required', 'app_unknown'),
    },
  }),
  cancel: createRoute({
    ...ofBooking,
    method: 'delete',
    path: '/bookings/{id}',
    summary: 'Cancel a booking',
    description: 'Needs `If-Match` with the ETag of the last read. A session that was started for it ends.',
    responses: {
      200: answers(bookingSchema, 'The booking, cancelled.'),
      ...refuses(...changeRefusals, 'too_busy'),
    },
  }),
  join: createRoute({
    ...ofBooking,
    method: 'post',
    path: '/bookings/{id}/join',
    summary: "Join one's own booked session, as its owner",
    responses: {
      200: answers(participationSchema, 'The caller is an owner of the session.'),
      ...refuses(
        'malformed',
        'unauthorized',
        'forbidden',
        'booking_unknown',
        'booking_not_open',
        'session_ended',
        'session_full',
      ),
    },
  }),
  calendar: createRoute({
    ...ofBooking,
    method: 'get',
    path: '/bookings/{id}/calendar.ics',
    summary: 'The booking as a calendar file',
    responses: {
      200: {
        description: 'RFC 5545, with the invite link.',
        content: { 'text/calendar': { schema: z.string() } },
      },
      ...refuses('malformed', 'unauthorized', 'booking_unknown'),
    },
  }),
};
