import type { BookingRules } from '../domain/bookings.ts';
import { bookingRulesOf } from '../store/configuration-file.ts';
import type { Services } from './services.ts';

/** What the operator has set about bookings, as it is in force now. */
export const rulesFor = ({ store }: Pick<Services, 'store'>): BookingRules =>
  bookingRulesOf(store.configuration());
