import { turnServer } from '../shared/turn.ts';
import type { Config, PeerOptions } from './config.ts';
import type { ConnectionId } from './domain/effect.ts';
import type { Pass } from './http/gate.ts';

/**
 * The `peerConnectionOptions` of one connection. Who was admitted with ICE servers gets those; others the configured
 * ones, and a TURN credential of their own when there is a secret (coturn `use-auth-secret`). `now` in epoch ms.
 */
export const peerConnectionOptions = (
  config: Config,
  { admission }: Pass,
  connection: ConnectionId,
  now: number,
): PeerOptions => {
  const { peer_options, turn_secret, options } = config;
  if (admission !== undefined) return { ...peer_options, iceServers: admission.ice_servers };
  if (options.turn_urls.length === 0) return peer_options;
  const turn = turnServer({
    urls: options.turn_urls,
    secret: turn_secret,
    user: connection,
    expires: now + options.turn_ttl * 1_000,
  });
  return { ...peer_options, iceServers: [...(peer_options.iceServers ?? []), turn] };
};
