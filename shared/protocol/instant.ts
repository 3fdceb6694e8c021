import { z } from 'zod';

const dateTimeSchema = z.iso.datetime({ offset: true });

/**
 * Milliseconds since 1970 of a time as RFC 3339 writes it, or undefined for any other text. Its "t" and "z" may be small
 * (5.6), and a leap second (5.7) is the first moment after it, as no clock of ours shows one.
 */
export const instantOf = (text: string): number | undefined => {
  const large = text.toUpperCase();
  const plain = large.replace(/:60(?=[.Z+-])/, ':59');
  if (!dateTimeSchema.safeParse(plain).success) return undefined;
  return plain === large ? Date.parse(plain) : Math.floor(Date.parse(plain) / 1_000) * 1_000 + 1_000;
};

/** RFC 3339 has four digits for a year, and nothing of ours happened before 1970. */
const [first_ms, last_ms] = [0, Date.UTC(10_000, 0) - 1];

/** An instant (ms since 1970) as everybody is given it: RFC 3339 in UTC, with milliseconds. */
export const instantText = (ms: number): string =>
  new Date(Math.min(Math.max(ms, first_ms), last_ms)).toISOString();

/**
 * An instant in a body: on the wire a RFC 3339 time in UTC with milliseconds ("2026-12-01T10:00:00.000Z"), for who has
 * parsed it ms since 1970. A number of ms is read too: releases before wrote instants so.
 */
export const instantSchema = z
  .codec(z.unknown(), z.number(), {
    decode: (value, context) => {
      const ms = typeof value === 'string' ? instantOf(value) : value;
      if (typeof ms === 'number') return ms;
      context.issues.push({
        code: 'custom',
        input: value,
        message: 'a RFC 3339 time like 2026-11-21T09:00:00Z',
      });
      return z.NEVER;
    },
    encode: instantText,
  })
  .meta({ type: 'string', format: 'date-time' });
