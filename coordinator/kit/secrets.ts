import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256 of a secret: what is kept of keys, tokens and tickets. They are long and random, so no salt is needed. */
export const digest = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** The digest as text, to look a secret up by. */
export const hashOf = (secret: string): string => digest(secret).toString('base64url');

/** Compares in constant time. */
export const matches = (secret: string, right: Buffer): boolean => timingSafeEqual(digest(secret), right);

/** The secret of an "Authorization: Bearer ..." header. */
export const bearer = (authorization: string | null | undefined): string | undefined =>
  /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization ?? '')?.[1];
