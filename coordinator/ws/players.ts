import { refuse } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { closeCode, closeReason, closeWith, type Frame, type Peer, type Wire } from '../../shared/socket.ts';
import { addPlayer, type Membership, playerGone } from '../broker/sessions.ts';
import type { Channel, World } from '../broker/world.ts';
import { endTexts } from '../domain/end-texts.ts';
import { bounds } from '../limits.ts';
import { budget } from './budget.ts';
import { linkLost } from './channels.ts';

/**
 * Joins a player's socket to a channel of its host's link and copies frames both ways until either end closes.
 * The caller has used the player's ticket; from here on the participant counts as connected until the socket closes.
 */
export const connectPlayer =
  (world: World, { session, participant }: Membership) =>
  (wire: Wire): Peer => {
    const { clock, log, counters } = world;
    const { to_host, to_player } = counters.relayed;
    const remember = addPlayer(world, session.id, { participant: participant.id, close: wire.close });
    const mayPass = budget(clock, limits.messages_per_second, limits.messages_burst);
    const mayWeigh = budget(clock, bounds.player_bytes_per_second, bounds.player_bytes_burst);
    const copied = { to_host: 0, to_player: 0 };

    const end = {
      text(text: string) {
        if (!wire.send(text)) return;
        copied.to_player += 1;
        to_player.frames.value += 1;
        to_player.bytes.value += Buffer.byteLength(text);
      },
      close: (code: number, reason: string) => wire.close(closeCode(code), closeReason(reason)),
    };
    // Between the ticket and the open socket the session may have ended, or the link dropped.
    const ended = world.sessions.get(session.id)?.end;
    const link = ended === null ? world.links.get(session.host) : undefined;
    const channel: Channel | undefined = link?.openChannel({ session, participant: participant.id }, end);
    if (ended !== null) wire.close(1001, endTexts[ended?.reason ?? 'last_left']);
    else if (channel === undefined) wire.close(linkLost.code, linkLost.reason);

    const copy = (frame: Frame) => {
      if (typeof frame !== 'string') return closeWith(wire, refuse('malformed', 'a binary frame'));
      const payload = new TextEncoder().encode(frame);
      if (!mayPass(1) || !mayWeigh(payload.length)) return closeWith(wire, refuse('too_many_messages'));
      copied.to_host += 1;
      to_host.frames.value += 1;
      to_host.bytes.value += payload.length;
      channel?.data(payload);
    };
    return {
      frame: copy,
      closed(code, reason) {
        channel?.close(closeCode(code), closeReason(reason));
        remember();
        playerGone(world, session.id, participant.id);
        log.info(
          { session: session.id, participant: participant.id, close_code: code, ...copied },
          'player closed',
        );
      },
    };
  };
