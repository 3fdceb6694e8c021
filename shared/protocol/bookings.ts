import { z } from 'zod';
import { zoneSchema } from '../zone.ts';
import { instantSchema } from './instant.ts';
import { codeSchema, idSchema, namedSchema } from './names.ts';

/** Bodies of the bookings under `/api/v1`. Instants are RFC 3339 times in UTC; a visitor's own time is a date, a time and a zone. */
export const BOOKINGS_VERSION = 2;

const dateSchema = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'year-month-day, like 2026-12-24');
const timeSchema = z.string().regex(/^\d{2}:\d{2}$/, 'hours:minutes, like 18:30');
/** Which of the two, where the clock shows a time twice because it is set back. */
const whichSchema = z.enum(['earlier', 'later']);
const minutesSchema = z.number().int().min(5).max(1_440);
const titleSchema = z.string().trim().max(200);

/** `POST /api/v1/bookings`. */
export const createBookingSchema = z.strictObject({
  app: namedSchema,
  /** Year-month-day (ISO 8601). */
  date: dateSchema,
  /** Hours:minutes, of 24 hours. */
  time: timeSchema,
  /** Name in the zone database; the server's `time_zone` when left out. */
  zone: zoneSchema.optional(),
  which: whichSchema.optional(),
  /** A multiple of 5; the app's default when left out. */
  minutes: minutesSchema.optional(),
  title: titleSchema.optional(),
});
export type CreateBooking = z.infer<typeof createBookingSchema>;

/** `PATCH /api/v1/bookings/{id}`: another time, another length, another title. Date and time come together. */
export const changeBookingSchema = z
  .strictObject({
    date: dateSchema.optional(),
    time: timeSchema.optional(),
    zone: zoneSchema.optional(),
    which: whichSchema.optional(),
    minutes: minutesSchema.optional(),
    title: titleSchema.nullable().optional(),
  })
  .refine(({ date, time }) => (date === undefined) === (time === undefined), 'date and time come together');
export type ChangeBooking = z.infer<typeof changeBookingSchema>;

export const bookingStateSchema = z.enum(['held', 'open', 'used', 'cancelled', 'missed', 'lost']);

/** A booking as those see it who may change it. */
export const bookingSchema = z.strictObject({
  id: idSchema,
  app: namedSchema,
  state: bookingStateSchema,
  /** For people: why it is over, when it was not used, or why it may not take place. */
  reason: z.string().nullable(),
  starts_at: instantSchema,
  ends_at: instantSchema,
  minutes: z.number().int(),
  /** When it begins by the clock of the zone in which it was booked. */
  local: z.strictObject({
    /** Year-month-day. */
    date: z.string(),
    /** Hours:minutes, of 24 hours. */
    time: z.string(),
    zone: z.string(),
    which: whichSchema.optional(),
  }),
  code: codeSchema,
  invite_url: z.string(),
  title: z.string().nullable(),
  account_id: idSchema.nullable(),
  /** Once its app has been started. */
  session_id: idSchema.nullable(),
  created_at: instantSchema,
  version: z.number().int(),
});
export type BookingView = z.infer<typeof bookingSchema>;

/** Answers POST. `token` is there for callers without an account: whoever sends it as bearer may change the booking. */
export const bookedSchema = bookingSchema.extend({ token: z.string().optional() });
export type Booked = z.infer<typeof bookedSchema>;

/** `GET /api/v1/bookings`; `next` is what `after` takes for the next page. */
export const bookingsSchema = z.strictObject({
  bookings: z.array(bookingSchema),
  next: z.string().nullable(),
});
export type Bookings = z.infer<typeof bookingsSchema>;

/** `GET /api/v1/apps/{name}/availability`: every five minutes a booking may begin. */
export const availabilitySchema = z.strictObject({
  app: namedSchema,
  minutes: z.number().int(),
  zone: z.string(),
  /** Seats in all. */
  seats: z.number().int(),
  /** From `from` up to, not including, `to` a booking of that length may begin every five minutes; `seats` are free. */
  free: z.array(z.strictObject({ from: instantSchema, to: instantSchema, seats: z.number().int() })),
});
export type Availability = z.infer<typeof availabilitySchema>;
