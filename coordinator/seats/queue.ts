import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { QueuePlace } from '../../shared/protocol/queue.ts';
import { bounds } from '../kit/limits.ts';
import { hashOf } from '../kit/secrets.ts';
import { takeHits, transactAgain } from '../kit/throttle.ts';
import type { Account, Queued, ReadTables, Tables } from '../store/tables.ts';
import { holdsOf } from './holds.ts';
import { allHosts, drainingIn, type Seating } from './hosts.ts';
import { hostsOf, seatsFree } from './rules-allocation.ts';
import { expectedAt, freeForOthers, inOrder, isGone, keepsSeat, nextOffers } from './rules-queue.ts';
import { noteStranger, strangersAmong } from './stranger-rows.ts';
import { strangerMayQueue, strangersRoom } from './strangers.ts';

const rules = {
  claim_ms: bounds.queue_claim_ms,
  forgotten_ms: bounds.queue_forgotten_ms,
  present_ms: bounds.queue_present_ms,
};

const describe = (
  seating: Seating,
  place: Queued,
  queue: readonly Queued[],
  hosts: readonly string[],
): QueuePlace => {
  const waiting = inOrder(queue.filter(({ state }) => state === 'waiting'));
  const position = waiting.findIndex(({ id }) => id === place.id) + 1;
  const ends = [...allHosts(seating).occupants()]
    .filter(({ phase, host }) => phase !== 'ended' && hosts.includes(host))
    .map(({ ends_at }) => ends_at);
  return {
    id: place.id,
    app: place.app,
    state: place.state,
    position: place.state === 'offered' ? 0 : position,
    expected_at: place.state === 'offered' ? null : expectedAt(position, ends),
    claim_until: place.claim_until,
  };
};

const listedFor = (seating: Seating, app: string): readonly string[] =>
  seating.catalogue.now().apps.get(app)?.hosts ?? [];

/** Seats of the app that somebody may take now; one that a booking needs soon is none. */
const freeNow = async (
  seating: Seating,
  tables: Pick<ReadTables, 'seat_slots'>,
  app: string,
): Promise<number> => {
  const all = allHosts(seating);
  const able = hostsOf(app, listedFor(seating, app), all);
  const now = seating.clock.now();
  const names = { in: able.map(({ name }) => name) };
  const holds = await holdsOf(tables, { host: names }, now, now + bounds.session_ms_least);
  const free = seatsFree({
    hosts: all,
    sessions: [...all.occupants()],
    draining: drainingIn(seating.catalogue.now()),
    holds,
    now,
  });
  return free(app, able);
};

/** Takes a place at the end of the app's queue; app_unknown, app_disabled, account_required, too_many. */
export const enterQueue = async (
  seating: Seating,
  name: string,
  account: Account | undefined,
  network: string,
): Promise<(QueuePlace & { token: string }) | Refusal> => {
  const app = seating.catalogue.now().apps.get(name);
  if (app === undefined) return refuse('app_unknown', name);
  if (!app.enabled) return refuse('app_disabled');
  if (app.who_may_start === 'accounts' && account === undefined) return refuse('account_required');
  const token = seating.ids.secret();
  const now = seating.clock.now();
  const place: Queued = {
    id: seating.ids.id(),
    app: name,
    token_hash: hashOf(token),
    created_at: now,
    seen_at: now,
    claim_until: null,
    state: 'waiting',
    version: 1,
  };
  // Places cost nothing, so without this one caller could take all of them.
  const entries = {
    name: `queue from ${network}`,
    window_ms: bounds.queue_entries_ms,
    most: bounds.queue_entries_of_network,
  };
  return transactAgain(seating.db, async (tables) => {
    const { queue } = tables;
    const others = await queue.find({ app: name });
    if (others.length >= bounds.queue_places) return refuse('too_many', 'the queue is full');
    if (!(await takeHits(tables, [entries], now))) {
      return refuse('too_many_messages', 'too many places were taken from this network');
    }
    const refused =
      account === undefined ? await strangerMayQueue(seating, tables, { app: name, network }) : undefined;
    if (refused !== undefined) return refused;
    await queue.insert(place);
    if (account === undefined) {
      const expires_at = now + bounds.queue_longest_ms;
      await noteStranger(tables, { holder: place.id, kind: 'queue', network, expires_at });
    }
    return { ...describe(seating, place, [...others, place], app.hosts), token };
  });
};

const placeOf = async (
  { queue }: Pick<Tables, 'queue'>,
  id: string,
  token: string | undefined,
): Promise<Queued | Refusal> => {
  if (token === undefined) return refuse('unauthorized');
  const place = await queue.lock({ id });
  return place?.token_hash === hashOf(token) ? place : refuse('queue_unknown');
};

/** The place, which is kept for another while by asking for it; queue_unknown. */
export const askPlace = async (
  seating: Seating,
  id: string,
  token: string | undefined,
): Promise<QueuePlace | Refusal> =>
  seating.db.transact(async (tables) => {
    const place = await placeOf(tables, id, token);
    if (isRefusal(place)) return place;
    await tables.queue.update({ id }, { seen_at: seating.clock.now() });
    return describe(
      seating,
      place,
      await tables.queue.find({ app: place.app }),
      listedFor(seating, place.app),
    );
  });

/** Gives the place up; queue_unknown. */
export const leaveQueue = (
  seating: Seating,
  id: string,
  token: string | undefined,
): Promise<Refusal | undefined> =>
  seating.db.transact(async (tables) => {
    const place = await placeOf(tables, id, token);
    if (isRefusal(place)) return place;
    await tables.queue.remove({ id });
    return undefined;
  });

/** Who of those in the queue may be offered a seat, asked one after the other: strangers have their shares. */
const turnsOf = async (
  seating: Seating,
  tables: Tables,
  app: string,
  places: readonly Queued[],
): Promise<(id: string) => boolean> => {
  const strangers = await strangersAmong(
    tables,
    places.map(({ id }) => id),
  );
  const room = await strangersRoom(seating, tables, app);
  const given: string[] = [];
  return (id) => {
    const wide = strangers.get(id);
    if (wide === undefined) return true;
    const near = given.filter((one) => one === wide).length;
    if (given.length >= room.all || near >= room.of(wide)) return false;
    given.push(wide);
    return true;
  };
};

/** Lets go of those who went away, and offers free seats to those whose turn it is. */
export const moveQueue = async (seating: Seating): Promise<void> => {
  const now = seating.clock.now();
  if ((await seating.db.read(({ queue }) => queue.count({}))) === 0) return;
  await seating.db.transact(async (tables) => {
    const { queue } = tables;
    const all = await queue.find({});
    for (const { id } of all.filter((place) => isGone(place, now, rules))) await queue.remove({ id });
    const left = all.filter((place) => !isGone(place, now, rules));
    for (const [app, places] of Map.groupBy(left, (place) => place.app)) {
      const free = await freeNow(seating, tables, app);
      const mayHave = free > 0 ? await turnsOf(seating, tables, app, places) : undefined;
      for (const { id } of nextOffers(places, free, mayHave)) {
        await queue.update(
          { id },
          { state: 'offered', claim_until: now + rules.claim_ms },
          { state: 'waiting' },
        );
      }
    }
  });
};

/** How many seats those who queue keep from the caller: from an account, strangers no more than they may have. */
const seatsKept = async (
  seating: Seating,
  tables: Tables,
  app: string,
  here: readonly Queued[],
  account: Account | undefined,
): Promise<number> => {
  if (account === undefined) return here.length;
  const strangers = await strangersAmong(
    tables,
    here.map(({ id }) => id),
  );
  const room = await strangersRoom(seating, tables, app);
  return here.length - strangers.size + Math.min(strangers.size, room.all);
};

/**
 * Whether the caller may take a seat of the app now: it has been offered one, which it uses up, or there are more free
 * seats than people who queue and are there, strangers no more than may have one. Servers_busy otherwise.
 */
export const takeTurn = async (
  seating: Seating,
  tables: Tables,
  app: string,
  by: {
    readonly claim: { readonly id: string; readonly token: string } | undefined;
    readonly account: Account | undefined;
  },
): Promise<Refusal | undefined> => {
  const { queue } = tables;
  const { claim, account } = by;
  if (claim !== undefined) {
    const place = await placeOf(tables, claim.id, claim.token);
    if (isRefusal(place)) return place;
    if (place.app !== app) return refuse('queue_unknown');
    if (place.state !== 'offered') return refuse('servers_busy', 'it is not your turn yet');
    await queue.remove({ id: claim.id });
    return undefined;
  }
  const now = seating.clock.now();
  const here = (await queue.find({ app })).filter((place) => keepsSeat(place, now, rules));
  const queued = here.length === 0 ? 0 : await seatsKept(seating, tables, app, here, account);
  return queued > 0 && freeForOthers(queued, await freeNow(seating, tables, app)) === 0
    ? refuse('servers_busy', 'others wait already')
    : undefined;
};
