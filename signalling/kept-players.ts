import type { Admission } from '../shared/admission.ts';
import { ChannelEnd, type Leg } from '../shared/channel-end.ts';
import type { Clock } from '../shared/clock.ts';
import { errors } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { Negotiation } from '../shared/negotiation.ts';
import { PLAYER_ANSWERED } from '../shared/protocol/player-channel.ts';
import type { Frame, Peer, Wire } from '../shared/socket.ts';
import type { Pass } from './http/gate.ts';
import type { Options } from './options.ts';

/** Kept players of one participant; beyond it the one that has waited longest for its page is ended. */
const players_per_participant = 8;

/** What a connection was let in with. `remote` is its address as seen through proxies. */
export interface Arrival extends Pass {
  remote: string;
}

/** Who may come back: the session agent has admitted it under the name that its page chose. */
interface ResumableArrival extends Arrival {
  admission: Admission & { resumable: string };
}

export const isResumable = (arrival: Arrival): arrival is ResumableArrival =>
  arrival.admission?.resumable !== undefined;

interface Kept {
  readonly admission: Admission;
  readonly end: ChannelEnd;
  readonly negotiation: Negotiation;
  /** The player as the server knows it, once its page has begun the channel. */
  peer: Peer | undefined;
  /** The socket that has not been told of the answer. */
  untold: Wire | undefined;
  /** What its sockets are closed with once it is over. */
  code: number;
}

export interface KeptPlayers {
  /** A socket of such a player, its first or a later one. */
  connect(arrival: ResumableArrival, wire: Wire): Peer;
  /** Ends the players of a participant that was sent away. */
  dismiss(participant: string): void;
  stop(code: number, reason: string): void;
}

const textOf = (frame: Frame): string => (typeof frame === 'string' ? frame : Buffer.from(frame).toString());

const tellAnswered = (kept: Kept): void => {
  const { untold, negotiation, end } = kept;
  if (untold === undefined || !negotiation.over || !end.attached) return;
  kept.untold = undefined;
  untold.send(PLAYER_ANSWERED);
};

/**
 * Players that outlive their sockets, so that a streamer notices nothing when the agent in between dies, is updated, or loses its
 * link. Page and player number what they say to each other; what is said while no socket is there waits, within a bound.
 */
export const createKeptPlayers = (
  { player_grace_seconds }: Pick<Options, 'player_grace_seconds'>,
  enter: (arrival: Arrival, wire: Wire) => Peer,
  clock: Clock,
  log: Log,
): KeptPlayers => {
  const all = new Map<string, Kept>();

  /** Whoever does not know yet is told. */
  const finish = (key: string, kept: Kept, code: number, reason: string): void => {
    if (all.get(key) !== kept) return;
    all.delete(key);
    kept.code = code;
    kept.end.end(code, reason);
    kept.peer?.closed(code, reason);
  };
  const lose = (key: string, kept: Kept): void =>
    finish(key, kept, errors.channel_lost.close, errors.channel_lost.text);

  const makeRoom = (participant: string): void => {
    const own = [...all].filter(([, { admission }]) => admission.participant === participant);
    const [key, oldest] = own.find(([, { end }]) => !end.attached) ?? own[0] ?? [];
    if (own.length >= players_per_participant && key !== undefined && oldest !== undefined) lose(key, oldest);
  };

  const create = (key: string, arrival: ResumableArrival): Kept => {
    const { admission, remote } = arrival;
    makeRoom(admission.participant);
    const over = (code: number, reason: string) => finish(key, kept, code, reason);
    const player: Wire = {
      remote,
      backlog: () => 0,
      close: over,
      send(frame) {
        const text = textOf(frame);
        kept.negotiation.hears('host', text);
        kept.end.say(text);
        return !kept.end.isOver;
      },
    };
    const end = new ChannelEnd(
      'agent',
      clock,
      {
        over,
        begin: () => {
          kept.peer = enter(arrival, player);
        },
        text(text) {
          kept.negotiation.hears('page', text);
          kept.peer?.frame(text);
        },
      },
      player_grace_seconds * 1_000,
    );
    const negotiation = new Negotiation(() => tellAnswered(kept));
    const kept: Kept = { admission, end, negotiation, peer: undefined, untold: undefined, code: 1000 };
    all.set(key, kept);
    return kept;
  };

  /** The player that the page means; a new one where it is not known, or was admitted with other rights. */
  const find = (arrival: ResumableArrival): Kept => {
    const { participant, resumable, view_only = false } = arrival.admission;
    const key = `${participant} ${resumable}`;
    const known = all.get(key);
    if (known !== undefined && (known.admission.view_only ?? false) === view_only) {
      log.info({ participant }, 'a player came back');
      return known;
    }
    if (known !== undefined) lose(key, known);
    return create(key, arrival);
  };

  return {
    connect(arrival, wire) {
      const kept = find(arrival);
      const { end } = kept;
      const leg: Leg = {
        send: wire.send,
        drop: (why, ended) => wire.close(ended ? kept.code : errors.too_slow.close, why),
      };
      kept.untold = wire;
      end.attach(leg);
      return {
        frame(frame) {
          end.frame(leg, typeof frame === 'string' ? new Uint8Array() : frame);
          tellAnswered(kept);
        },
        closed: () => end.detach(leg),
      };
    },
    dismiss(participant) {
      const { close, text } = errors.forbidden;
      for (const [key, kept] of [...all])
        if (kept.admission.participant === participant) finish(key, kept, close, text);
    },
    stop(code, reason) {
      for (const [key, kept] of [...all]) finish(key, kept, code, reason);
    },
  };
};
