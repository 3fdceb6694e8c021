import { type Channel, isNo, type Outcome, type Peer, peer_limits } from '../domain/peers/outcome.ts';
import type { Inbox, PeerStore } from './store.ts';

interface Mailbox {
  mail: Inbox['mail'];
  bytes: number;
  /** The newest, and the one that the peer had last. */
  last: number;
  had: number;
}

const expired_batch = 100;

const deliver = (box: Mailbox, text: string): void => {
  box.last += 1;
  box.mail.push({ seq: box.last, text });
  box.bytes += Buffer.byteLength(text);
  while (box.mail.length > 1 && (box.mail.length > peer_limits.mail || box.bytes > peer_limits.mail_bytes)) {
    box.bytes -= Buffer.byteLength(box.mail.shift()?.text ?? '');
  }
};

const picked = <T>(from: ReadonlyMap<string, T>, names: readonly string[]): Map<string, T> =>
  new Map(
    names.flatMap((name): [string, T][] => {
      const found = from.get(name);
      return found === undefined ? [] : [[name, found]];
    }),
  );

/** A network of this process alone; it ends with it. */
export const createMemoryStore = (): PeerStore => {
  const peers = new Map<string, Peer>();
  const held = { peers: new Map<string, number>(), channels: new Map<string, number>() };
  const count = (
    kind: keyof typeof held,
    { network }: { network?: string | undefined },
    by: number,
  ): void => {
    if (network === undefined) return;
    const now = (held[kind].get(network) ?? 0) + by;
    if (now > 0) held[kind].set(network, now);
    else held[kind].delete(network);
  };
  const channels = new Map<string, Channel>();
  const leases = new Map<string, number>();
  const boxes = new Map<string, Mailbox>();
  const listeners = new Set<(peer?: string) => void>();
  const wake = (peer?: string): void => {
    for (const listener of listeners) listener(peer);
  };

  const post = ({ mail = [] }: Outcome): string[] =>
    mail.flatMap((each) => {
      const to = 'to' in each ? each.to : [...peers.keys()].filter((name) => name !== each.everybody_but);
      const text = JSON.stringify(each.event);
      return to.filter((name) => {
        const box = boxes.get(name);
        if (box !== undefined) deliver(box, text);
        return box !== undefined;
      });
    });

  const store = (outcome: Outcome): void => {
    for (const peer of outcome.peers ?? []) {
      if (!peers.has(peer.name)) count('peers', peer, 1);
      peers.set(peer.name, peer);
      if (!boxes.has(peer.name)) boxes.set(peer.name, { mail: [], bytes: 0, last: 0, had: 0 });
    }
    for (const channel of outcome.channels ?? []) {
      if (!channels.has(channel.name)) count('channels', channel, 1);
      channels.set(channel.name, channel);
    }
    const { gone = {}, lease } = outcome;
    if (gone.channel !== undefined) {
      count('channels', channels.get(gone.channel) ?? {}, -1);
      channels.delete(gone.channel);
    }
    if (gone.peer !== undefined) {
      count('peers', peers.get(gone.peer) ?? {}, -1);
      for (const kept of [peers, leases, boxes]) kept.delete(gone.peer);
    }
    if (lease !== undefined) leases.set(lease.peer, lease.until);
    const woken = new Set([...(outcome.peers ?? []).map(({ name }) => name), ...post(outcome)]);
    if (gone.peer !== undefined) woken.add(gone.peer);
    for (const name of woken) wake(name);
  };

  return {
    async change(refs, decide) {
      const decision = decide({
        peers: picked(peers, refs.peers),
        channels: picked(channels, refs.channels ?? []),
        leases: picked(leases, refs.lease === undefined ? [] : [refs.lease]),
        totals: { peers: peers.size, channels: channels.size },
        held: {
          peers: held.peers.get(refs.network ?? '') ?? 0,
          channels: held.channels.get(refs.network ?? '') ?? 0,
        },
      });
      if (!isNo(decision)) store(decision);
      return decision;
    },
    async inbox(peer, session, after) {
      const box = boxes.get(peer);
      if (box === undefined || peers.get(peer)?.session !== session) return undefined;
      box.had = Math.min(after ?? box.had, box.last);
      const mail = box.mail.filter(({ seq }) => seq > box.had);
      return { mail, lost: (mail[0]?.seq ?? box.last + 1) - box.had - 1, had: box.had };
    },
    async keep(names, until) {
      for (const name of names) if (peers.has(name)) leases.set(name, until);
    },
    expired: async (now) =>
      [...leases].flatMap(([name, until]) => (until <= now ? [name] : [])).slice(0, expired_batch),
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop: () => listeners.clear(),
  };
};
