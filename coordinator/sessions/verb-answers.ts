import { explain, isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { Participation } from '../../shared/protocol/http.ts';
import type { SessionPhase } from '../../shared/protocol/session.ts';
import { bounds } from '../kit/limits.ts';
import type { Knock } from '../store/tables.ts';
import { sessionAt } from './change.ts';
import type { Client } from './client.ts';
import { ticketFor } from './holder.ts';
import { leaveKnock } from './knocks.ts';
import type { World } from './live.ts';
import { callerOf, leaveSession, type Membership } from './members.ts';
import { endTextFor } from './rules-ends.ts';
import { isLive, serving } from './rules-session.ts';
import { describeSession } from './view.ts';

/** The answer's `id`: the request's, if it had one. */
export const echo = (id: string | undefined): { id?: string } => (id === undefined ? {} : { id });

export const sendError = (
  { world, send }: Pick<Client, 'world' | 'send'>,
  refusal: Refusal,
  id: string | undefined,
): void => {
  world.meters.refusals.count({ code: refusal.refused });
  send({ msg: 'ERROR', code: refusal.refused, text: explain(refusal), ...echo(id) });
};

export const portOf = ({ port, protocol }: URL): string => port || (protocol === 'wss:' ? '443' : '80');

const sendConnect = async (
  client: Client,
  { session, participant_token }: Participation,
  id?: string,
): Promise<void> => {
  const { world, base, send } = client;
  const who = await callerOf(world, session.id, participant_token);
  const issued = isRefusal(who)
    ? who
    : 'session' in who
      ? await ticketFor(world, who)
      : refuse('lobby_waiting');
  if (isRefusal(issued)) {
    sendError(client, issued, id);
    return;
  }
  const url = new URL(`/api/v1/sessions/${session.id}/signalling`, base);
  url.searchParams.set('ticket', issued.ticket);
  send({
    verb: 'CONNECT_TO_SESSION',
    ip: base.hostname,
    port: portOf(base),
    code: session.code,
    session_id: session.id,
    signalling_url: url.href,
    participant_token,
    ...echo(id),
  });
};

/** Leaves the session, or its door. */
const giveUpWaiting = async (world: World, who: Membership | Knock | Refusal): Promise<void> => {
  if (isRefusal(who)) return;
  if ('session' in who) await leaveSession(world, who);
  else await leaveKnock(world, who);
};

/** Answers as soon as players may connect, or the session has ended instead. */
export const answerWhenReady = (
  client: Client,
  participation: Participation,
  progress: boolean,
  id?: string,
): void => {
  const { world, waits, send } = client;
  const { session, participant_token } = participation;
  const leave = async () => giveUpWaiting(world, await callerOf(world, session.id, participant_token));
  const failed = (error: unknown) => world.log.warn({ error }, 'a client that waits for its session');
  if (client.gone()) {
    leave().catch(failed);
    return;
  }
  let told: SessionPhase | undefined;

  const look = async () => {
    const now = await sessionAt(world, session.id);
    if (!waits.has(participation.participant_id)) return;
    if (now !== undefined && isLive(now) && !serving(now)) {
      if (progress && now.phase !== told) {
        send({ msg: 'SESSION_PROGRESS', session_id: session.id, phase: now.phase, ...echo(id) });
      }
      told = now.phase;
      return;
    }
    unwatch();
    waits.delete(participation.participant_id);
    if (now !== undefined && isLive(now)) return sendConnect(client, participation, id);
    const reason = now?.end?.reason ?? 'coordinator_forgot';
    send({
      msg: 'SESSION_FAILED',
      session_id: session.id,
      reason,
      text: endTextFor(reason, participation),
      ...echo(id),
    });
  };
  const unwatch = world.sessions.watch(session.id, () => void look().catch(failed));
  waits.set(participation.participant_id, () => {
    unwatch();
    leave().catch(failed);
  });
  look().catch(failed);
};

/**
 * Tells a client that it has to be let in, and goes on once it is. Whether there is anybody to let it in, the answer does not
 * say: who waits for nobody is told the same, and hears SESSION_NOT_EXIST as late as everybody whom nobody lets in.
 */
export const answerWhenAdmitted = (client: Client, participation: Participation, id?: string): void => {
  const { world, waits, send } = client;
  const { session, participant_id, participant_token } = participation;
  const find = () => callerOf(world, session.id, participant_token);
  const inVain = () => {
    stop();
    send({ msg: 'SESSION_NOT_EXIST', ...echo(id) });
  };
  const look = async () => {
    const who = await find();
    if (!waits.has(participant_id) || client.gone()) return;
    if (isRefusal(who)) return inVain();
    if (!('session' in who)) return;
    const { away, admitted } = who.participant;
    if (!isLive(who.session) || (away && !admitted)) return inVain();
    if (!admitted) return;
    stop();
    client.joined.add(who.session.id);
    const entered = describeSession(world, who.session, { admitted, owner: false });
    answerWhenReady(client, { ...participation, session: entered }, false, id);
  };
  const failed = (error: unknown) => world.log.warn({ error }, 'a client that waits to be let in');
  const unwatch = world.sessions.watch(session.id, () => void look().catch(failed));
  const expire = world.clock.after(bounds.lobby_ms, inVain);
  const stop = () => {
    unwatch();
    expire();
    waits.delete(participant_id);
  };
  waits.set(participant_id, () => {
    stop();
    void find()
      .then((who) => giveUpWaiting(world, who))
      .catch(failed);
  });
  sendError(client, refuse('lobby_waiting'), id);
};
