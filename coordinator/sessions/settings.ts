import { limits } from '../../shared/limits.ts';
import type { Services } from '../kit/services.ts';
import type { SessionSettings } from './rules.ts';

/** What the operator has set about sessions, as it is in force now. */
export const sessionSettings = ({ store }: Pick<Services, 'store'>): SessionSettings => {
  const configuration = store.configuration();
  return {
    start_timeout_ms: configuration.start_timeout_seconds * 1_000,
    first_join_ms: configuration.first_join_seconds * 1_000,
    leave_grace_ms: configuration.leave_grace_seconds * 1_000,
    silent_page_ms: configuration.silent_page_seconds * 1_000,
    host_lost_ms: configuration.host_lost_seconds * 1_000,
    no_show_ms: configuration.booking_no_show_minutes * 60_000,
    code_digits: configuration.code_digits,
    participants: limits.participants,
  };
};
