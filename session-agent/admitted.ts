import { type Admission, signAdmission } from '../shared/admission.ts';
import type { Birth } from './birth.ts';

/** An admission token opens one connection at once; it need not live longer. */
const ADMISSION_MS = 30_000;

/** What the agent vouches for; until when is decided when the URL is made. */
export type Admitted = Omit<Admission, 'expires'>;

/** The agent itself, which looks and tells. */
export const observer: Admitted = { participant: 'observer', ice_servers: [], view_only: true };

/**
 * Where this player connects, `now` in epoch ms. Another signalling server than ours knows no admissions: no ICE servers of one
 * participant, nobody only watches, and nobody is kept.
 */
export const admittedUrl = (
  { app, secret }: Pick<Birth, 'app' | 'secret'>,
  port: string,
  admission: Admitted,
  now: number,
): string => {
  const url = `ws://127.0.0.1:${port}/`;
  if (app.signalling !== undefined) return url;
  return `${url}?token=${signAdmission({ ...admission, expires: now + ADMISSION_MS }, secret)}`;
};
