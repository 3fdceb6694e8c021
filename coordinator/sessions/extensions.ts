import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { checkQuota } from '../accounts/quotas.ts';
import { occupySeat } from '../bookings/choose.ts';
import { bounds } from '../kit/limits.ts';
import { holdOf } from '../seats/holds.ts';
import { allHosts } from '../seats/hosts.ts';
import { cardOf, isBound, roomUntil } from '../seats/rules-capacity.ts';
import { cardOfSession } from '../seats/rules-hosts.ts';
import { slot_ms } from '../seats/rules-slots.ts';
import { Taken } from '../store/database.ts';
import type { Account, ReadTables, Tables } from '../store/tables.ts';
import { changeBy } from './change.ts';
import { happen, type World } from './live.ts';
import type { Membership } from './members.ts';
import { holderOf } from './rows.ts';
import { transition } from './rules-lifecycle.ts';
import { isLive, type Session } from './rules-session.ts';
import { sessionSettings } from './settings.ts';

/** Until when the seat is free after the session, with room on its card, at most as long as an extension may be. */
const freeAfter = async (
  world: World,
  { seat_slots }: Pick<ReadTables, 'seat_slots'>,
  session: Session,
): Promise<number> => {
  const { host, seat, ends_at, longest_end } = session;
  const wanted = Math.min(ends_at + bounds.extension_ms, longest_end);
  const from = Math.ceil(ends_at / slot_ms) * slot_ms;
  const slot_at = { from, to: wanted };
  const [next] = await seat_slots.find({ host, seat, slot_at }, { order: ['slot_at'], limit: 1 });
  const free = Math.min(wanted, next?.slot_at ?? wanted);
  const known = allHosts(world).get(host);
  if (known === undefined || free <= from) return free;
  const { capacity, seats } = known;
  const index = cardOfSession(known, session);
  const card = capacity.cards.find((one) => one.index === index);
  if (card === undefined || !isBound(card, capacity)) return free;
  const own = holderOf(session);
  const all = Array.from({ length: seats }, (_, at) => at);
  const held = await seat_slots.find({ host, seat: { in: all }, slot_at });
  const uses = held
    .filter((slot) => slot.holder !== own && cardOf(capacity, slot.seat)?.index === index)
    .map(holdOf);
  return roomUntil(card, capacity, uses, session.app, { from, to: free });
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
    for (const session of soon) found.push([session, await freeAfter(world, tables, session)]);
    return found;
  });
  for (const [session, to] of offers) {
    happen(world, session.id, { type: 'offer_extension', to: worthIt(session, to) ? to : null });
  }
};

/** Refuses minutes beyond the quota of the account whose session it is, which is locked. */
const checkMinutes = async (
  world: World,
  tables: Tables,
  session: Session,
  { account, to }: { readonly account: Account; readonly to: number },
): Promise<Refusal | undefined> => {
  const app = world.catalogue.now().apps.get(session.app);
  if (app === undefined) return refuse('app_unknown', session.app);
  const at = session.phases.accepted ?? world.clock.now();
  const minutes = Math.ceil((to - session.ends_at) / 60_000);
  return checkQuota(world, tables, { account, app, at, minutes, longer: true });
};

/** The session with the seat for the time after it, which is taken; whoever was quicker has made it longer already. */
const extended =
  (world: World, seen: number) =>
  async (tables: Tables, session: Session): Promise<Session | Refusal> => {
    if (!isLive(session)) return refuse('session_ended');
    // The caller had not heard yet that it was extended.
    if (session.ends_at > seen) return session;
    const early = session.ends_at - bounds.extension_offer_ms;
    if (world.clock.now() < early) {
      return refuse('extension_early', `from ${new Date(early).toISOString()}`);
    }
    if (!worthIt(session, session.longest_end)) return refuse('extension_longest');
    const { account_id, host } = session;
    const account = account_id === null ? undefined : await tables.accounts.lock({ id: account_id });
    await tables.hosts.lock({ name: host });
    const to = await freeAfter(world, tables, session);
    if (!worthIt(session, to)) return refuse('extension_refused');
    const spent = account && (await checkMinutes(world, tables, session, { account, to }));
    if (spent !== undefined) return spent;
    try {
      const from = Math.ceil(session.ends_at / slot_ms) * slot_ms;
      await occupySeat(tables, session, {
        app: session.app,
        visit: { from, to },
        holder: holderOf(session),
      });
    } catch (error) {
      if (error instanceof Taken) return refuse('extension_refused');
      throw error;
    }
    const step = transition(session, { type: 'extended', to }, world.clock.now(), sessionSettings(world));
    return isRefusal(step) ? step : step.session;
  };

/**
 * Lets the session go on for as long as its seat is free, up to an extension's length: once the end is near, and to the
 * owner only. Who asks twice gets the same longer session. Refused with forbidden, session_ended, extension_early,
 * extension_longest, extension_refused or quota_exceeded.
 */
export const extendSession = async (
  world: World,
  { session, participant }: Membership,
): Promise<Session | Refusal> => {
  if (!participant.owner) return refuse('forbidden');
  const changed = await changeBy(world, session.id, extended(world, session.ends_at));
  return isRefusal(changed) && changed.refused === 'session_unknown' ? refuse('session_ended') : changed;
};
