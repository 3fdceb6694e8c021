import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { App, Participation } from '../../shared/protocol/http.ts';
import { chooseHost, hostsOf, seatsTaken } from '../domain/allocation.ts';
import { codeSpace, freeCode } from '../domain/codes.ts';
import type { Participant } from '../domain/participants.ts';
import { isLive, openSession, type Session } from '../domain/session.ts';
import { bounds } from '../limits.ts';
import { hashOf } from '../secrets.ts';
import { addTo, commit, describeSession, happen, type Player, rules, type World } from './world.ts';

/** A session and the participant whose token was presented. */
export interface Membership {
  readonly session: Session;
  readonly participant: Participant;
}

const taken = (world: World) => seatsTaken(world.hosts.values(), world.sessions.values(), world.clock.now());

const participation = (
  session: Session,
  participant_id: string,
  participant_token: string,
  owner: boolean,
) => ({
  session: describeSession(session),
  participant_id,
  owner,
  participant_token,
});

/** The catalogue, with the seats that are there and free now. */
export const listApps = (world: World): App[] => {
  const used = taken(world);
  return [...world.store.catalogue().apps.values()].map(({ name, title, description, picture, hosts }) => {
    const able = hostsOf(name, hosts, world.hosts);
    const free = able.map((host) => Math.max(0, host.seats - (used.get(host.name) ?? 0)));
    return {
      name,
      title,
      description,
      picture: picture === undefined ? null : `/api/v1/apps/${encodeURIComponent(name)}/picture`,
      seats: able.reduce((sum, { seats }) => sum + seats, 0),
      seats_free: free.reduce((sum, seats) => sum + seats, 0),
    };
  });
};

/** Takes a seat and tells its host to start; app_unknown, app_offline or servers_busy when there is none. */
export const createSession = (world: World, app: string): Participation | Refusal => {
  const { ids, clock, log } = world;
  const { code_digits } = rules(world);
  const declined = (refusal: Refusal): Refusal => {
    log.info({ app, refused: refusal.refused }, 'no session was created');
    return refusal;
  };
  const listed = world.store.catalogue().apps.get(app)?.hosts;
  const host = chooseHost(app, listed, world.hosts, taken(world));
  if (isRefusal(host)) return declined(host);
  const codes = new Set([...world.sessions.values()].map((session) => session.code));
  const code = freeCode(code_digits, ids.below(codeSpace(code_digits)), codes);
  if (isRefusal(code)) return declined(code);
  const token = ids.secret();
  const owner = { id: ids.id(), token_hash: hashOf(token) };
  const step = openSession({ id: ids.id(), app, host: host.name, code, owner }, clock.now(), rules(world));
  commit(world, step);
  return participation(step.session, owner.id, token, true);
};

/** Makes the caller a participant of the live session that has the code; code_unknown or session_full. */
export const joinSession = (world: World, code: string): Participation | Refusal => {
  const session = [...world.sessions.values()].find((one) => isLive(one) && one.code === code);
  if (session === undefined) return refuse('code_unknown');
  const token = world.ids.secret();
  const id = world.ids.id();
  const joined = happen(world, session.id, { type: 'join', id, token_hash: hashOf(token) });
  return isRefusal(joined) ? joined : participation(joined, id, token, false);
};

/** Whose token this is in the session; session_unknown or unauthorized. */
export const memberOf = (
  world: World,
  session_id: string,
  token: string | undefined,
): Membership | Refusal => {
  const session = world.sessions.get(session_id);
  if (session === undefined) return refuse('session_unknown');
  // Looking a digest up does not leak the token through time.
  const hash = token === undefined ? undefined : hashOf(token);
  const participant = session.participants.find(({ token_hash }) => token_hash === hash);
  return participant === undefined ? refuse('unauthorized') : { session, participant };
};

/** The owner's end; forbidden to others. An ended session stays ended. */
export const endSession = (world: World, { session, participant }: Membership): Session | Refusal =>
  participant.owner ? happen(world, session.id, { type: 'end', reason: 'owner_ended' }) : refuse('forbidden');

export const leaveSession = (world: World, { session, participant }: Membership): void => {
  happen(world, session.id, { type: 'leave', participant: participant.id });
};

/** A ticket for one signalling connection, and until when (epoch ms) it is good. */
export const issueTicket = (
  world: World,
  { session, participant }: Membership,
): { ticket: string; expires: number } | Refusal => {
  const ticket = world.ids.secret();
  const issued = happen(world, session.id, {
    type: 'issue_ticket',
    participant: participant.id,
    hash: hashOf(ticket),
  });
  return isRefusal(issued) ? issued : { ticket, expires: world.clock.now() + bounds.ticket_ms };
};

/** Uses the ticket up. From then on the participant counts as connected until `playerGone`. */
export const useTicket = (world: World, session_id: string, ticket: string): Membership | Refusal => {
  const before = world.sessions.get(session_id);
  if (before === undefined) return refuse('session_unknown');
  const hash = hashOf(ticket);
  const holder = before.tickets.find((one) => one.hash === hash)?.participant;
  const session = happen(world, session_id, { type: 'use_ticket', hash });
  if (isRefusal(session)) return session;
  const participant = session.participants.find(({ id }) => id === holder);
  return participant === undefined ? refuse('ticket_unknown') : { session, participant };
};

/** Counts a player in, so that the end of the session closes it. */
export const addPlayer = (world: World, session_id: string, player: Player): (() => void) =>
  addTo(world.players, session_id, player);

/** A connection that `useTicket` let in is closed. */
export const playerGone = (world: World, session_id: string, participant: string): void => {
  happen(world, session_id, { type: 'channel_closed', participant });
};
