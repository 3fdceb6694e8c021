import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { Availability } from '../../shared/protocol/bookings.ts';
import { bounds } from '../kit/limits.ts';
import { daysOf } from '../kit/rules-time.ts';
import type { Services } from '../kit/services.ts';
import { mostOn } from '../seats/rules-capacity.ts';
import { freeRuns } from '../seats/rules-plans.ts';
import { slot_ms } from '../seats/rules-slots.ts';
import { bookableHosts, readWithPlans } from './plans.ts';
import { defaultMinutes, visitOf } from './rules.ts';
import { bookingSettings } from './settings.ts';

/** Local days, both included, as year-month-day. */
export interface AvailabilityRequest {
  readonly from: string;
  readonly to: string;
  readonly zone?: string | undefined;
  readonly minutes?: number | undefined;
}

const day_ms = 86_400_000;

/** When a visit to the app may begin within these days, from now on. Refuses malformed, app_unknown and app_disabled. */
export const availability = async (
  services: Services,
  name: string,
  { from, to, zone = services.store.configuration().time_zone, minutes }: AvailabilityRequest,
): Promise<Availability | Refusal> => {
  const days = daysOf(from, to, zone, bounds.availability_days);
  if (isRefusal(days)) return days;
  const now = services.clock.now();
  const settings = bookingSettings(services);
  return readWithPlans(services, async (tables, seatPlans) => {
    const app = await tables.apps.get({ name });
    if (app === undefined) return refuse('app_unknown');
    if (!app.enabled) return refuse('app_disabled');
    const length = minutes ?? defaultMinutes(app);
    const first = Math.ceil(now / slot_ms) * slot_ms;
    const possible = visitOf(first, length, app, first, settings);
    if (isRefusal(possible)) return possible;
    const cards = await seatPlans(tables, await bookableHosts(tables, app));
    const range = {
      from: Math.max(days.from, first),
      to: Math.min(days.to, now + settings.days_ahead * day_ms + 1),
    };
    const free = freeRuns(cards, name, range, length * 60_000);
    const seats = cards.reduce((sum, { card, capacity }) => sum + mostOn(card, capacity, name), 0);
    return { app: name, minutes: length, zone, seats, free: [...free] };
  });
};
