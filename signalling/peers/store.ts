import type { Cancel } from '../../shared/clock.ts';
import type { No, Outcome, Records } from '../domain/peers/outcome.ts';

/** The records that a decision needs, and may change. */
export interface Refs {
  peers: readonly string[];
  channels?: readonly string[];
  /** A peer whose lease must not be renewed in between. */
  lease?: string;
  /** Whose share of peers and channels the decision looks at. */
  network?: string;
}

export interface Inbox {
  /** Events as JSON, in order. */
  mail: { seq: number; text: string }[];
  /** How many before them are no longer kept. */
  lost: number;
  /** What they follow: `after`, or the last event that there was when that is beyond it. */
  had: number;
}

/**
 * Where peers, channels and mailboxes live. All processes on one store are one network. A store that cannot be reached
 * answers a change with "unavailable"; its other promises reject.
 */
export interface PeerStore {
  /**
   * Loads the records, lets `decide` look at them, and stores what it decides, all or nothing. `decide` is called again
   * when somebody else changed one of the records in between, so it must be pure.
   */
  change(refs: Refs, decide: (records: Records) => Outcome | No): Promise<Outcome | No>;
  /**
   * What came for a peer since `after`, or since what it had last; `after` is noted as had. Undefined when the session no
   * longer speaks for the peer.
   */
  inbox(peer: string, session: string, after: number | undefined): Promise<Inbox | undefined>;
  /** Renews the leases of those peers that there are, until that epoch ms. */
  keep(peers: readonly string[], until: number): Promise<void>;
  /** Some of the peers whose lease has run out. */
  expired(now: number): Promise<string[]>;
  /** Calls `wake` when something changed for a peer, or, without a name, perhaps for any of them. */
  listen(wake: (peer?: string) => void): Cancel;
  stop(): void;
}
