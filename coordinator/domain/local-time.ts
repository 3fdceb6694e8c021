import { type Refusal, refuse } from '../../shared/errors.ts';
import type { Period } from './slots.ts';

/** What a visitor's calendar and clock show: "24/12/2026", "18:30", "Europe/Berlin". */
export interface LocalTime {
  /** Day/month/year, as the user's protocol writes it. */
  readonly date: string;
  /** Hours and minutes, 24-hour clock. */
  readonly time: string;
  /** IANA name. */
  readonly zone: string;
  /** Which of the two, when the clock shows this time twice (the hour that is repeated in autumn). */
  readonly which?: 'earlier' | 'later';
}

const numbers = (text: string, form: RegExp): number[] | undefined => form.exec(text)?.slice(1).map(Number);

const wallTime = ({ date, time }: LocalTime): Temporal.PlainDateTime | Refusal => {
  const [day, month, year] = numbers(date, /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/) ?? [];
  const [hour, minute] = numbers(time, /^(\d{1,2}):(\d{2})$/) ?? [];
  if (day === undefined || month === undefined || year === undefined)
    return refuse('malformed', 'the date is not day/month/year, such as 24/12/2026');
  if (hour === undefined || minute === undefined)
    return refuse('malformed', 'the time is not hours:minutes, such as 18:30');
  try {
    return Temporal.PlainDateTime.from({ year, month, day, hour, minute }, { overflow: 'reject' });
  } catch {
    return refuse('malformed', `there is no ${date} ${time}`);
  }
};

/** Whether the zone is one that this machine's tables know. */
export const isZone = (zone: string): boolean => {
  try {
    Temporal.Now.zonedDateTimeISO(zone);
    // An offset is no zone: it knows nothing of summer time.
    return !/^[+-]/.test(zone);
  } catch {
    return false;
  }
};

/**
 * The instant (epoch ms) at which the clock shows that. A time that the clock skips in spring is refused, one that it shows
 * twice in autumn is asked back, unless `which` says it.
 */
export const instantOf = (local: LocalTime): number | Refusal => {
  if (!isZone(local.zone)) return refuse('malformed', `there is no time zone "${local.zone.slice(0, 60)}"`);
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

const two = (number: number): string => String(number).padStart(2, '0');

/** What the clock of a zone shows at an instant (epoch ms). */
export const localTimeOf = (instant: number, zone: string): LocalTime => {
  const at = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone);
  const date = `${two(at.day)}/${two(at.month)}/${String(at.year).padStart(4, '0')}`;
  const time = `${two(at.hour)}:${two(at.minute)}`;
  const wall = at.toPlainDateTime();
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
    return refuse('malformed', `"${date.slice(0, 20)}" is no date, such as 2026-12-24`);
  }
};

/** The time from the beginning of one local day to the end of another, both given as year-month-day; at most so many. */
export const daysOf = (from: string, to: string, zone: string, most: number): Period | Refusal => {
  if (!isZone(zone)) return refuse('malformed', `there is no time zone "${zone.slice(0, 60)}"`);
  const [first, last] = [dayOf(from), dayOf(to)];
  if ('refused' in first) return first;
  if ('refused' in last) return last;
  const days = first.until(last).days + 1;
  if (days < 1 || days > most) return refuse('malformed', `from and to: 1 to ${most} days, in order`);
  const begin = (day: Temporal.PlainDate) => day.toZonedDateTime(zone).epochMilliseconds;
  return { from: begin(first), to: begin(last.add({ days: 1 })) };
};
