import { z } from 'zod';
import type { Cancel } from '../../shared/clock.ts';
import { errors, explain, isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { closeWith, type Frame, type Peer, type Wire } from '../../shared/socket.ts';
import type { Pipe, PipeEnd } from '../kit/bus.ts';
import { readAgain } from '../sessions/change.ts';
import { answerOf, bytesOf, issueHere, type Opening, openingSchema } from '../sessions/holder.ts';
import type { World } from '../sessions/live.ts';
import { useTicket } from '../sessions/members.ts';
import { linkLost } from './channels.ts';
import { connectPlayer } from './players.ts';

/** The first byte of what is carried says whether it is text. */
const [text, binary] = [0, 1];

const packed = (frame: Frame): Uint8Array =>
  typeof frame === 'string'
    ? Buffer.concat([Buffer.from([text]), Buffer.from(frame)])
    : Buffer.concat([Buffer.from([binary]), frame]);

const unpacked = (bytes: Uint8Array): Frame =>
  bytes[0] === text ? Buffer.from(bytes.subarray(1)).toString() : bytes.subarray(1);

const admittedSchema = z.object({ admitted: z.literal(true) });

/** Who is carried here over a pipe, as a socket: the pipe's other end has the page. */
const wireOf = (pipe: Pipe, remote: string) => {
  let peer: Peer | undefined;
  let end: { code: number; reason: string } | undefined;
  const over = (code: number, reason: string) => {
    if (end !== undefined) return;
    end = { code, reason };
    peer?.closed(code, reason);
  };
  const wire: Wire = {
    remote,
    backlog: () => 0,
    send(frame) {
      pipe.send(packed(frame));
      return end === undefined;
    },
    close(code, reason) {
      pipe.close(code, reason);
      over(code, reason);
    },
  };
  const heard: PipeEnd = {
    data: (bytes) => peer?.frame(unpacked(bytes)),
    closed: over,
    lost: () => over(1006, ''),
  };
  const connect = (made: (wire: Wire) => Peer) => {
    peer = made(wire);
    if (end !== undefined) peer.closed(end.code, end.reason);
  };
  return { heard, connect };
};

const takePlayer = (
  world: World,
  { session, ticket, resumable }: Opening & { ask: 'player' },
  from: string,
  pipe: Pipe,
): PipeEnd | undefined => {
  const admitted = useTicket(world, session, ticket);
  if (isRefusal(admitted)) {
    pipe.send(bytesOf(admitted));
    pipe.close(errors[admitted.refused].close, explain(admitted));
    return { data: () => {}, closed: () => {}, lost: () => {} };
  }
  pipe.send(bytesOf({ admitted: true }));
  const { heard, connect } = wireOf(pipe, from);
  connect(connectPlayer(world, admitted, resumable));
  return heard;
};

const giveTicket = async (
  world: World,
  { session, participant }: Opening & { ask: 'ticket' },
  pipe: Pipe,
) => {
  // Who has just come through another coordinator is in the row only.
  await readAgain(world, session);
  const here = world.sessions.get(session);
  const member = here?.participants.find(({ id }) => id === participant);
  const refusal = refuse(here === undefined ? 'host_offline' : 'unauthorized');
  const issued =
    here === undefined || member === undefined
      ? refusal
      : issueHere(world, { session: here, participant: member });
  pipe.send(bytesOf(issued));
  pipe.close(1000, '');
};

const openingOf = (bytes: Uint8Array): Opening | undefined => {
  try {
    return openingSchema.safeParse(JSON.parse(Buffer.from(bytes).toString())).data;
  } catch {
    return undefined;
  }
};

/** Does for the pages of other coordinators what only the one that has their session's host can do. */
export const serveNeighbours = (world: World): Cancel =>
  world.bus.accept((bytes, from, pipe) => {
    const opening = openingOf(bytes);
    if (opening?.ask === 'player') return takePlayer(world, opening, from, pipe);
    if (opening === undefined) return undefined;
    giveTicket(world, opening, pipe).catch((error: unknown) => {
      world.log.warn({ error }, 'a ticket for a page of another coordinator');
      pipe.close(linkLost.code, linkLost.reason);
    });
    return { data: () => {}, closed: () => {}, lost: () => {} };
  });

/**
 * Carries a player's socket to the process that has its session's host, which is the one that lets it in. `refused` makes the socket's
 * peer where it does not. A process that cannot be reached any more closes it as a lost link does: the page dials again.
 */
export const forwardPlayer =
  (
    world: World,
    process: string,
    opening: Opening & { ask: 'player' },
    refused: (refusal: Refusal) => (wire: Wire) => Peer,
  ) =>
  (wire: Wire): Peer => {
    let admitted = false;
    let turnedAway: Peer | undefined;
    const end: PipeEnd = {
      data(bytes) {
        if (admitted) return void wire.send(unpacked(bytes));
        const answer = answerOf(admittedSchema, bytes);
        if (answer === undefined) closeWith(wire, refuse('host_offline'));
        else if (isRefusal(answer)) turnedAway = refused(answer)(wire);
        else admitted = true;
      },
      closed(code, reason) {
        if (turnedAway === undefined) wire.close(code, reason);
      },
      lost: () => wire.close(linkLost.code, linkLost.reason),
    };
    const pipe = world.bus.dial(process, bytesOf(opening), end);
    return {
      frame(frame) {
        if (turnedAway === undefined) pipe.send(packed(frame));
      },
      closed(code, reason) {
        turnedAway?.closed(code, reason);
        pipe.close(code, reason);
      },
    };
  };
