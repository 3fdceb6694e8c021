import { type Refusal, refuse } from '../../shared/errors.ts';
import { bounds } from '../kit/limits.ts';
import type { Period } from '../kit/rules-time.ts';
import type { Services } from '../kit/services.ts';
import { calendarRefusal, hasMost } from '../seats/rules-shares.ts';
import { sharesOf } from '../seats/settings.ts';
import { among, heldBy, lockShares } from '../seats/stranger-rows.ts';
import type { Tables } from '../store/tables.ts';
import { bookableHosts } from './plans.ts';

/** Bookings that may reach into a day begin so long before it. */
const reach_ms = bounds.booking_minutes * 60_000;
const day_ms = 86_400_000;

/** Why strangers may not have that time of the host's apps, if they may not. `but` is a booking that moves. */
export const calendarMay = async (
  services: Services,
  tables: Tables,
  { host, visit, but }: { readonly host: string; readonly visit: Period; readonly but?: string },
): Promise<Refusal | undefined> => {
  const { calendar_percent } = sharesOf(services.store.configuration(), 100);
  if (calendar_percent >= 100) return undefined;
  await lockShares(tables, services.clock.now());
  const from = Math.floor(visit.from / day_ms) * day_ms - reach_ms;
  const starts_at = { from: Math.max(0, from), to: visit.to + day_ms };
  const having = await tables.host_apps.find({ host });
  for (const { app: name } of having) {
    const app = await tables.apps.get({ name });
    if (app === undefined || !app.enabled) continue;
    const hosts = await bookableHosts(tables, app);
    const seats = hosts.reduce((sum, one) => sum + one.seats, 0);
    const found = await tables.bookings.find({
      host: { in: hosts.map((one) => one.name) },
      starts_at,
      state: { in: ['held', 'open', 'used'] },
      account_id: null,
    });
    const booked = found
      .filter(({ id }) => id !== but)
      .map((one) => ({ from: one.starts_at, to: one.ends_at }));
    const refused = calendarRefusal(booked, visit, seats, calendar_percent);
    if (refused !== undefined) return refused;
  }
  return undefined;
};

/** Why the stranger may not book one more time on that host, if it may not; under the host's lock. */
export const strangerMayBook = async (
  services: Services,
  tables: Tables,
  { network, host, visit }: { readonly network: string; readonly host: string; readonly visit: Period },
): Promise<Refusal | undefined> => {
  await lockShares(tables, services.clock.now());
  const { bookings_of_network } = sharesOf(services.store.configuration(), 100);
  const held = await heldBy(tables, 'booking', network);
  const to_come =
    held.wide.length === 0
      ? []
      : await tables.bookings.find({ id: { in: held.wide }, state: { in: ['held', 'open'] } });
  if (hasMost(among(held, to_come), bookings_of_network)) {
    return refuse('visitor_share', `${to_come.length} bookings of this network are to come`);
  }
  return calendarMay(services, tables, { host, visit });
};
