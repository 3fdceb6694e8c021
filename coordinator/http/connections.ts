import { type Refusal, refuse } from '../../shared/errors.ts';
import type { Peer, Wire } from '../../shared/socket.ts';
import { bounds } from '../kit/limits.ts';
import type { Meters } from '../kit/meters.ts';

/** Who speaks on a socket. `stranger` calls itself an agent and shows the key of no host. */
export type Caller = 'client' | 'player' | 'agent' | 'stranger';

export type Connect = (wire: Wire) => Peer;

/** The sockets that are open, over all and by network. */
export interface Connections {
  /** Why one more of the kind may not be opened from that network, where each may have `most`; undefined when it may. */
  full(network: string, caller: Caller, most: number): Refusal | undefined;
  /** Counts the socket from its opening to its close. */
  counted(network: string, caller: Caller, connect: Connect): Connect;
}

/** What they share: visitors one with another, hosts one with another. */
const pools = { client: 'visitor', player: 'visitor', agent: 'host', stranger: 'stranger' } as const;

const { connections, connections_for_hosts, strange_links, strange_links_of_network } = bounds;

const most_of_pool = {
  visitor: connections - connections_for_hosts,
  host: connections,
  stranger: strange_links,
} as const;

export const createConnections = ({ sockets }: Pick<Meters, 'sockets'>): Connections => {
  const open = new Map<string, number>();
  const add = (key: string, by: number) => {
    const now = (open.get(key) ?? 0) + by;
    if (now === 0) open.delete(key);
    else open.set(key, now);
  };
  const count = (network: string, caller: Caller, by: number) => {
    const kind = caller === 'stranger' ? 'agent' : caller;
    sockets.set(kind, (sockets.get(kind) ?? 0) + by);
    for (const key of ['', pools[caller], `${pools[caller]} ${network}`]) add(key, by);
  };
  const number = (key: string): number => open.get(key) ?? 0;
  return {
    full(network, caller, most) {
      const pool = pools[caller];
      if (number('') >= connections || number(pool) >= most_of_pool[pool]) return refuse('too_busy');
      return number(`${pool} ${network}`) >= (pool === 'stranger' ? strange_links_of_network : most)
        ? refuse('too_many_messages', 'connections from this address')
        : undefined;
    },
    counted: (network, caller, connect) => (wire) => {
      count(network, caller, 1);
      const peer = connect(wire);
      return {
        frame: peer.frame,
        closed(code, reason) {
          count(network, caller, -1);
          peer.closed(code, reason);
        },
      };
    },
  };
};
