import { createHash } from 'node:crypto';
import { networkOf } from '../../shared/network.ts';
import type { Peer as Receiver, Wire } from '../../shared/socket.ts';
import { lease_ms } from '../domain/peers/outcome.ts';
import type { Metrics } from '../metrics.ts';
import { createConnection } from './connection.ts';
import { expire } from './network.ts';
import { createRates } from './rates.ts';
import type { Connection, PeerServices } from './services.ts';

/** How often leases are renewed and those that ran out are looked for. */
const tick_ms = 5_000;
/** Connections of this process, described or not. */
const peer_connections_max = 5_000;
/** Their pages and programs come back by themselves on this code, as after a restart of the server. */
const restart_code = 1012;

export interface PeerServer {
  connections(): number;
  /** Whether no further connection from that address may be opened. */
  full(address: string): boolean;
  /** A socket was opened; the answer takes what arrives on it. `count` is told what happens on it. */
  connect(wire: Wire, count: Metrics['count']): Receiver;
  /** Closes every connection and the store. Peers stay in the store for their lease. */
  stop(): void;
}

export interface PeerServerOptions
  extends Pick<PeerServices, 'store' | 'clock' | 'ids' | 'log' | 'rate' | 'quotas'> {
  broadcast_tokens: readonly string[];
}

/** Secrets of 256 bits, and tokens that people choose: stored as hashes, so that a look into Redis shows none. */
const seal = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

/**
 * Keeps the leases of the local peers and lets go of peers that did not return. After an interruption nobody is let go
 * before everybody has had the whole time to renew.
 */
const createCaretaker = ({ store, clock, log }: PeerServerOptions, local: Map<string, unknown>) => {
  let steady_since: number | undefined;
  let stopped = false;
  const keep = (names: string[]): Promise<void> => store.keep(names, clock.now() + lease_ms + tick_ms);

  /** A job that is not begun again before it has ended. */
  const oneAtATime = (run: () => Promise<void>) => {
    let busy = false;
    return async (): Promise<void> => {
      if (busy) return;
      busy = true;
      try {
        await run();
      } catch (error) {
        steady_since = undefined;
        if (!stopped) log.warn({ error }, 'cannot renew the leases of peers');
      }
      busy = false;
    };
  };
  const renew = oneAtATime(async () => {
    await keep([...local.keys()]);
    steady_since ??= clock.monotonic();
  });
  const isSteady = (): boolean =>
    !stopped && steady_since !== undefined && clock.monotonic() - steady_since >= lease_ms;
  /** Until none is due. It may take long, so leases are renewed meanwhile. */
  const sweep = oneAtATime(async () => {
    const tried = new Set<string>();
    while (isSteady()) {
      const due = (await store.expired(clock.now())).filter((name) => !tried.has(name));
      if (due.length === 0) return;
      for (const name of due) {
        tried.add(name);
        if (isSteady()) await expire(store, name, clock.now());
      }
    }
  });
  const cancel = clock.every(tick_ms, () => void renew().then(sweep));
  return {
    stop(): void {
      stopped = true;
      cancel();
    },
    left(name: string): void {
      keep([name]).catch((error: unknown) => log.warn({ error }, 'cannot renew the lease of a peer'));
    },
  };
};

/** The peer channels without their ports: sockets in, commands carried out in the store. */
export const createPeerServer = (options: PeerServerOptions): PeerServer => {
  const { store, clock, ids, log, rate, quotas, broadcast_tokens } = options;
  const local = new Map<string, Connection>();
  const wires = new Set<Wire>();
  /** Connections of each network. */
  const open = new Map<string, number>();
  const seals = broadcast_tokens.map(seal);
  const caretaker = createCaretaker(options, local);
  const unlisten = store.listen((peer) => {
    if (peer !== undefined) local.get(peer)?.wake();
    else for (const connection of local.values()) connection.wake();
  });
  const services: PeerServices = {
    ...{ store, clock, ids, log, rate, quotas, local, seal },
    rates: createRates(clock, quotas.rates),
    isBroadcastToken: (token) => seals.includes(seal(token)),
    left: caretaker.left,
  };
  return {
    connections: () => wires.size,
    full: (address) =>
      wires.size >= peer_connections_max || (open.get(networkOf(address)) ?? 0) >= quotas.names,
    connect(wire, count) {
      const network = networkOf(wire.remote);
      wires.add(wire);
      open.set(network, (open.get(network) ?? 0) + 1);
      count('signalling_connections_total', 'peer');
      const { frame, closed } = createConnection(wire, services, count);
      return {
        frame,
        closed(code, reason) {
          wires.delete(wire);
          const left = (open.get(network) ?? 1) - 1;
          if (left > 0) open.set(network, left);
          else open.delete(network);
          closed(code, reason);
        },
      };
    },
    stop() {
      caretaker.stop();
      unlisten();
      // Their leases have been renewed a moment ago; the store is closed before another could be.
      local.clear();
      for (const wire of [...wires]) wire.close(restart_code, 'The signalling server is stopping.');
      store.stop();
    },
  };
};
