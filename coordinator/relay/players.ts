import { errors, refuse } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { closeCode, closeReason, closeWith, type Frame, type Peer, type Wire } from '../../shared/socket.ts';
import { budget } from '../kit/budget.ts';
import { bounds } from '../kit/limits.ts';
import type { Channel, ChannelEnd, World } from '../sessions/live.ts';
import { type Admitted, addPlayer, playerAnswered, playerGone } from '../sessions/members.ts';
import { endTextFor } from '../sessions/rules-ends.ts';
import { linkLost } from './channels.ts';

/** Exact: a byte order mark is copied like everything else. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A plain player is sent text, one that may come back the very bytes. */
const toPlayer = (payload: Uint8Array, plain: boolean): Frame | undefined => {
  if (!plain) return payload;
  try {
    return utf8.decode(payload);
  } catch {
    return undefined;
  }
};

const toHost = (frame: Frame, plain: boolean): Uint8Array | undefined => {
  if (plain && typeof frame === 'string') return new TextEncoder().encode(frame);
  return plain || typeof frame === 'string' ? undefined : frame;
};

/** Closes with which a page, or a browser that leaves it, says goodbye. All else is a cut: the page may come back. */
const goodbyes: readonly number[] = [1000, 1001, 1005];

/**
 * Joins a player's socket to a channel of its host's link and copies frames both ways until either end closes: text, or
 * for a page that named a `resumable` channel bytes, which nobody here reads. The caller has used the player's ticket; from
 * here on the participant counts as connected until the socket closes.
 */
export const connectPlayer =
  (world: World, { session, participant, ticket }: Admitted, resumable?: string) =>
  (wire: Wire): Peer => {
    const { clock, log, meters } = world;
    const { to_host, to_player } = meters.relayed;
    const plain = resumable === undefined;
    const remember = addPlayer(world, session.id, { participant: participant.id, ticket, close: wire.close });
    const { resumable_frames } = bounds;
    // A message of a resumable channel may cost its confirmation, too.
    const frames = plain ? 1 : resumable_frames;
    const mayPass = budget(clock, limits.messages_per_second * frames, limits.messages_burst * frames);
    const copied = { to_host: 0, to_player: 0 };
    let host_closed = false;
    let streamed = false;

    const answered = () => {
      if (streamed) return;
      streamed = true;
      playerAnswered(world, session.id, participant.id);
    };
    const end: ChannelEnd = {
      answered,
      data(payload) {
        const frame = toPlayer(payload, plain);
        if (frame === undefined) return false;
        if (!wire.send(frame)) return true;
        copied.to_player += 1;
        to_player.frames.value += 1;
        to_player.bytes.value += payload.length;
        return true;
      },
      close(code, reason) {
        host_closed = code !== linkLost.code;
        wire.close(closeCode(code), closeReason(reason));
      },
    };
    // Between the ticket and the open socket the session may have ended, or the link dropped.
    const ended = world.sessions.get(session.id)?.end;
    const link = ended === null ? world.links.get(session.host) : undefined;
    const able = plain || link?.resumes;
    const channel: Channel | undefined = able
      ? link?.openChannel({ session, participant: participant.id, resumable }, end)
      : undefined;
    if (ended !== null) {
      wire.close(
        1001,
        ended === undefined ? errors.session_ended.text : endTextFor(ended.reason, participant),
      );
    }
    if (ended === null && channel === undefined) wire.close(linkLost.code, linkLost.reason);
    if (channel !== undefined && link?.answers !== true) answered();

    const copy = (frame: Frame) => {
      const payload = toHost(frame, plain);
      if (payload === undefined) {
        return closeWith(wire, refuse('malformed', plain ? 'a binary frame' : 'a text frame'));
      }
      if (!mayPass(1)) return closeWith(wire, refuse('too_many_messages'));
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
        const cut = !host_closed && !goodbyes.includes(code);
        playerGone(world, session.id, participant.id, { cut, streamed, ticket });
        log.info(
          { session: session.id, participant: participant.id, close_code: code, cut, ...copied },
          'player closed',
        );
      },
    };
  };
