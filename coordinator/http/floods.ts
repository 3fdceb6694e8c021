import { getPath } from 'hono/utils/url';
import { errors } from '../../shared/errors.ts';
import { beyondRate } from '../kit/budget.ts';
import { problem_type, problemText } from '../kit/http-problems.ts';
import type { RateLimits } from '../kit/rates.ts';
import type { World } from '../sessions/live.ts';
import { ownHeaders } from './guards.ts';
import { kindOf, retryAfter } from './rates.ts';

const { http: status } = errors.too_many_messages;

/**
 * Refuses who is beyond its share already, before anything is made for the request: a flood then costs little more than to
 * be read. Undefined for all others, and for pages of `allowed_origins`, which can read a refusal only with CORS headers.
 */
export const refuseFloods = (world: World, rates: RateLimits) => {
  const { store, meters } = world;
  const refused = meters.refusals.of({ code: 'too_many_messages' });
  const answered = meters.requests.of({ route: 'none', method: 'other', status: String(status) });
  return (request: Request, network: string): Response | undefined => {
    const { headers } = request;
    const wait_ms = rates.beyond(kindOf(world, getPath(request), headers.get('authorization')), network);
    if (wait_ms === 0) return undefined;
    const configuration = store.configuration();
    if (configuration.allowed_origins.includes(headers.get('origin') ?? '')) return undefined;
    refused.value += 1;
    answered.value += 1;
    return new Response(problemText(beyondRate(wait_ms)), {
      status,
      headers: { ...ownHeaders(configuration), 'Content-Type': problem_type, ...retryAfter(wait_ms) },
    });
  };
};
