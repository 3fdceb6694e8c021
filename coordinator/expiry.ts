import { accountRemovals } from './accounts/expiry.ts';
import { bookingRemovals } from './bookings/expiry.ts';
import { enrolmentRemovals } from './fleet/enrolments.ts';
import { kitRemovals, type Removals } from './kit/sweep.ts';
import { recordRemovals } from './records/records.ts';
import { strangerRemovals } from './seats/expiry.ts';

/** What of all tables expires. */
export const removals: Removals = {
  ...kitRemovals,
  ...accountRemovals,
  ...strangerRemovals,
  ...bookingRemovals,
  ...recordRemovals,
  ...enrolmentRemovals,
};
