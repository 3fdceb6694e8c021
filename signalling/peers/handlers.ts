import type { Handlers } from '../../shared/protocol/message.ts';
import type { fromPeer } from '../../shared/protocol/peers.ts';
import { setAway } from '../domain/peers/identity.ts';
import { ban, type Entry, handOver, invite, join, kick, leave, unban } from '../domain/peers/membership.ts';
import type { No, Outcome, Peer, Records } from '../domain/peers/outcome.ts';
import { listMembers, tell, tellAll, tellChannel, whois } from '../domain/peers/talk.ts';

/** What the decision on a command needs beyond the peer itself. */
interface Needs {
  peers?: readonly string[];
  /** `own` are all those where the peer itself is. */
  channels?: readonly string[] | 'own';
  /** What takes from its network's share of joins: with a token, without one, or nothing. */
  enters?: 'with_token' | 'invited';
}

/** The named channel, else those that may be meant. */
const namedOrOwn = (channel: string | undefined): readonly string[] | 'own' =>
  channel === undefined ? 'own' : [channel];

/** What every handler works with: the connection of one peer. */
export interface Speaker {
  /** Decides with the peer's own record and those asked for, and answers with the `id` of the command repeated. */
  perform(
    command: { verb: string; id?: string | undefined },
    needs: Needs,
    decide: (records: Records, me: Peer) => Outcome | No,
  ): Promise<void>;
  describe(message: (typeof fromPeer)['descp']['_output']): Promise<void>;
  /** Leaves everything and closes. */
  depart(): Promise<void>;
  /** With the token, if one was shown, which is kept as a hash only. */
  entry(token: string | undefined): Entry;
}

/** One row for each command. */
export const peerHandlers: Handlers<typeof fromPeer, Speaker> = {
  descp: (message, speaker) => speaker.describe(message),
  join: ({ channel, token, ...command }, { perform, entry }) => {
    const shown = entry(token);
    const enters = token === undefined ? 'invited' : 'with_token';
    return perform(command, { channels: [channel], enters }, (records, me) =>
      join(records, me, channel, shown),
    );
  },
  quit: ({ channel, ...command }, { perform, depart }) =>
    channel === undefined
      ? depart()
      : perform(command, { channels: [channel] }, (records, me) => leave(records, me, channel, 'quit')),
  privmsg: ({ peer, text, ...command }, { perform }) =>
    perform(command, { peers: [peer] }, (records, me) => tell(records, me, peer, text)),
  pubmsg: ({ channel, text, ...command }, { perform }) =>
    perform(command, { channels: [channel] }, (records, me) => tellChannel(records, me, channel, text)),
  broadcast: ({ text, ...command }, { perform }) => perform(command, {}, (_, me) => tellAll(me, text)),
  whois: ({ target, ...command }, { perform }) =>
    perform(command, target.startsWith('#') ? { channels: [target] } : { peers: [target] }, (records) =>
      whois(records, target),
    ),
  peers: ({ channel, ...command }, { perform }) =>
    perform(command, { channels: [channel] }, (records, me) => listMembers(records, me, channel)),
  invite: ({ peer, channel, ...command }, { perform }) =>
    perform(command, { peers: [peer], channels: namedOrOwn(channel) }, (records, me) =>
      invite(records, me, peer, channel),
    ),
  away: ({ text, ...command }, { perform }) => perform(command, {}, (_, me) => setAway(me, text)),
  kick: ({ peer, channel, ...command }, { perform }) =>
    perform(command, { peers: [peer], channels: namedOrOwn(channel) }, (records, me) =>
      kick(records, me, peer, channel),
    ),
  ban: ({ peer, channel, ...command }, { perform }) =>
    perform(command, { peers: [peer], channels: namedOrOwn(channel) }, (records, me) =>
      ban(records, me, peer, channel),
    ),
  unban: ({ peer, channel, ...command }, { perform }) =>
    perform(command, { channels: [channel] }, (records, me) => unban(records, me, peer, channel)),
  op: ({ peer, channel, ...command }, { perform }) =>
    perform(command, { channels: [channel] }, (records, me) => handOver(records, me, peer, channel)),
};
