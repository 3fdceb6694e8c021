import { z } from 'zod';

/** A session's, participant's or user's id: what `Ids.id()` makes. */
export const idSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'up to 64 letters, digits, "_" and "-"');

/** The name of an app (rc_name) or a host (server_name): any language, no control characters, 1 to 100 characters. */
export const nameSchema = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(100, 'at most 100 characters')
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'must not hold control characters');

/** What a guest types: four digits by default; the length is the operator's to set. */
export const codeSchema = z.string().regex(/^\d{4,10}$/, '4 to 10 digits');

/** The language in which an app is to greet its visitor: "en", "ru", "pt-BR". */
export const languageSchema = z.string().regex(/^[a-z]{2}(-[A-Z]{2})?$/, 'like "en" or "pt-BR"');

/** A whole number that people also write as a string ("30"), as the user's own files do. */
export const wholeNumberSchema = (min: number, max: number) =>
  z
    .union([z.number(), z.string().regex(/^\d+$/, 'digits only')])
    .transform(Number)
    .pipe(z.number().int().min(min).max(max));
