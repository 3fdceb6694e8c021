import { counted } from '../../shared/counted.ts';
import { type Refusal, refuse } from '../../shared/errors.ts';
import { zoneNamed } from '../../shared/zone.ts';

/** Half open: `to` is the first instant after it. Epoch ms. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

export const overlaps = (a: Period, b: Period): boolean => a.from < b.to && b.from < a.to;

/** For such a time quotas count. */
export const quotaPeriods = ['day', 'week', 'month'] as const;
export type QuotaPeriod = (typeof quotaPeriods)[number];

/** How many days such a period has at most. */
export const longestDays = (kind: QuotaPeriod): number => ({ day: 1, week: 7, month: 31 })[kind];

/** What a visitor's calendar and clock show: "2026-12-24", "18:30", "Europe/Berlin". */
export interface LocalTime {
  /** Year-month-day (ISO 8601). */
  readonly date: string;
  /** Hours and minutes, 24-hour clock. */
  readonly time: string;
  /** IANA name. */
  readonly zone: string;
  /** Which of the two, when the clock shows this time twice (the hour that is repeated in autumn). */
  readonly which?: 'earlier' | 'later';
}

/** "24/12/2026", as the user's verbs write it, for 2026-12-24. */
export const dayFirst = (date: string): string => date.split('-').reverse().join('/');

/** 2026-12-24 for a date as the user's verbs write it. */
export const isoDate = (day_first: string): string =>
  day_first
    .split('/')
    .reverse()
    .map((part) => part.padStart(2, '0'))
    .join('-');

const wallTime = ({ date, time }: LocalTime): Temporal.PlainDateTime | Refusal => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date))
    return refuse('malformed', 'the date is not year-month-day, such as 2026-12-24');
  if (!/^\d{1,2}:\d{2}$/.test(time))
    return refuse('malformed', 'the time is not hours:minutes, such as 18:30');
  try {
    return Temporal.PlainDateTime.from(`${date}T${time.padStart(5, '0')}`, { overflow: 'reject' });
  } catch {
    return refuse('malformed', `there is no ${date} ${time}`);
  }
};

const noZone = (text: string): Refusal =>
  refuse('malformed', `there is no time zone "${text.slice(0, 60)}"; one is called like Europe/Berlin`);

/**
 * The instant (epoch ms) at which the clock shows that. A time that the clock skips in spring is refused, one that it shows
 * twice in autumn is asked back, unless `which` says it.
 */
export const instantOf = (local: LocalTime): number | Refusal => {
  if (zoneNamed(local.zone) === undefined) return noZone(local.zone);
  const wall = wallTime(local);
  if ('refused' in wall) return wall;
  const earlier = wall.toZonedDateTime(local.zone, { disambiguation: 'earlier' });
  const later = wall.toZonedDateTime(local.zone, { disambiguation: 'later' });
  if (earlier.epochMilliseconds === later.epochMilliseconds) return earlier.epochMilliseconds;
  // In a gap neither of the two shows the time that was asked for.
  if (!earlier.toPlainDateTime().equals(wall)) return refuse('time_skipped');
  if (local.which === undefined) return refuse('time_ambiguous');
  return (local.which === 'earlier' ? earlier : later).epochMilliseconds;
};

/** What the clock of a zone shows at an instant (epoch ms); of UTC when it is no zone, as rows of old releases may say. */
export const localTimeOf = (instant: number, name: string): LocalTime => {
  const zone = zoneNamed(name) ?? 'UTC';
  const at = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone);
  const wall = at.toPlainDateTime();
  const date = wall.toPlainDate().toString();
  const time = wall.toPlainTime().toString({ smallestUnit: 'minute' });
  const earlier = wall.toZonedDateTime(zone, { disambiguation: 'earlier' });
  const later = wall.toZonedDateTime(zone, { disambiguation: 'later' });
  if (earlier.equals(later)) return { date, time, zone };
  return {
    date,
    time,
    zone,
    which: at.epochMilliseconds === earlier.epochMilliseconds ? 'earlier' : 'later',
  };
};

const dayOf = (date: string): Temporal.PlainDate | Refusal => {
  try {
    return Temporal.PlainDate.from(/^\d{4}-\d{2}-\d{2}$/.test(date) ? date : '', { overflow: 'reject' });
  } catch {
    return refuse('malformed', `"${date.slice(0, 20)}" is no date in year-month-day, such as 2026-12-24`);
  }
};

/** The time from the beginning of one local day to the end of another, both given as year-month-day; at most so many. */
export const daysOf = (from: string, to: string, zone: string, most: number): Period | Refusal => {
  if (zoneNamed(zone) === undefined) return noZone(zone);
  const [first, last] = [dayOf(from), dayOf(to)];
  if ('refused' in first) return first;
  if ('refused' in last) return last;
  const days = first.until(last).days + 1;
  if (days < 1 || days > most)
    return refuse('malformed', `from and to: 1 to ${counted(most, 'day')}, in order`);
  const begin = (day: Temporal.PlainDate) => day.toZonedDateTime(zone).epochMilliseconds;
  return { from: begin(first), to: begin(last.add({ days: 1 })) };
};
