import { randomBytes, randomInt } from 'node:crypto';

/** The only source of randomness in the programs. Tests pass their own. */
export interface Ids {
  /** A 128-bit name, URL-safe, 22 characters: sessions, users, incidents. */
  id(): string;
  /** A 256-bit secret, URL-safe, 43 characters: tickets and tokens. */
  secret(): string;
  /** A whole number in [0, below). */
  below(below: number): number;
}

export const systemIds: Ids = {
  id: () => randomBytes(16).toString('base64url'),
  secret: () => randomBytes(32).toString('base64url'),
  below: (below) => randomInt(below),
};
