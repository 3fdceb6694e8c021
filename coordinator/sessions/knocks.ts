import { type Refusal, refuse } from '../../shared/errors.ts';
import { wideNetworkOf } from '../../shared/network.ts';
import type { Participation } from '../../shared/protocol/http.ts';
import { bounds } from '../kit/limits.ts';
import { hashOf } from '../kit/secrets.ts';
import { type Budget, takeHits, transactAgain } from '../kit/throttle.ts';
import type { Knock } from '../store/tables.ts';
import type { Guess } from './guesses.ts';
import { happen, type World } from './live.ts';
import { isNameTaken } from './rules-participants.ts';
import { isLive, type Session } from './rules-session.ts';

/**
 * What codes become when too many wrong ones were typed: nobody looks at them at the door. Whoever types one waits under an
 * id of its own, and only later, out of the caller's sight, is a right one brought before the owner of its session. A wrong
 * one waits for nobody. Until an owner lets them in, both see the same, and for as long.
 */

/** Knocks that may wait: of a network, of a /48, and of all. Rows, so that memory and coordinators do not matter. */
const budgetsOf = (network: string): Budget[] => {
  const window_ms = bounds.lobby_ms;
  const wide = wideNetworkOf(network);
  return [
    { name: `knocks from ${network}`, window_ms, most: bounds.knocks_waiting_of_network },
    ...(wide === network
      ? []
      : [{ name: `knocks from ${wide}`, window_ms, most: bounds.knocks_waiting_of_wide_network }]),
    { name: 'knocks', window_ms, most: bounds.knocks_waiting },
  ];
};

/** The session as one sees it who knocks: nothing of it but what the caller has said itself. */
export const describeKnock = ({ clock }: Pick<World, 'clock'>, knock: Knock): Participation['session'] => ({
  now: clock.now(),
  id: knock.id,
  app: knock.app,
  phase: 'assigned',
  code: knock.code,
  version: 1,
  participants: 0,
  invite: null,
  ends_at: knock.expires_at,
  cut_short: false,
  extendable_to: null,
  idle_at: null,
  waiting: [knock.participant_id],
  names: knock.guest_name === null ? {} : { [knock.participant_id]: knock.guest_name },
  phases: { accepted: knock.created_at },
  end: null,
});

/** Lets the caller wait, whatever the code; codes_closed when its network, or everybody together, has too many who wait. */
export const knock = async (
  world: World,
  { network, app, code, name }: Guess,
): Promise<Participation | Refusal> => {
  const { clock, db, ids } = world;
  const token = ids.secret();
  const now = clock.now();
  const row: Knock = {
    id: ids.id(),
    participant_id: ids.id(),
    token_hash: hashOf(token),
    code,
    app: app ?? null,
    guest_name: name ?? null,
    network,
    session_id: null,
    created_at: now,
    expires_at: now + bounds.lobby_ms,
  };
  const taken = await transactAgain(db, async (tables) => {
    if (!(await takeHits(tables, budgetsOf(network), now))) return false;
    await tables.knocks.insert(row);
    return true;
  });
  if (!taken) return refuse('codes_closed');
  return {
    session: describeKnock(world, row),
    participant_id: row.participant_id,
    owner: false,
    participant_token: token,
  };
};

/** Whose token this is at the door, or why there is nobody; session_unknown or unauthorized. */
export const findKnock = async (
  { clock, db }: Pick<World, 'clock' | 'db'>,
  id: string,
  token: string | undefined,
): Promise<Knock | Refusal> => {
  const found = await db.read(({ knocks }) => knocks.get({ id }));
  if (found === undefined || found.expires_at <= clock.now()) return refuse('session_unknown');
  return token !== undefined && hashOf(token) === found.token_hash ? found : refuse('unauthorized');
};

/** The caller waits no more. */
export const leaveKnock = async (world: World, { id, participant_id }: Knock): Promise<void> => {
  await world.db.transact(({ knocks }) => knocks.remove({ id }));
  for (const { id: session_id, participants } of world.sessions.values()) {
    if (participants.some((one) => one.id === participant_id))
      happen(world, session_id, { type: 'leave', participant: participant_id });
  }
};

/** The owner has let somebody in: what stood for the session leads to it from now on, for as long as it may last. */
export const openDoor = async (world: World, session: Session, participant_id: string): Promise<void> => {
  const expires_at = session.longest_end + bounds.ended_kept_ms;
  const opened = await world.db.transact(async ({ knocks }) => {
    const [found] = await knocks.find({ participant_id });
    if (found !== undefined) await knocks.update({ id: found.id }, { session_id: session.id, expires_at });
    return found;
  });
  if (opened === undefined) return;
  world.sessions.tell(opened.id);
};

/** Another coordinator may store what it took so long for after a later one's. */
const overlap_ms = 5_000;

/**
 * Brings those who typed a right code since the last call before the owner of its session, of this coordinator's sessions.
 * Each coordinator looks at every knock.
 */
export const createDoor = (world: World): (() => Promise<void>) => {
  let seen = 0;
  return async () => {
    const now = world.clock.now();
    const created_at = { from: Math.max(0, seen - overlap_ms) };
    const knocks = await world.db.read((tables) => tables.knocks.find({ created_at }));
    seen = now;
    for (const { session_id, expires_at, code, app, participant_id: id, ...row } of knocks) {
      if (session_id !== null || expires_at <= now) continue;
      const session = [...world.sessions.values()].find(
        (one) => one.code === code && (app === null || one.app === app) && isLive(one),
      );
      if (session === undefined || session.participants.some((one) => one.id === id)) continue;
      const { token_hash, network, guest_name } = row;
      const newcomer = { id, token_hash, network, invited: false, knocks: true };
      // At the door nobody learns whose name is taken: a double comes before the owner without one.
      const known = guest_name !== null && !isNameTaken(session.participants, guest_name);
      const name = known ? { name: guest_name } : {};
      happen(world, session.id, { type: 'join', ...newcomer, ...name, until: expires_at });
    }
  };
};
