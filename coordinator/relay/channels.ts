import type { Clock } from '../../shared/clock.ts';
import { errors, explain, type Refusal, refuse } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { encodeRelayFrame, type RelayFrame } from '../../shared/protocol/relay-frame.ts';
import type { Wire } from '../../shared/socket.ts';
import { bounds } from '../kit/limits.ts';
import type { Channel, ChannelEnd } from '../sessions/live.ts';
import { createShares, type Owner } from './shares.ts';

/** The player connections that one link carries. They are only copied: nothing here reads what they say. */
export interface Channels {
  open(owner: Owner, player: ChannelEnd): { number: number; channel: Channel };
  /** The stream was answered on the channel. */
  answered(number: number): void;
  /** A binary frame from the host. What belongs to no open channel was sent before the host heard of its close. */
  frame(frame: RelayFrame): void;
  /** The link is gone. Idempotent. */
  closeAll(): void;
}

interface Open {
  readonly owner: Owner;
  readonly player: ChannelEnd;
  /** To be called when the channel is open no more. */
  readonly release: () => void;
}

/** What a player is told when the link to its host drops: 1012, so that its page dials again. */
export const linkLost = { code: 1012, reason: errors.host_offline.text };

const too_much = refuse('too_many_messages', 'more than your share of the connection to the host');

const isSame = (a: Owner, b: Owner): boolean => a.session === b.session && a.participant === b.participant;

export const createChannels = (wire: Wire, clock: Clock, log: Log): Channels => {
  const open = new Map<number, Open>();
  const shares = createShares(clock);
  let last = 0;

  const forget = (number: number): Open | undefined => {
    const found = open.get(number);
    open.delete(number);
    found?.release();
    return found;
  };
  const closeBoth = (number: number, refusal: Refusal) => {
    const { close } = errors[refusal.refused];
    const player = forget(number)?.player;
    wire.send(encodeRelayFrame({ kind: 'close', channel: number, code: close, reason: refusal.refused }));
    player?.close(close, explain(refusal));
  };
  const closeOwner = (owner: Owner) => {
    log.warn({ ...owner, waiting_bytes: wire.backlog() }, 'a participant sent more than its share of a link');
    for (const [number, one] of [...open]) if (isSame(one.owner, owner)) closeBoth(number, too_much);
  };
  /** Whether one more frame may go to the host; closes whoever is in the way of the others. */
  const mayPass = (number: number, owner: Owner, bytes: number): boolean => {
    const beyond = shares.spend(owner, bytes);
    if (beyond !== undefined) closeOwner(beyond);
    if (wire.backlog() > bounds.link_relay_bytes) {
      const greatest = shares.greatest();
      if (greatest !== undefined) closeOwner(greatest);
    }
    if (!open.has(number)) return false;
    if (wire.backlog() <= bounds.link_relay_bytes_most) return true;
    closeBoth(number, refuse('too_slow', 'the connection to the host'));
    return false;
  };

  return {
    open(owner, player) {
      last += 1;
      const number = last;
      open.set(number, { owner, player, release: shares.open(owner) });
      const channel: Channel = {
        data(payload) {
          if (!open.has(number) || !mayPass(number, owner, payload.length)) return;
          wire.send(encodeRelayFrame({ kind: 'data', channel: number, payload }));
        },
        close(code, reason) {
          if (forget(number) !== undefined) {
            wire.send(encodeRelayFrame({ kind: 'close', channel: number, code, reason }));
          }
        },
      };
      return { number, channel };
    },
    answered: (number) => open.get(number)?.player.answered(),
    frame(frame) {
      const player = open.get(frame.channel)?.player;
      if (player === undefined) return;
      if (frame.kind === 'close') {
        forget(frame.channel);
        return player.close(frame.code, frame.reason);
      }
      if (!player.data(frame.payload)) closeBoth(frame.channel, refuse('malformed', 'not UTF-8'));
    },
    closeAll() {
      for (const number of [...open.keys()]) forget(number)?.player.close(linkLost.code, linkLost.reason);
    },
  };
};
