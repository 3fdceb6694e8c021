import { lookAlike } from '../../../shared/look-alike.ts';
import { peerBounds } from '../../../shared/protocol/peers.ts';
import type { Channel, Mail, No, Outcome, Peer, Records } from './outcome.ts';
import { peer_limits } from './outcome.ts';

const except = (names: readonly string[], name: string): string[] => names.filter((each) => each !== name);

const joined = ({ name, operator, members }: Channel): Outcome['answer'] => ({
  msg: 'channel_joined',
  channel: name,
  operator,
  peers: [...members],
});

/** What a peer comes with. */
export interface Entry {
  /** The hash of the token that was shown. */
  readonly seal: string | undefined;
  /** How many channels the peers of its network may have made. */
  readonly channels_of_network: number;
}

const create = (
  { totals, held }: Records,
  me: Peer,
  name: string,
  { seal, channels_of_network }: Entry,
): Outcome | No => {
  if (held.channels >= channels_of_network) return { no: 'network_full' };
  if (totals.channels >= peer_limits.channels) return { no: 'server_full' };
  const channel: Channel = {
    name,
    network: me.network,
    seal: seal ?? '',
    operator: me.name,
    members: [me.name],
    banned: [],
    invited: [],
  };
  return {
    channels: [channel],
    peers: [{ ...me, channels: [...me.channels, name] }],
    answer: joined(channel),
  };
};

/** Enters the channel. */
export const join = (records: Records, me: Peer, name: string, entry: Entry): Outcome | No => {
  const { seal } = entry;
  const found = records.channels.get(name);
  if (found?.members.includes(me.name)) return { answer: joined(found) };
  if (found === undefined && seal === undefined) return { no: 'no_such_channel', detail: name };
  if (me.channels.length >= peerBounds.channels_per_peer) return { no: 'too_many_channels' };
  if (found === undefined) return create(records, me, name, entry);
  // Who is kept out does not come in by another case or script, and nobody passes for a member.
  if (lookAlike(me.name, found.banned) !== undefined) return { no: 'banned', detail: name };
  if (seal !== found.seal && !found.invited.includes(me.name)) return { no: 'wrong_token', detail: name };
  if (found.members.length >= peerBounds.members) return { no: 'channel_full', detail: name };
  const double = lookAlike(me.name, found.members);
  if (double !== undefined) return { no: 'name_taken', detail: `${me.name} looks like ${double}` };
  const channel: Channel = {
    ...found,
    members: [...found.members, me.name],
    invited: except(found.invited, me.name),
  };
  return {
    channels: [channel],
    peers: [{ ...me, channels: [...me.channels, name] }],
    mail: [{ to: found.members, event: { msg: 'entered', channel: name, peer: me.name } }],
    answer: joined(channel),
  };
};

type Reason = 'quit' | 'gone' | 'kicked' | 'banned';

/** What remains of a channel without one of its members: nothing, or a channel that has an operator. */
const withdraw = (
  channel: Channel,
  peer: string,
  reason: Reason,
): Pick<Outcome, 'channels' | 'gone' | 'mail'> => {
  const members = except(channel.members, peer);
  const [eldest] = members;
  if (eldest === undefined) return { gone: { channel: channel.name } };
  const operator = channel.operator === peer ? eldest : channel.operator;
  const told = reason === 'kicked' || reason === 'banned' ? channel.members : members;
  const left: Mail = { to: told, event: { msg: 'left', channel: channel.name, peer, reason } };
  const crowned: Mail = {
    to: members,
    event: { msg: 'operator', channel: channel.name, peer: operator },
  };
  return {
    channels: [{ ...channel, members, operator }],
    mail: operator === channel.operator ? [left] : [left, crowned],
  };
};

/** Leaves a channel, by its own will or because it is gone. */
export const leave = (records: Records, me: Peer, name: string, reason: 'quit' | 'gone'): Outcome | No => {
  const channel = records.channels.get(name);
  if (!me.channels.includes(name))
    return { no: channel === undefined ? 'no_such_channel' : 'not_member', detail: name };
  return {
    ...(channel?.members.includes(me.name) ? withdraw(channel, me.name, reason) : {}),
    peers: [{ ...me, channels: except(me.channels, name) }],
    answer: { msg: 'ok', verb: 'quit' },
  };
};

/** The channel that is meant: the named one, else the only one of `me` that fits. */
const meant = (
  records: Records,
  me: Peer,
  named: string | undefined,
  fits: (channel: Channel) => boolean,
): string | No => {
  if (named !== undefined) return named;
  const fitting = me.channels.filter((name) => {
    const channel = records.channels.get(name);
    return channel?.members.includes(me.name) === true && fits(channel);
  });
  const [only, ...others] = fitting;
  if (only !== undefined && others.length === 0) return only;
  return { no: 'which_channel', ...(only === undefined ? {} : { detail: fitting.join(', ') }) };
};

/** The channel, if `me` may rule there. */
const ruled = (records: Records, me: Peer, name: string): Channel | No => {
  const channel = records.channels.get(name);
  if (channel === undefined) return { no: 'no_such_channel', detail: name };
  if (!channel.members.includes(me.name)) return { no: 'not_member', detail: name };
  return channel.operator === me.name ? channel : { no: 'not_operator', detail: name };
};

const expel = (records: Records, channel: Channel, peer: string, reason: 'kicked' | 'banned') => {
  const expelled = records.peers.get(peer);
  return {
    ...withdraw(channel, peer, reason),
    ...(expelled === undefined
      ? {}
      : { peers: [{ ...expelled, channels: except(expelled.channels, channel.name) }] }),
  };
};

/** The channel from which `me` may expel the peer: the named one, or the only one where both are. */
const ruledWith = (records: Records, me: Peer, peer: string, named: string | undefined): Channel | No => {
  if (named === undefined && peer === me.name) return { no: 'malformed', detail: 'use quit' };
  const name = meant(
    records,
    me,
    named,
    ({ operator, members }) => operator === me.name && members.includes(peer),
  );
  if (typeof name !== 'string') return name;
  const channel = ruled(records, me, name);
  return 'no' in channel || peer !== me.name ? channel : { no: 'malformed', detail: 'use quit' };
};

/** Removes a member; it may come back with the token. */
export const kick = (records: Records, me: Peer, peer: string, named: string | undefined): Outcome | No => {
  const channel = ruledWith(records, me, peer, named);
  if ('no' in channel) return channel;
  if (!channel.members.includes(peer)) return { no: 'no_such_peer', detail: peer };
  return { ...expel(records, channel, peer, 'kicked'), answer: { msg: 'ok', verb: 'kick' } };
};

/** Removes a member, if it is one, and keeps its name out. */
export const ban = (records: Records, me: Peer, peer: string, named: string | undefined): Outcome | No => {
  const found = ruledWith(records, me, peer, named);
  if ('no' in found) return found;
  const answer = { msg: 'ok', verb: 'ban' } as const;
  if (found.banned.includes(peer)) return { answer };
  if (found.banned.length >= peer_limits.bans) return { no: 'list_full', detail: found.name };
  const channel: Channel = {
    ...found,
    banned: [...found.banned, peer],
    invited: except(found.invited, peer),
  };
  if (!channel.members.includes(peer)) return { channels: [channel], answer };
  return { ...expel(records, channel, peer, 'banned'), answer };
};

/** Lets a name in again. */
export const unban = (records: Records, me: Peer, peer: string, name: string): Outcome | No => {
  const channel = ruled(records, me, name);
  if ('no' in channel) return channel;
  if (!channel.banned.includes(peer)) return { no: 'no_such_peer', detail: peer };
  return {
    channels: [{ ...channel, banned: except(channel.banned, peer) }],
    answer: { msg: 'ok', verb: 'unban' },
  };
};

/** Hands the operator's role to another member. */
export const handOver = (records: Records, me: Peer, peer: string, name: string): Outcome | No => {
  const channel = ruled(records, me, name);
  if ('no' in channel) return channel;
  if (!channel.members.includes(peer)) return { no: 'no_such_peer', detail: peer };
  const answer = { msg: 'ok', verb: 'op' } as const;
  if (peer === me.name) return { answer };
  return {
    channels: [{ ...channel, operator: peer }],
    mail: [{ to: channel.members, event: { msg: 'operator', channel: name, peer } }],
    answer,
  };
};

/** Tells a peer about a channel, and lets it in once without the token. */
export const invite = (records: Records, me: Peer, peer: string, named: string | undefined): Outcome | No => {
  const name = meant(records, me, named, () => true);
  if (typeof name !== 'string') return name;
  const channel = records.channels.get(name);
  if (channel === undefined) return { no: 'no_such_channel', detail: name };
  if (!channel.members.includes(me.name)) return { no: 'not_member', detail: name };
  const guest = records.peers.get(peer);
  if (guest === undefined) return { no: 'no_such_peer', detail: peer };
  if (channel.banned.includes(peer)) return { no: 'banned', detail: peer };
  const known = channel.invited.includes(peer) || channel.members.includes(peer);
  if (!known && channel.invited.length >= peer_limits.invitations) return { no: 'list_full', detail: name };
  return {
    ...(known ? {} : { channels: [{ ...channel, invited: [...channel.invited, peer] }] }),
    mail: [{ to: [peer], event: { msg: 'invited', channel: name, from: me.name } }],
    answer: { msg: 'ok', verb: 'invite', ...(guest.away === undefined ? {} : { away: guest.away }) },
  };
};
