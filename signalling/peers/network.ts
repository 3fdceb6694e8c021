import { peerBounds } from '../../shared/protocol/peers.ts';
import { forget, isExpired } from '../domain/peers/identity.ts';
import { leave } from '../domain/peers/membership.ts';
import { isNo, type No, type Peer, type Records } from '../domain/peers/outcome.ts';
import type { PeerStore } from './store.ts';

type May = (records: Records, me: Peer) => boolean;

/**
 * Takes a peer out of its channels one by one and then forgets it. Every step holds by itself: what a crash leaves over
 * is done by whoever tries next. Stops when `may` no longer allows it, because the peer has come back for example.
 */
const remove = async (store: PeerStore, name: string, reason: 'quit' | 'gone', may: May): Promise<void> => {
  const refs = { peers: [name], ...(reason === 'gone' ? { lease: name } : {}) };
  const refused: No = { no: 'no_such_peer' };
  let channel: string | undefined;
  for (let step = 0; step <= 2 * peerBounds.channels_per_peer; step++) {
    const at = channel;
    channel = undefined;
    const channels = at === undefined ? [] : [at];
    const outcome = await store.change({ ...refs, channels }, (records) => {
      const me = records.peers.get(name);
      if (me === undefined || !may(records, me)) return refused;
      channel = me.channels.find((each) => each !== at);
      if (at !== undefined && me.channels.includes(at)) return leave(records, me, at, reason);
      return channel === undefined ? forget(me) : { answer: { msg: 'ok', verb: 'quit' } };
    });
    if (isNo(outcome) || outcome.gone?.peer !== undefined) return;
  }
};

/** A peer's own wish, while that session speaks for it. */
export const quit = (store: PeerStore, name: string, session: string): Promise<void> =>
  remove(store, name, 'quit', (_, me) => me.session === session);

/** A peer whose lease has run out. */
export const expire = (store: PeerStore, name: string, now: number): Promise<void> =>
  remove(store, name, 'gone', (records) => isExpired(records, name, now));
