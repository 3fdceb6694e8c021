import type { IceServer } from '../../shared/protocol/ice.ts';
import { turnServer } from '../../shared/turn.ts';
import { hashOf } from '../kit/secrets.ts';
import type { Services } from '../kit/services.ts';
import type { Session } from './rules-session.ts';

/** coturn looks at its own clock: what may be wrong between the two. */
const clock_difference_ms = 30_000;

/** As long as a doctor may take, and then some. */
const check_ms = 120_000;

const servers = (services: Services, user: string, until: number): IceServer[] => {
  const { ice_servers, turn } = services.store.configuration();
  const secret = services.store.secret('turn');
  if (turn === undefined || secret === undefined) return ice_servers;
  const expires = until + clock_difference_ms;
  return [...ice_servers, turnServer({ urls: turn.urls, secret, user, expires })];
};

/** The ICE servers of one participant, with a TURN credential that is its own and expires. Not for logs. */
export const participantIce = (
  services: Services,
  { id, longest_end }: Session,
  participant: string,
): IceServer[] => {
  const ttl_ms = (services.store.configuration().turn?.ttl_seconds ?? 0) * 1_000;
  return servers(services, `${id}.${participant}`, Math.min(services.clock.now() + ttl_ms, longest_end));
};

/**
 * The same for the session's app, for its side of every participant's connection. It is told once, at its start, so its
 * credential lasts as long as the session may.
 */
export const appIce = (services: Services, { id, longest_end }: Session): IceServer[] =>
  servers(services, `${id}.app`, longest_end);

/** What an app on the host would be given, for its doctor to try. A host's name may hold what a TURN user's may not. */
export const hostIce = (services: Services, host: string): IceServer[] =>
  servers(services, `host.${hashOf(host).slice(0, 16)}`, services.clock.now() + check_ms);
