import { accountChecks } from './accounts.ts';
import { bookingChecks } from './bookings.ts';
import { catalogueChecks } from './catalogue.ts';
import type { Check } from './check.ts';
import { keptChecks } from './kept.ts';
import { orphanChecks } from './orphans.ts';
import { ownerChecks } from './owners.ts';
import { seatChecks } from './seats.ts';
import { sessionChecks } from './sessions.ts';

/** All rules. Those of one table are looked at together, the tables in the order of their first rule here. */
export const checks: readonly Check[] = [
  ...sessionChecks,
  ...bookingChecks,
  ...seatChecks,
  ...ownerChecks,
  ...orphanChecks,
  ...accountChecks,
  ...catalogueChecks,
  ...keptChecks,
];
