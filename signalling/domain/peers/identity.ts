import type { Answer, No, Outcome, Peer, Records } from './outcome.ts';
import { lease_ms, peer_limits } from './outcome.ts';

/** Who somebody says to be. Secrets are hashes here; `secret` is the one that a newcomer is given. */
export interface Claim {
  name: string;
  session: string;
  /** Of the secret that was shown. */
  shown_seal: string | undefined;
  shown_secret: string | undefined;
  /** For a newcomer. */
  secret: string;
  seal: string;
  may_broadcast: boolean;
  /** Whether its network may take one more name now, and how many it may hold. */
  may_enter: boolean;
  network: string;
  names_of_network: number;
}

const described = (peer: Peer, secret: string, resumed: boolean): Answer => ({
  msg: 'described',
  name: peer.name,
  secret,
  resumed,
  channels: [...peer.channels],
  lost: 0,
});

/** A newcomer with a free name, or a peer that shows its secret and takes its place over from any older connection. */
export const describe = (records: Records, claim: Claim, now: number): Outcome | No => {
  const { name, session, shown_seal, shown_secret, secret, seal, may_broadcast, may_enter, network } = claim;
  const lease = { peer: name, until: now + lease_ms };
  const known = records.peers.get(name);
  if (known === undefined) {
    if (!may_enter) return { no: 'too_many_names' };
    if (records.held.peers >= claim.names_of_network) return { no: 'network_full' };
    if (records.totals.peers >= peer_limits.peers) return { no: 'server_full' };
    const peer: Peer = { name, network, seal, session, channels: [], may_broadcast };
    return { peers: [peer], lease, answer: described(peer, secret, false) };
  }
  if (known.seal !== shown_seal || shown_secret === undefined) return { no: 'name_taken', detail: name };
  const peer: Peer = { ...known, session, may_broadcast: known.may_broadcast || may_broadcast };
  return { peers: [peer], lease, answer: described(peer, shown_secret, true) };
};

/** Says that a peer is away, with a text, or back. */
export const setAway = (me: Peer, text: string | undefined): Outcome => {
  const { away: _, ...back } = me;
  return {
    peers: [text === undefined ? back : { ...back, away: text }],
    answer: { msg: 'ok', verb: 'away' },
  };
};

/** Whether nobody has spoken for the peer until its lease ran out. */
export const isExpired = (records: Records, name: string, now: number): boolean =>
  (records.leases.get(name) ?? 0) <= now;

/** Forgets a peer that is in no channel any more. */
export const forget = (me: Peer): Outcome | No =>
  me.channels.length > 0
    ? { no: 'unavailable' }
    : { gone: { peer: me.name }, answer: { msg: 'ok', verb: 'quit' } };
