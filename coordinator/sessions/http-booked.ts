import type { OpenAPIHono } from '@hono/zod-openapi';
import { isRefusal } from '../../shared/errors.ts';
import { ownBooking } from '../bookings/bookings.ts';
import { answerBooking, holderOf } from '../bookings/http.ts';
import { bookingDescriptions as described } from '../bookings/http-descriptions.ts';
import type { Env } from '../kit/http-env.ts';
import { describedRoutes } from '../kit/http-openapi.ts';
import { answer, problem } from '../kit/http-problems.ts';
import { versionFrom } from '../kit/http-versions.ts';
import { type CancelNeeds, cancelBooked, joinBooked } from './booked.ts';
import type { World } from './live.ts';

/** What is about a booking and its session, under `/api/v1`. */
export const bookedRoutes = (world: World, needs: CancelNeeds): OpenAPIHono<Env> =>
  describedRoutes()
    .openapi(described.cancel, async (c) => {
      const visitor = holderOf(world, c);
      if (isRefusal(visitor)) return problem(visitor);
      const version = versionFrom(c);
      if (isRefusal(version)) return problem(version);
      const { id } = c.req.valid('param');
      return answerBooking(c, await cancelBooked(needs, id, visitor, version), visitor);
    })
    .openapi(described.join, async (c) => {
      const visitor = holderOf(world, c);
      if (isRefusal(visitor)) return problem(visitor);
      const booking = await ownBooking(world, c.req.valid('param').id, visitor);
      return answer(c, isRefusal(booking) ? booking : await joinBooked(world, booking));
    });
