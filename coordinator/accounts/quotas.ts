import type { Refusal } from '../../shared/errors.ts';
import type { Services } from '../kit/services.ts';
import type { Account, AppRow, ReadTables } from '../store/tables.ts';
import { isLimited, quotaPeriodOf, type Usage, withinQuota } from './rules-quotas.ts';

/** What is to be added to an account's usage. */
export interface QuotaRequest {
  readonly account: Account;
  readonly app: Pick<AppRow, 'name' | 'quota_sessions' | 'quota_minutes'>;
  /** When it begins, epoch ms: it counts in the period that contains this. */
  readonly at: number;
  readonly minutes: number;
  /** They lengthen a session that counts already. */
  readonly longer?: boolean;
  /** A booking that does not count, because it is the one that changes. */
  readonly but?: string;
}

/** One session or booking that counts. */
interface Counted {
  readonly app: string;
  readonly minutes: number;
}

type QuotaTables = Pick<ReadTables, 'bookings' | 'sessions' | 'records'>;

const counting = ['held', 'open', 'used', 'missed'] as const;

const minutesOf = (from: number, to: number): number => Math.ceil((to - from) / 60_000);

const countedIn = async (
  { bookings, sessions, records }: QuotaTables,
  account_id: string,
  period: { from: number; to: number },
  but: string | undefined,
): Promise<Counted[]> => {
  const booked = await bookings.find({ account_id, starts_at: period, state: { in: counting } });
  const running = await sessions.find({ account_id, created_at: period, booking_id: null });
  const past = await records.find({ account_id, started_at: period, booking_id: null });
  return [
    ...booked
      .filter(({ id }) => id !== but)
      .map(({ app, starts_at, ends_at }) => ({ app, minutes: minutesOf(starts_at, ends_at) })),
    // An ended session counts by its record.
    ...running
      .filter(({ phase }) => phase !== 'ended')
      .map(({ app, created_at, ends_at }) => ({ app, minutes: minutesOf(created_at, ends_at) })),
    ...past.map(({ app, minutes }) => ({ app, minutes })),
  ];
};

const sum = (counted: readonly Counted[]): Usage => ({
  sessions: counted.length,
  minutes: counted.reduce((total, { minutes }) => total + minutes, 0),
});

/**
 * quota_exceeded when the account may not have one more session or booking of that length, or one that is so much longer; called under the account's
 * lock. What was booked counts with its planned minutes, what is over with those that it took.
 */
export const checkQuota = async (
  { store, clock }: Pick<Services, 'store' | 'clock'>,
  tables: QuotaTables,
  { account, app, at, minutes, longer = false, but }: QuotaRequest,
): Promise<Refusal | undefined> => {
  const { quota_period, quota_sessions, quota_minutes } = store.configuration();
  const limits = {
    sessions: account.quota_sessions ?? quota_sessions ?? null,
    minutes: account.quota_minutes ?? quota_minutes ?? null,
  };
  const ofApp = { sessions: app.quota_sessions, minutes: app.quota_minutes };
  if (!isLimited(limits) && !isLimited(ofApp)) return undefined;
  const period = quotaPeriodOf(quota_period, at);
  const counted = await countedIn(tables, account.id, period, but);
  const time = { now: clock.now(), until: period.to };
  const add = { sessions: longer ? 0 : 1, minutes };
  return (
    withinQuota(sum(counted), add, limits, time) ??
    withinQuota(sum(counted.filter((one) => one.app === app.name)), add, ofApp, time)
  );
};
