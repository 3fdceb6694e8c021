import { errors, explain, type Refusal, refuse } from '../../shared/errors.ts';
import { encodeRelayFrame, type RelayFrame } from '../../shared/protocol/relay-frame.ts';
import type { Wire } from '../../shared/socket.ts';
import type { Channel, ChannelEnd } from '../broker/world.ts';

/** The player connections that one link carries. They are only copied: nothing here reads what they say. */
export interface Channels {
  open(player: ChannelEnd): { number: number; channel: Channel };
  /** A binary frame from the host. What belongs to no open channel was sent before the host heard of its close. */
  frame(frame: RelayFrame): void;
  /** The link is gone. Idempotent. */
  closeAll(): void;
}

/** What a player is told when the link to its host drops: 1012, so that its page dials again. */
export const linkLost = { code: 1012, reason: errors.host_offline.text };

export const createChannels = (wire: Wire): Channels => {
  const players = new Map<number, ChannelEnd>();
  let last = 0;

  const closeBoth = (number: number, refusal: Refusal) => {
    const { close } = errors[refusal.refused];
    players.get(number)?.close(close, explain(refusal));
    wire.send(encodeRelayFrame({ kind: 'close', channel: number, code: close, reason: refusal.refused }));
    players.delete(number);
  };

  return {
    open(player) {
      last += 1;
      const number = last;
      players.set(number, player);
      const channel: Channel = {
        data: (payload) => {
          if (players.has(number)) wire.send(encodeRelayFrame({ kind: 'data', channel: number, payload }));
        },
        close(code, reason) {
          if (players.delete(number)) {
            wire.send(encodeRelayFrame({ kind: 'close', channel: number, code, reason }));
          }
        },
      };
      return { number, channel };
    },
    frame(frame) {
      const player = players.get(frame.channel);
      if (player === undefined) return;
      if (frame.kind === 'close') {
        players.delete(frame.channel);
        return player.close(frame.code, frame.reason);
      }
      if (!player.data(frame.payload)) closeBoth(frame.channel, refuse('malformed', 'not UTF-8'));
    },
    closeAll() {
      const open = [...players.values()];
      players.clear();
      for (const player of open) player.close(linkLost.code, linkLost.reason);
    },
  };
};
