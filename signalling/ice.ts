import { hasTurn } from '../shared/ice-server.ts';
import { turnServer } from '../shared/turn.ts';
import type { Config, PeerOptions } from './config.ts';
import type { ConnectionId } from './domain/effect.ts';
import type { Pass, Role } from './http/gate.ts';

/**
 * Streamers and SFUs are told their servers once, and no version of the protocol promises that a second `config` is heeded:
 * their credential must outlast every connection. As long as Epic's server gives them.
 */
const lasting_ms = 10 * 365 * 24 * 3_600_000;

/**
 * The `peerConnectionOptions` of one connection. Who was admitted with ICE servers gets those; others the configured ones,
 * TURN servers with a credential of that connection when there is a secret (coturn `use-auth-secret`). `now` in epoch ms.
 */
export const peerConnectionOptions = (
  { peer_options, turn_secret, options }: Config,
  role: Role,
  { admission }: Pass,
  connection: ConnectionId,
  now: number,
): PeerOptions => {
  if (admission !== undefined) return { ...peer_options, iceServers: admission.ice_servers };
  if (turn_secret === '') return peer_options;
  const { turn_urls, turn_ttl } = options;
  const expires = now + (role === 'player' ? turn_ttl * 1_000 : lasting_ms);
  const own = (urls: string[]) => turnServer({ urls, secret: turn_secret, user: connection, expires });
  const servers = (peer_options.iceServers ?? []).map((server) =>
    hasTurn(server) ? { ...server, ...own(server.urls) } : server,
  );
  return { ...peer_options, iceServers: turn_urls.length === 0 ? servers : [...servers, own(turn_urls)] };
};
