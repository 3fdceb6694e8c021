import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { attributes, errorOf, isSuccess, mixAddress, requests } from '../../shared/stun.ts';
import { openUdpStun } from '../../shared/stun-sockets.ts';
import { type Ask, allocateRelay as allocate, type Credential } from '../../shared/turn-client.ts';

/** What the server says: the relay's address, or an error code like 401. */
export type Allocated = { relayed: string } | { error: number };

/** The server may still be starting, on a machine that is busy. */
const patience_ms = 30_000;

/** Runs `talk` with one socket: what the server hands out is good for the address it was asked from. */
const withSocket = async <T>(port: number, talk: (ask: Ask) => Promise<T>): Promise<T> => {
  const socket = await openUdpStun({ clock: systemClock, ids: systemIds, patience_ms });
  try {
    return await talk(socket.askOf({ address: '127.0.0.1', port }));
  } finally {
    socket.close();
  }
};

/** Asks for a relay address, which stays taken until it expires. */
export const allocateRelay = (port: number, credential: Credential): Promise<Allocated> =>
  withSocket(port, async (ask) => {
    const relay = await allocate(ask, credential);
    if ('error' in relay) return { error: relay.error };
    return { relayed: `${relay.relayed.address}:${relay.relayed.port}` };
  });

/** Which of the peers (IPv4, or IPv6 with all eight groups) the relay would send to: 0, or the error by which it refuses. */
export const permitPeers = (
  port: number,
  credential: Credential,
  peers: readonly string[],
): Promise<Map<string, number>> =>
  withSocket(port, async (ask) => {
    const relay = await allocate(ask, credential);
    if ('error' in relay) throw new Error(`no relay: ${relay.error} ${relay.text}`);
    const found = new Map<string, number>();
    for (const address of peers) {
      const answer = await relay.ask(requests.create_permission, (transaction) => [
        [attributes.xor_peer_address, mixAddress({ address, port: 9 }, transaction)],
      ]);
      const permitted = isSuccess(answer, requests.create_permission);
      found.set(address, permitted ? 0 : (errorOf(answer)?.code ?? -1));
    }
    return found;
  });
