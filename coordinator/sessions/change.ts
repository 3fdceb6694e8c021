import type { Cancel } from '../../shared/clock.ts';
import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { isElsewhere } from '../catalogue/elsewhere.ts';
import { Fenced } from '../kit/fenced.ts';
import type { Tables } from '../store/tables.ts';
import { tellOfRow, topicOfHost } from './hints.ts';
import { adopt, begin, happen, takeUp, type World } from './live.ts';
import { type Stored, sessionOf, storeChange } from './rows.ts';
import { type SessionEvent, transition } from './rules-lifecycle.ts';
import { isLive, type Session } from './rules-session.ts';
import { sessionSettings } from './settings.ts';

/** The session, whichever coordinator its host is at: as it is known here, else as its row says. */
export const sessionAt = async (world: World, id: string): Promise<Session | undefined> => {
  const here = world.sessions.get(id);
  if (here !== undefined) return here;
  const row = await world.db.read(({ sessions }) => sessions.get({ id }));
  return row && sessionOf(row);
};

/** The session as its row says now, whatever was known of it here. */
export const readAgain = async (world: World, id: string): Promise<Session | undefined> => {
  const row = world.db.shared ? await world.db.read(({ sessions }) => sessions.get({ id })) : undefined;
  const session = row && sessionOf(row);
  if (row !== undefined && session !== undefined) adopt(world, { session, version: row.version });
  return world.sessions.get(id) ?? session;
};

/** What a transaction that has locked the row makes of its session. */
type Decide = (tables: Tables, session: Session) => Promise<Session | Refusal>;

/**
 * Changes a session in its row, whichever coordinator its host is at, and gives it as it is then. What has happened to it here is
 * stored first. The coordinator that has the host reads the row and does what has to be done outside. session_unknown, or what
 * `decide` refuses; rejects with Unavailable.
 */
export const changeBy = async (world: World, id: string, decide: Decide): Promise<Session | Refusal> => {
  await world.saver.saved(id).catch((error: unknown) => {
    // It is another one's by now, and the row says what it is.
    if (!(error instanceof Fenced)) throw error;
  });
  const stored = await world.db.transact(async (tables): Promise<Stored | Refusal> => {
    const row = await tables.sessions.lock({ id });
    const before = row && sessionOf(row);
    if (row === undefined || before === undefined) return refuse('session_unknown');
    const after = await decide(tables, before);
    if (isRefusal(after)) return after;
    return after === before
      ? { session: before, version: row.version }
      : storeChange(world, tables, row, after);
  });
  if (isRefusal(stored)) return stored;
  adopt(world, stored);
  tellOfRow(world.bus, stored.session);
  return world.sessions.get(id) ?? stored.session;
};

/** Lets an event happen to a session in its row: see `changeBy`. */
export const change = (world: World, id: string, event: SessionEvent): Promise<Session | Refusal> =>
  changeBy(world, id, async (_, session) => {
    const step = transition(session, event, world.clock.now(), sessionSettings(world));
    return isRefusal(step) ? step : step.session;
  });

/** Another coordinator has started a session on a host of this one. */
const beginHere = (world: World, { session, version }: Stored): void => {
  if (session.phase === 'assigned') begin(world, { session, effects: [{ type: 'start' }] }, version);
  else takeUp(world, { session, version });
  if (!world.links.has(session.host)) happen(world, session.id, { type: 'host_away' });
};

/** How far the clocks of coordinators may be apart. */
const clocks_ms = 60_000;
/** Sessions of one look. */
const portion = 500;

/**
 * Looks at what other coordinators did to sessions: takes over what became of those that are here, begins with those that were started on
 * hosts that are here, and tells who waits here for news of one that is not. Calls `nudge` when it should look before its time.
 */
export const createFollower = (world: World, nudge: () => void) => {
  const { bus, db, sessions, hosts, links, clock } = world;
  const listening = new Map<string, Cancel>();
  let looked = clock.now();
  /** Versions of rows of which who waits was told. */
  let told = new Map<string, number>();

  const fence = (host: string) => {
    for (const listener of [...world.fenced]) listener(host);
  };
  const followOwn = async () => {
    const names = [...hosts.values()].map(({ name }) => name);
    if (names.length === 0) return;
    const now = clock.now();
    const updated_at = { from: looked - clocks_ms };
    const before = new Map(world.links);
    const { rows, gone } = await db.read(async (tables) => ({
      gone: (await tables.hosts.find({ name: { in: names } })).filter((host) => isElsewhere(world, host)),
      rows: await tables.sessions.find({ host: { in: names }, updated_at }),
    }));
    // A link that has come up since is newer than what was read.
    for (const { name } of gone) if (links.get(name) === before.get(name)) fence(name);
    for (const row of rows) {
      // Most of them were stored here: reading what a row says costs more than all the rest.
      if (!hosts.has(row.host) || world.saver.knows(row.id, row.version)) continue;
      const session = sessionOf(row);
      if (session === undefined) continue;
      if (!sessions.has(row.id) && isLive(session)) beginHere(world, { session, version: row.version });
      else adopt(world, { session, version: row.version });
    }
    looked = now;
  };
  const tellOthers = async () => {
    const elsewhere = sessions.watched().filter((id) => !sessions.has(id));
    const versions = new Map<string, number>();
    for (let at = 0; at < elsewhere.length; at += portion) {
      const id = { in: elsewhere.slice(at, at + portion) };
      const rows = await db.read((tables) => tables.sessions.find({ id }));
      for (const row of rows) versions.set(row.id, row.version);
    }
    const before = told;
    told = versions;
    for (const id of elsewhere) if (before.get(id) !== versions.get(id)) sessions.tell(id);
  };
  const listen = () => {
    for (const { name } of hosts.values())
      if (!listening.has(name)) listening.set(name, bus.listen(topicOfHost(name), nudge));
    for (const [name, cancel] of listening) {
      if (hosts.has(name)) continue;
      cancel();
      listening.delete(name);
    }
  };
  return {
    async look(): Promise<void> {
      if (!db.shared) return;
      listen();
      await followOwn();
      await tellOthers();
    },
    stop() {
      for (const cancel of listening.values()) cancel();
    },
  };
};
