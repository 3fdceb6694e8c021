import { z } from 'zod';

/** Names that were found, as the database writes them: there are some six hundred. */
const found = new Set<string>();

/**
 * The time zone as the zone database writes its name; an alias stays one. Undefined when it knows none of that name. An
 * offset is no zone: it knows nothing of summer time.
 */
export const zoneNamed = (text: string): string | undefined => {
  if (found.has(text)) return text;
  // "+05:30" is left to nobody's guess, and neither is a date with an offset.
  if (!/^[a-z]/i.test(text)) return undefined;
  try {
    const name = new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
    found.add(name);
    return name;
  } catch {
    return undefined;
  }
};

/** A time zone by its name in the zone database, like "Europe/Berlin", in any case. */
export const zoneSchema = z
  .string()
  .max(64)
  .refine((text) => zoneNamed(text) !== undefined, 'no time zone has this name; one is "Europe/Berlin"')
  .overwrite((text) => zoneNamed(text) ?? text);
