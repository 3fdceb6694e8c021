import type { Clock } from '../../shared/clock.ts';
import type { Ids } from '../../shared/ids.ts';
import type { Log } from '../../shared/log.ts';
import type { Peer as Receiver } from '../../shared/socket.ts';
import type { PeerQuotas, PeerRate } from './quotas.ts';
import type { Rates } from './rates.ts';
import type { PeerStore } from './store.ts';

/** One socket of a peer. `wake` makes it look into its mailbox; `supersede` ends it for another one. */
export interface Connection extends Receiver {
  wake(): void;
  supersede(): void;
}

/** What the connections of one process share. */
export interface PeerServices {
  store: PeerStore;
  clock: Clock;
  ids: Ids;
  log: Log;
  /** Commands of one connection. */
  rate: { per_second: number; burst: number };
  /** What one network may do. */
  quotas: PeerQuotas;
  rates: Rates<PeerRate>;
  /** The described peers of this process. */
  local: Map<string, Connection>;
  /** The hash under which a secret is stored. */
  seal(secret: string): string;
  isBroadcastToken(token: string): boolean;
  /** A described peer has lost its connection. */
  left(peer: string): void;
}
