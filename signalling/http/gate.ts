import { createHash, timingSafeEqual } from 'node:crypto';
import { type Admission, verifyAdmission } from '../../shared/admission.ts';
import { type Refusal, refuse } from '../../shared/errors.ts';
import { withoutFinalDot } from '../../shared/request-url.ts';
import type { Config } from '../config.ts';

export type Role = 'player' | 'streamer' | 'sfu';

/** What an upgrade request showed and was accepted with. */
export interface Pass {
  token?: string;
  admission?: Admission;
  /** The page says in its address that it is about to offer (pages of 5.0 to 5.4: `OfferToReceive`). */
  offers?: boolean;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whether the token is one of the list, in a time that does not depend on how much of it is right. */
const isOneOf = (token: string, tokens: readonly string[]): boolean => {
  const given = digest(token);
  return tokens.map((each) => timingSafeEqual(digest(each), given)).includes(true);
};

/** The query as it is meant: pages of 5.2 to 5.4 put `?OfferToReceive=true` behind a query that is there already. */
const queryOf = (request: Request): URLSearchParams =>
  new URLSearchParams(request.url.split('?').slice(1).join('&'));

const says = (query: URLSearchParams, name: string): boolean =>
  [...query].some(([key, value]) => key.toLowerCase() === name && value.toLowerCase() !== 'false');

/** `?token=...`, else `Authorization: Bearer ...`. */
const shownToken = (request: Request, query: URLSearchParams): string | undefined => {
  const inUrl = query.get('token');
  if (inUrl !== null && inUrl !== '') return inUrl;
  return /^Bearer (\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
};

/**
 * What Unreal sends: its WebSocket library (libwebsockets, in every engine from 4.27 to 5.8) gives the address that it dials,
 * without the port, for its origin. Of web pages only one that is served from port 80 of this very machine says the same.
 */
const engine_origins = ['http://127.0.0.1', 'http://localhost', 'http://[::1]', 'http://::1'];

const originAllowed = (request: Request, role: Role, { options }: Config): boolean => {
  const origin = request.headers.get('origin');
  // Programs that are no browsers send none, or could send any.
  if (origin === null) return true;
  if (options.refuse_pages) return role === 'streamer' && engine_origins.includes(origin);
  const { allowed_origins } = options;
  return allowed_origins.length === 0 || allowed_origins.includes(withoutFinalDot(origin));
};

/** Decides whether a request may become a WebSocket of that role. */
export const admit = (request: Request, role: Role, config: Config, now: number): Pass | Refusal => {
  if (!originAllowed(request, role, config)) return refuse('origin_refused');
  const query = queryOf(request);
  const token = shownToken(request, query);
  const pass: Pass = {
    ...(token === undefined ? {} : { token }),
    ...(says(query, 'offertoreceive') ? { offers: true } : {}),
  };
  const secret = role === 'player' ? config.admission_secret : undefined;
  const tokens = config.tokens[role];
  if (secret === undefined && tokens.length === 0) return pass;
  if (token === undefined) return refuse('unauthorized');
  const admission = secret === undefined ? undefined : verifyAdmission(token, secret, now);
  if (admission !== undefined) return { ...pass, admission };
  return isOneOf(token, tokens) ? pass : refuse('unauthorized');
};
