import type { Services } from '../kit/services.ts';
import { bookingRulesOf } from '../kit/settings.ts';
import type { BookingRules } from './rules.ts';

/** What the operator has set about bookings, as it is in force now. */
export const rulesFor = ({ store }: Pick<Services, 'store'>): BookingRules =>
  bookingRulesOf(store.configuration());
