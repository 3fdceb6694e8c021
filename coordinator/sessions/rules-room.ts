import { type Refusal, refuse } from '../../shared/errors.ts';
import { wideNetworkOf } from '../../shared/network.ts';
import { bounds } from '../kit/limits.ts';
import type { Participant } from './rules-participants.ts';

/** Whether both are of one network, or of one /48. */
const near = (a: string | null, b: string | null): boolean =>
  a !== null && b !== null && wideNetworkOf(a) === wideNetworkOf(b);

/**
 * Why a newcomer may not come in beside those who are present, if it may not. A part of the room is kept for the invited, and one
 * network has few who came by code and have not answered the stream yet.
 */
export const roomFor = (
  present: readonly Participant[],
  { invited, network }: Pick<Participant, 'invited' | 'network'>,
  most: number,
): Refusal | undefined => {
  if (present.length >= most) return refuse('session_full');
  if (invited) return undefined;
  const strangers = present.filter((one) => !one.invited);
  const kept = Math.ceil(most * bounds.room_for_invited);
  if (strangers.length + 1 > most - kept) return refuse('session_full', 'what is left is for invited guests');
  const silent = strangers.filter((one) => !one.came && near(one.network, network));
  return silent.length >= bounds.joins_of_network
    ? refuse('session_full', 'others of this network are still connecting')
    : undefined;
};

/** Why one more may not wait in the lobby, if it may not. */
export const roomInLobby = (waiting: readonly Participant[], network: string | null): Refusal | undefined => {
  if (waiting.length >= bounds.knocks_of_session) return refuse('session_full', 'too many wait already');
  return waiting.filter((one) => near(one.network, network)).length >= bounds.knocks_of_network
    ? refuse('session_full', 'others of this network wait already')
    : undefined;
};
