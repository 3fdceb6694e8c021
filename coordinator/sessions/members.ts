import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { Participation } from '../../shared/protocol/http.ts';
import { bounds } from '../kit/limits.ts';
import { hashOf } from '../kit/secrets.ts';
import type { Booking, Knock } from '../store/tables.ts';
import { change, readAgain, sessionAt } from './change.ts';
import { type Guess, guess } from './guesses.ts';
import { findKnock, knock, openDoor } from './knocks.ts';
import { addTo, happen, type Player, type World } from './live.ts';
import { playing, sessionOf } from './rows.ts';
import { closedDoor } from './rules-attendance.ts';
import type { SessionEvent } from './rules-lifecycle.ts';
import { isNameTaken, type Participant } from './rules-participants.ts';
import { isLive, type Session } from './rules-session.ts';
import { participation } from './view.ts';

/** A session and the participant whose token was presented. */
export interface Membership {
  readonly session: Session;
  readonly participant: Participant;
}

/** By what somebody wants to come in: a code, perhaps typed on an app's page, or the secret of an invite. */
export type Door = Omit<Guess, 'network'> | { readonly invite: string };

export const enter = async (
  world: World,
  session: Session,
  newcomer: {
    readonly invited: boolean;
    readonly owner: boolean;
    readonly network?: string;
    readonly name?: string | undefined;
  },
): Promise<Participation | Refusal> => {
  const token = world.ids.secret();
  const id = world.ids.id();
  const joined = await change(world, session.id, {
    type: 'join',
    id,
    token_hash: hashOf(token),
    ...newcomer,
  });
  return isRefusal(joined) ? joined : participation(world, joined, id, token, newcomer.owner);
};

/** Why an invite opens no session: its booking's time has not come, or there is nothing behind it. */
const noneYet = (booking: Booking | undefined): Refusal =>
  booking?.state === 'held' || booking?.state === 'open'
    ? refuse('booking_not_open', `it begins at ${new Date(booking.starts_at).toISOString()}`)
    : refuse('invite_unknown');

/** The live session that has the invite. */
const invitedTo = async (world: World, invite: string): Promise<Session | Refusal> => {
  const here = [...world.sessions.values()].find((one) => isLive(one) && one.invite === invite);
  if (here !== undefined) return here;
  const { row, booking } = await world.db.read(async ({ bookings, sessions }) => {
    const [found] = await sessions.find({ invite, phase: playing }, { limit: 1 });
    const [booked] = found === undefined ? await bookings.find({ invite }, { limit: 1 }) : [];
    return { row: found, booking: booked };
  });
  return (row && sessionOf(row)) ?? noneYet(booking);
};

/** The live session that has the code, and is one of the app if one is named. */
const codedTo = async (world: World, code: string, app: string | undefined): Promise<Session | undefined> => {
  const fits = (one: Session) => isLive(one) && one.code === code && (app === undefined || one.app === app);
  const here = [...world.sessions.values()].find(fits);
  if (here !== undefined) return here;
  const row = await world.db.read(async ({ codes, sessions }) => {
    const held = await codes.get({ code });
    if (held === undefined || held.free_at !== null) return undefined;
    const own = await sessions.get({ id: held.holder });
    return own ?? (await sessions.find({ booking_id: held.holder, phase: playing }, { limit: 1 }))[0];
  });
  const session = row && sessionOf(row);
  return session !== undefined && fits(session) ? session : undefined;
};

/**
 * Makes the caller a participant of the live session that has the code or the invite, whichever coordinator its host is at, which is
 * stored when the promise resolves; code_unknown, codes_closed, invite_unknown, booking_not_open, name_taken or session_full. By code
 * one may have to wait in the lobby: see `knocks.ts` for when too many wrong ones were typed.
 */
export const joinSession = async (
  world: World,
  door: Door,
  network: string,
): Promise<Participation | Refusal> => {
  if ('invite' in door) {
    const session = await invitedTo(world, door.invite);
    return isRefusal(session) ? session : enter(world, session, { invited: true, owner: false });
  }
  // Of an app that is not there, no budget is: names that callers make up must not multiply what they may try.
  const known = door.app !== undefined && world.catalogue.now().apps.has(door.app);
  const by: Guess = { ...door, app: known ? door.app : undefined, network };
  const { code, app, name } = by;
  const found = await guess(world, by, async () => {
    if (door.app !== app) return undefined;
    const session = await codedTo(world, code, app);
    if (session === undefined) return undefined;
    if (name !== undefined && isNameTaken(session.participants, name)) return refuse('name_taken');
    return enter(world, session, { invited: false, owner: false, network, name });
  });
  return found === 'not looked at' ? knock(world, { ...door, network }) : found;
};

const memberIn = (session: Session | undefined, token: string | undefined): Membership | Refusal => {
  if (session === undefined) return refuse('session_unknown');
  // Looking a digest up does not leak the token through time.
  const hash = token === undefined ? undefined : hashOf(token);
  const participant = session.participants.find(({ token_hash }) => token_hash === hash);
  return participant === undefined ? refuse('unauthorized') : { session, participant };
};

/** Whose token this is in the session, which is here; session_unknown or unauthorized. */
export const memberOf = (world: World, session_id: string, token: string | undefined): Membership | Refusal =>
  memberIn(world.sessions.get(session_id), token);

/** Who the caller is in the session, whichever coordinator its host is at, or at its door; session_unknown or unauthorized. */
export const callerOf = async (
  world: World,
  session_id: string,
  token: string | undefined,
): Promise<Membership | Knock | Refusal> => {
  const member = memberIn(await sessionAt(world, session_id), token);
  if (!isRefusal(member)) return member;
  // Whoever has just come through another coordinator is in the row only.
  if (member.refused === 'unauthorized') return memberIn(await readAgain(world, session_id), token);
  const found = await findKnock(world, session_id, token);
  if (isRefusal(found) || found.session_id === null) return found;
  return memberIn(await sessionAt(world, found.session_id), token);
};

/** Lets happen what needs no promise: at once where the session is, and in its row where it is another coordinator's. */
const tell = async (world: World, id: string, event: SessionEvent): Promise<Session | Refusal> =>
  world.sessions.has(id) ? happen(world, id, event) : change(world, id, event);

/** The owner's end, which is stored when the promise resolves; forbidden to others. An ended session stays ended. */
export const endSession = async (
  world: World,
  { session, participant }: Membership,
): Promise<Session | Refusal> =>
  participant.owner ? change(world, session.id, { type: 'end', reason: 'owner_ended' }) : refuse('forbidden');

export const leaveSession = async (world: World, { session, participant }: Membership): Promise<void> => {
  await tell(world, session.id, { type: 'leave', participant: participant.id });
};

/** A ticket for one signalling connection, and until when (epoch ms) it is good. */
export const issueTicket = (
  world: World,
  { session, participant }: Membership,
): { ticket: string; expires: number } | Refusal => {
  // A player connects where the host is; its page asks again.
  if (!world.sessions.has(session.id)) return refuse('host_offline');
  const ticket = world.ids.secret();
  const issued = happen(world, session.id, {
    type: 'issue_ticket',
    participant: participant.id,
    hash: hashOf(ticket),
  });
  return isRefusal(issued) ? issued : { ticket, expires: world.clock.now() + bounds.ticket_ms };
};

/** Who came with a ticket, and its hash. */
export interface Admitted extends Membership {
  readonly ticket: string;
}

/** A page that dials again before its old connection is known to be lost takes that connection's place. */
const closeReplaced = (world: World, session: Session, ticket: string): void => {
  if (closedDoor(session) !== undefined) return;
  const replaced = [...(world.players.get(session.id) ?? [])].filter((player) => player.ticket === ticket);
  // 1001 keeps Epic's page from dialling again, were it another one.
  for (const player of replaced) player.close(1001, 'This page was opened again elsewhere.');
};

/** Takes the ticket into use. From then on the participant has a connection until `playerGone`, and is there once `playerAnswered`. */
export const useTicket = (world: World, session_id: string, ticket: string): Admitted | Refusal => {
  const before = world.sessions.get(session_id);
  if (before === undefined) return refuse('session_unknown');
  const hash = hashOf(ticket);
  const holder = before.tickets.find((one) => one.hash === hash)?.participant;
  closeReplaced(world, before, hash);
  const session = happen(world, session_id, { type: 'use_ticket', hash });
  if (isRefusal(session)) return session;
  const participant = session.participants.find(({ id }) => id === holder);
  return participant === undefined ? refuse('ticket_unknown') : { session, participant, ticket: hash };
};

/** Counts a player in, so that the end of the session closes it. */
export const addPlayer = (world: World, session_id: string, player: Player): (() => void) =>
  addTo(world.players, session_id, player);

/** The stream was answered on a connection that `useTicket` let in. */
export const playerAnswered = (world: World, session_id: string, participant: string): void => {
  happen(world, session_id, { type: 'answered', participant });
};

/**
 * A connection that `useTicket` let in is closed, or was `cut` off and may be resumed. `streamed`: it was `playerAnswered`.
 * `ticket` is the hash of its ticket.
 */
export const playerGone = (
  world: World,
  session_id: string,
  participant: string,
  how: { readonly cut: boolean; readonly streamed: boolean; readonly ticket?: string },
): void => {
  happen(world, session_id, { type: 'channel_closed', participant, ...how });
};

/** A page tells of input: the session is not idle. */
export const noteActivity = (
  world: World,
  { session, participant }: Membership,
): Promise<Session | Refusal> => tell(world, session.id, { type: 'active', participant: participant.id });

/** The owner lets someone in from the lobby, or sends them away; forbidden to others. Stored when the promise resolves. */
export const admitGuest = async (
  world: World,
  { session, participant }: Membership,
  guest: string,
  admitted: boolean,
): Promise<Session | Refusal> => {
  if (!participant.owner) return refuse('forbidden');
  const decided = await change(world, session.id, { type: 'admit', participant: guest, admitted });
  if (isRefusal(decided)) return decided;
  if (admitted) await openDoor(world, decided, guest);
  return decided;
};
