import type { IceServer } from '../../shared/protocol/ice.ts';
import { turnServer } from '../../shared/turn.ts';
import type { Session } from '../domain/session.ts';
import type { Services } from './services.ts';

/** coturn looks at its own clock: what may be wrong between the two. */
const clock_difference_ms = 30_000;

/** The app is told once, at its start, and connects players as long as it runs. Its host is trusted with its key anyway. */
const app_ttl_ms = 24 * 3_600_000;

const servers = (services: Services, user: string, ttl_ms: number): IceServer[] => {
  const { ice_servers, turn } = services.store.configuration();
  const secret = services.store.secret('turn');
  if (turn === undefined || secret === undefined) return ice_servers;
  const expires = services.clock.now() + ttl_ms + clock_difference_ms;
  return [...ice_servers, turnServer({ urls: turn.urls, secret, user, expires })];
};

/** The ICE servers of one participant, with a TURN credential that is its own and expires. Not for logs. */
export const participantIce = (services: Services, { id }: Session, participant: string): IceServer[] =>
  servers(services, `${id}.${participant}`, (services.store.configuration().turn?.ttl_seconds ?? 0) * 1_000);

/** The same for the session's app, for its side of every participant's connection. */
export const appIce = (services: Services, { id }: Session): IceServer[] =>
  servers(services, `${id}.app`, app_ttl_ms);
