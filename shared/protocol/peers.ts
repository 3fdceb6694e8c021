import { z } from 'zod';
import { isWord, word_characters } from '../name-text.ts';
import { strict } from './message.ts';

/**
 * The peer channels at `/peers`: peers describe themselves, meet in channels and pass each other messages of any content,
 * SDP and candidates for example. Each command may also be written as a line of text, `/join #channel token`. Whatever is
 * addressed to a peer goes through its mailbox and carries `seq`; answers to commands carry `id` when the command had one.
 */
export const PEERS_VERSION = 1;

/** How long each text may be, in characters, and how many entries each list may have. */
export const peerBounds = {
  name: word_characters,
  token: 256,
  text: 16_384,
  broadcast: 1_024,
  away: 256,
  channels_per_peer: 20,
  members: 100,
} as const;

/** The closed list of errors: the numbers, IRC's where IRC has the error, are stable; the text is for people. */
export const peerErrors = {
  internal: { number: 400, text: 'Something went wrong on the server.' },
  no_such_peer: { number: 401, text: 'There is no such peer here.' },
  no_such_channel: { number: 403, text: 'There is no such channel. Join with a token to create it.' },
  too_many_channels: { number: 405, text: 'You are in as many channels as a peer may be.' },
  which_channel: { number: 407, text: 'Name the channel: none fits, or several do.' },
  unknown_command: { number: 421, text: 'There is no such command.' },
  too_many_names: { number: 429, text: 'Too many new names from your network. Try again in a minute.' },
  name_taken: {
    number: 433,
    text: 'Another peer has this name, or one that looks the same. Show its secret if it is you.',
  },
  server_full: { number: 437, text: 'The server holds as many peers or channels as it may.' },
  network_full: {
    number: 438,
    text: 'Your network has as many peers or channels as it may. Leave some first.',
  },
  slow_down: { number: 439, text: 'Too much at once from your network. Wait a little and try again.' },
  not_member: { number: 442, text: 'You are not in this channel.' },
  not_described: { number: 451, text: 'Describe yourself first, with descp.' },
  malformed: { number: 461, text: 'The command is not valid. Compare it with the protocol page.' },
  already_described: { number: 462, text: 'You have described yourself already.' },
  channel_full: { number: 471, text: 'The channel has as many members as it may have.' },
  banned: { number: 474, text: 'This name is banned from the channel.' },
  wrong_token: { number: 475, text: 'The token is not the one of this channel.' },
  list_full: { number: 478, text: 'The channel has as many bans or invitations as it may have.' },
  forbidden: { number: 481, text: 'You have no permission to do this.' },
  not_operator: { number: 482, text: 'Only the operator of the channel may do this.' },
  unavailable: { number: 503, text: 'The store does not answer. Try again in a moment.' },
} as const;
export type PeerError = keyof typeof peerErrors;

const errorNames = Object.keys(peerErrors) as [PeerError, ...PeerError[]];

const hint = `up to ${peerBounds.name} letters, digits, emoji, "_", "-" and "."`;
/** The rule of all names, and one word; two spellings of one name (NFKC) are one name. */
const wordSchema = (mark: '' | '#') =>
  z
    .string()
    .max(256)
    .normalize('NFKC')
    .refine(
      (name) => name.startsWith(mark) && isWord(name.slice(mark.length)),
      `${mark && '"#" and '}${hint}`,
    );
const peerSchema = wordSchema('');
const channelSchema = wordSchema('#');
/** Half a surrogate pair becomes U+FFFD: not everything that reads JSON takes one. */
const wellFormed = (most: number) =>
  z
    .string()
    .max(most)
    .overwrite((text) => text.toWellFormed());
const tokenSchema = wellFormed(peerBounds.token).min(1);
const textSchema = wellFormed(peerBounds.text).min(1);
const seqSchema = z.number().int().min(0);

const correlation = { id: wellFormed(64).optional() };

/** What a peer may send. */
export const fromPeer = {
  /** `/descp name` or `/descp {"name":...}`: who the peer is. The first command, within 5 s. */
  descp: strict('verb', 'descp', {
    name: peerSchema,
    /** From the answer to an earlier descp: the peer returns, with its channels and rights. */
    secret: tokenSchema.optional(),
    /** The `seq` of the last event that arrived: later ones come again. Without it, those not yet handed to a socket. */
    after: seqSchema.optional(),
    /** The server's --peer_broadcast_token: permits broadcast. */
    broadcast_token: tokenSchema.optional(),
    ...correlation,
  }),
  /** `/join #channel token`: enters; creates the channel with that token if there is none. Who was invited needs no token. */
  join: strict('verb', 'join', { channel: channelSchema, token: tokenSchema.optional(), ...correlation }),
  /** `/quit #channel`: leaves it. `/quit`: leaves all and the server, which closes the connection. */
  quit: strict('verb', 'quit', { channel: channelSchema.optional(), ...correlation }),
  /** `/privmsg peer text` */
  privmsg: strict('verb', 'privmsg', { peer: peerSchema, text: textSchema, ...correlation }),
  /** `/pubmsg #channel text`: to the other members. */
  pubmsg: strict('verb', 'pubmsg', { channel: channelSchema, text: textSchema, ...correlation }),
  /** `/broadcast text`: to every other peer of the network. */
  broadcast: strict('verb', 'broadcast', {
    text: wellFormed(peerBounds.broadcast).min(1),
    ...correlation,
  }),
  /** `/whois peer` or `/whois #channel` */
  whois: strict('verb', 'whois', { target: z.union([peerSchema, channelSchema]), ...correlation }),
  /** `/peers #channel`: its members, for a member. */
  peers: strict('verb', 'peers', { channel: channelSchema, ...correlation }),
  /**
   * `/invite peer #channel`: any member may; the peer can then join without the token, once. `/invite peer`: to the only
   * channel where the inviter is.
   */
  invite: strict('verb', 'invite', { peer: peerSchema, channel: channelSchema.optional(), ...correlation }),
  /** `/away text`: whoever writes to the peer is told. `/away`: back again. */
  away: strict('verb', 'away', { text: wellFormed(peerBounds.away).min(1).optional(), ...correlation }),
  /**
   * `/kick peer #channel`: removes a member; for the operator. `/kick peer`: from the only channel where the peer is and
   * the sender is the operator.
   */
  kick: strict('verb', 'kick', { peer: peerSchema, channel: channelSchema.optional(), ...correlation }),
  /**
   * `/ban peer #channel`: removes it and keeps the name out until it is unbanned; for the operator. `/ban peer`: from the
   * only channel where the peer is and the sender is the operator.
   */
  ban: strict('verb', 'ban', { peer: peerSchema, channel: channelSchema.optional(), ...correlation }),
  /** `/unban peer #channel`; for the operator. */
  unban: strict('verb', 'unban', { peer: peerSchema, channel: channelSchema, ...correlation }),
  /** `/op peer #channel`: hands the operator's role to another member; for the operator. */
  op: strict('verb', 'op', { peer: peerSchema, channel: channelSchema, ...correlation }),
} as const;

const delivered = { seq: seqSchema };
const membersSchema = z.array(peerSchema).max(peerBounds.members);

/** What the server may send: answers, then events. */
export const toPeer = {
  /** Answers descp. */
  described: strict('msg', 'described', {
    name: peerSchema,
    /** Shown in a later descp within 60 s of a lost connection, it brings the peer back. Keep it. */
    secret: tokenSchema,
    /** Whether this is a return: the channels are those of before, and what was missed follows. */
    resumed: z.boolean(),
    channels: z.array(channelSchema).max(peerBounds.channels_per_peer),
    /** Missed events that were no longer kept. */
    lost: seqSchema,
    ...correlation,
  }),
  /** Answers join. */
  channel_joined: strict('msg', 'channel_joined', {
    channel: channelSchema,
    operator: peerSchema,
    peers: membersSchema,
    ...correlation,
  }),
  /** Answers peers. */
  channel_peers: strict('msg', 'channel_peers', {
    channel: channelSchema,
    operator: peerSchema,
    peers: membersSchema,
    ...correlation,
  }),
  /** Answers whois of a peer. */
  peer_info: strict('msg', 'peer_info', {
    peer: peerSchema,
    away: z.string().optional(),
    channels: z.array(channelSchema).max(peerBounds.channels_per_peer),
    ...correlation,
  }),
  /** Answers whois of a channel. */
  channel_info: strict('msg', 'channel_info', {
    channel: channelSchema,
    operator: peerSchema,
    /** How many. */
    members: z.number().int(),
    ...correlation,
  }),
  /** Answers every other command: it was done. */
  ok: strict('msg', 'ok', {
    verb: z.enum(Object.keys(fromPeer)),
    /** The text of an addressee that is away. */
    away: z.string().optional(),
    ...correlation,
  }),
  /** Answers a command that was not done. */
  error: strict('msg', 'error', {
    number: z.number().int(),
    error: z.enum(errorNames),
    text: z.string(),
    ...correlation,
  }),
  /** A message for this peer alone. */
  private: strict('msg', 'private', { from: peerSchema, text: textSchema, ...delivered }),
  /** A message to the channel. */
  public: strict('msg', 'public', {
    channel: channelSchema,
    from: peerSchema,
    text: textSchema,
    ...delivered,
  }),
  /** A message to everybody. */
  announced: strict('msg', 'announced', { from: peerSchema, text: textSchema, ...delivered }),
  invited: strict('msg', 'invited', { channel: channelSchema, from: peerSchema, ...delivered }),
  /** A peer entered the channel. */
  entered: strict('msg', 'entered', { channel: channelSchema, peer: peerSchema, ...delivered }),
  /** A peer is no longer in the channel; `gone` is a lost connection that did not return in time. */
  left: strict('msg', 'left', {
    channel: channelSchema,
    peer: peerSchema,
    reason: z.enum(['quit', 'gone', 'kicked', 'banned']),
    ...delivered,
  }),
  /** The channel has another operator: handed over, or the longest-standing member after the former one left. */
  operator: strict('msg', 'operator', { channel: channelSchema, peer: peerSchema, ...delivered }),
} as const;
