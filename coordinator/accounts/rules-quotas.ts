import { type Refusal, refuse } from '../../shared/errors.ts';
import type { Period, QuotaPeriod } from '../kit/rules-time.ts';

const day_ms = 86_400_000;

/** The day, week (from Monday) or month in UTC that contains the instant (epoch ms). */
export const quotaPeriodOf = (kind: QuotaPeriod, instant: number): Period => {
  const at = new Date(instant);
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  switch (kind) {
    case 'day':
      return { from: Date.UTC(year, month, day), to: Date.UTC(year, month, day) + day_ms };
    case 'week': {
      const monday = Date.UTC(year, month, day - ((at.getUTCDay() + 6) % 7));
      return { from: monday, to: monday + 7 * day_ms };
    }
    case 'month':
      return { from: Date.UTC(year, month), to: Date.UTC(year, month + 1) };
  }
};

/** Sessions, and their minutes, planned or past. */
export interface Usage {
  readonly sessions: number;
  readonly minutes: number;
}

/** The most of each; null for no limit. */
export interface QuotaLimits {
  readonly sessions: number | null;
  readonly minutes: number | null;
}

export const isLimited = ({ sessions, minutes }: QuotaLimits): boolean =>
  sessions !== null || minutes !== null;

/** quota_exceeded when at `now` `add` on top of `used` is more than the limits allow until `until` (epoch ms, both). */
export const withinQuota = (
  used: Usage,
  add: Usage,
  limits: QuotaLimits,
  { now, until }: { now: number; until: number },
): Refusal | undefined => {
  for (const unit of ['sessions', 'minutes'] as const) {
    const limit = limits[unit];
    if (limit === null || used[unit] + add[unit] <= limit) continue;
    const ends = new Date(until).toISOString();
    const refusal = refuse('quota_exceeded', `${used[unit]} of ${limit} ${unit} are used until ${ends}`);
    return { ...refusal, retry_after: Math.max(1, Math.ceil((until - now) / 1_000)) };
  }
  return undefined;
};
