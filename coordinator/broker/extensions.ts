import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { isLive, type Session } from '../domain/session.ts';
import { slot_ms } from '../domain/slots.ts';
import { bounds } from '../limits.ts';
import { Taken } from '../store/database.ts';
import type { ReadTables } from '../store/tables.ts';
import { occupySeat } from './seats.ts';
import { holderOf } from './session-rows.ts';
import type { Membership } from './sessions.ts';
import { happen, type World } from './world.ts';

/** Until when the seat is free after the session, at most as long as an extension may be. */
const freeAfter = async (
  { seat_slots }: Pick<ReadTables, 'seat_slots'>,
  session: Session,
): Promise<number> => {
  const { host, seat, ends_at, longest_end } = session;
  const wanted = Math.min(ends_at + bounds.extension_ms, longest_end);
  const [next] = await seat_slots.find(
    { host, seat, slot_at: { from: Math.ceil(ends_at / slot_ms) * slot_ms, to: wanted } },
    { order: ['slot_at'], limit: 1 },
  );
  return Math.min(wanted, next?.slot_at ?? wanted);
};

/** Whether the seat may be kept on: from the end, for one slot at least. */
const worthIt = (session: Session, to: number): boolean => to - session.ends_at >= slot_ms;

/** Offers an extension to sessions that end soon, or takes the offer back when the time after them was taken. */
export const offerExtensions = async (world: World): Promise<void> => {
  const now = world.clock.now();
  const soon = [...world.sessions.values()].filter(
    (session) => isLive(session) && session.ends_at - now <= bounds.extension_offer_ms,
  );
  if (soon.length === 0) return;
  const offers = await world.db.read(async (tables) => {
    const found: [Session, number][] = [];
    for (const session of soon) found.push([session, await freeAfter(tables, session)]);
    return found;
  });
  for (const [session, to] of offers) {
    happen(world, session.id, { type: 'offer_extension', to: worthIt(session, to) ? to : null });
  }
};

/**
 * Lets the session go on for as long as its seat is free, up to an extension's length: at once, and to the owner only.
 * Refused with forbidden, session_ended or extension_refused.
 */
export const extendSession = async (
  world: World,
  { session, participant }: Membership,
): Promise<Session | Refusal> => {
  if (!participant.owner) return refuse('forbidden');
  if (!isLive(session)) return refuse('session_ended');
  const held = await world.db.transact(async (tables) => {
    await tables.hosts.lock({ name: session.host });
    const to = await freeAfter(tables, session);
    if (!worthIt(session, to)) return undefined;
    try {
      const from = Math.ceil(session.ends_at / slot_ms) * slot_ms;
      await occupySeat(tables, session, { from, to }, holderOf(session));
      return to;
    } catch (error) {
      if (error instanceof Taken) return undefined;
      throw error;
    }
  });
  if (held === undefined) return refuse('extension_refused');
  const extended = happen(world, session.id, { type: 'extended', to: held });
  if (isRefusal(extended)) return extended;
  await world.saver.saved(session.id);
  return extended;
};
