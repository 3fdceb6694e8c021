import type { No, Outcome, Peer, Records } from './outcome.ts';

/** A message for one peer. */
export const tell = (records: Records, me: Peer, peer: string, text: string): Outcome | No => {
  const addressee = records.peers.get(peer);
  if (addressee === undefined) return { no: 'no_such_peer', detail: peer };
  return {
    mail: [{ to: [peer], event: { msg: 'private', from: me.name, text } }],
    answer: {
      msg: 'ok',
      verb: 'privmsg',
      ...(addressee.away === undefined ? {} : { away: addressee.away }),
    },
  };
};

/** A message for the other members of a channel. */
export const tellChannel = (records: Records, me: Peer, name: string, text: string): Outcome | No => {
  const channel = records.channels.get(name);
  if (channel === undefined) return { no: 'no_such_channel', detail: name };
  if (!channel.members.includes(me.name)) return { no: 'not_member', detail: name };
  const to = channel.members.filter((member) => member !== me.name);
  return {
    mail: [{ to, event: { msg: 'public', channel: name, from: me.name, text } }],
    answer: { msg: 'ok', verb: 'pubmsg' },
  };
};

/** A message for everybody else. */
export const tellAll = (me: Peer, text: string): Outcome | No =>
  me.may_broadcast
    ? {
        mail: [{ everybody_but: me.name, event: { msg: 'announced', from: me.name, text } }],
        answer: { msg: 'ok', verb: 'broadcast' },
      }
    : { no: 'forbidden', detail: 'needs the broadcast_token' };

/** What anybody may know of a peer or a channel. */
export const whois = (records: Records, target: string): Outcome | No => {
  if (target.startsWith('#')) {
    const channel = records.channels.get(target);
    if (channel === undefined) return { no: 'no_such_channel', detail: target };
    const { operator, members } = channel;
    return { answer: { msg: 'channel_info', channel: target, operator, members: members.length } };
  }
  const peer = records.peers.get(target);
  if (peer === undefined) return { no: 'no_such_peer', detail: target };
  return {
    answer: {
      msg: 'peer_info',
      peer: target,
      channels: [...peer.channels],
      ...(peer.away === undefined ? {} : { away: peer.away }),
    },
  };
};

/** Who is in a channel, for those who are in it. */
export const listMembers = (records: Records, me: Peer, name: string): Outcome | No => {
  const channel = records.channels.get(name);
  if (channel === undefined) return { no: 'no_such_channel', detail: name };
  if (!channel.members.includes(me.name)) return { no: 'not_member', detail: name };
  const { operator, members } = channel;
  return { answer: { msg: 'channel_peers', channel: name, operator, peers: [...members] } };
};
