import { z } from 'zod';
import { lengthProblem, nameProblem, normaliseName } from '../name-text.ts';

/** A session's, participant's or user's id: what `Ids.id()` makes. */
export const idSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'up to 64 letters, digits, "_" and "-"');

/** A page's name for a channel to which it may come back: 128 bits that it drew. */
export const channelNameSchema = z.string().regex(/^[A-Za-z0-9_-]{22}$/);

const nameText = z.string().max(400, 'at most 100 characters').overwrite(normaliseName);

const checkedName = (problemOf: (name: string) => string | undefined) =>
  nameText.superRefine((name, context) => {
    const problem = problemOf(name);
    if (problem !== undefined) context.addIssue(problem);
  });

/**
 * The name that somebody gives: to an account, an app (rc_name), a host (server_name). Any language and emoji, 1 to 100
 * characters, kept in NFC and without blanks around it; nothing invisible beyond what a script or an emoji needs.
 */
export const nameSchema = checkedName(nameProblem);

/** The name of something that is there, in the same form: it may have been given under an older rule. */
export const namedSchema = checkedName(lengthProblem).regex(/^\P{Cc}*$/u, 'must not hold control characters');

/** What a guest types: four digits by default; the length is the operator's to set. */
export const codeSchema = z.string().regex(/^\d{4,10}$/, '4 to 10 digits');

/** The language in which an app is to greet its visitor: "en", "ru", "pt-BR". */
export const languageSchema = z.string().regex(/^[a-z]{2}(-[A-Z]{2})?$/, 'like "en" or "pt-BR"');

/** A whole number that people also write as a string ("30"), as the user's own files do. */
export const wholeNumberSchema = (min: number, max: number) =>
  z
    .union([z.number(), z.string().regex(/^\d+$/, 'digits only')], 'must be a whole number')
    .transform(Number)
    .pipe(z.number().int().min(min).max(max));
