import type { MessageOf } from '../../../shared/protocol/message.ts';
import type { PeerError, toPeer } from '../../../shared/protocol/peers.ts';

/** A peer as it is stored. Its place in the channels is stored with them as well; both change together. */
export interface Peer {
  readonly name: string;
  /** From which it came when it was new; none in records of versions before. */
  readonly network?: string | undefined;
  /** Hash of the secret with which it returns. */
  readonly seal: string;
  /** Which connection speaks for it; an older one has no say any more. */
  readonly session: string;
  readonly channels: readonly string[];
  readonly may_broadcast: boolean;
  readonly away?: string | undefined;
}

export interface Channel {
  readonly name: string;
  /** That of the peer that made it. */
  readonly network?: string | undefined;
  /** Hash of the token. */
  readonly seal: string;
  readonly operator: string;
  /** In the order in which they entered. */
  readonly members: readonly string[];
  readonly banned: readonly string[];
  readonly invited: readonly string[];
}

/** What a decision sees: the records that it asked for, as far as they exist, and how many there are of each kind. */
export interface Records {
  readonly peers: ReadonlyMap<string, Peer>;
  readonly channels: ReadonlyMap<string, Channel>;
  /** Epoch ms until which each of the peers is kept without a sign of life. */
  readonly leases: ReadonlyMap<string, number>;
  readonly totals: { readonly peers: number; readonly channels: number };
  /** How many of those are of the network that was asked for. */
  readonly held: { readonly peers: number; readonly channels: number };
}

export type Answer = MessageOf<typeof toPeer>;
type Mailed = Exclude<Answer, { id?: string | undefined }>;
/** An event before it has its place in a mailbox. */
export type PeerEvent = Mailed extends infer E ? (E extends unknown ? Omit<E, 'seq'> : never) : never;

/** What goes into mailboxes. `everybody` is every peer but that one. */
export type Mail = { to: readonly string[]; event: PeerEvent } | { everybody_but: string; event: PeerEvent };

/** A decision: what to store and to deliver, all of it or nothing, and what the asker is told. */
export interface Outcome {
  readonly answer: Answer;
  readonly peers?: readonly Peer[];
  readonly channels?: readonly Channel[];
  readonly gone?: { readonly peer?: string; readonly channel?: string };
  readonly lease?: { readonly peer: string; readonly until: number };
  readonly mail?: readonly Mail[];
}

/** The other kind of decision: a number of the list, and what about it. */
export interface No {
  readonly no: PeerError;
  readonly detail?: string;
}

export const isNo = (decision: object): decision is No => 'no' in decision;

/** How many of each there may be in the whole network; further ones are refused. */
export const peer_limits = {
  peers: 5_000,
  channels: 2_000,
  bans: 100,
  invitations: 100,
  /** What a mailbox keeps; older mail is dropped. */
  mail: 200,
  mail_bytes: 128 * 1024,
} as const;

/** How long a peer that lost its connection is kept. */
export const lease_ms = 60_000;
