import { isElsewhere } from '../catalogue/elsewhere.ts';
import { Fenced } from '../kit/fenced.ts';
import type { Services } from '../kit/services.ts';
import { Unavailable } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';
import { topicOf } from './hints.ts';
import { type Stored, sessionOf, storeChange } from './rows.ts';
import { type Happened, replay } from './rules-lifecycle.ts';
import type { Session } from './rules-session.ts';
import { sessionSettings } from './settings.ts';

/** Sessions stored in one transaction. */
const batch_sessions = 50;
/** The wait before another try when the database does not answer. */
const retry_ms = 1_000;
/** What only the process has to know is stored, too, when so much of it has happened. */
const events_most = 200;

/**
 * Brings into its row what happens to a session here. The row is the truth: where it has changed meanwhile, what happened here
 * happens to what it says now.
 */
export interface Saver {
  /** The session is here from now on, as the row of this version says. */
  track(session: Session, version: number): void;
  /** Something has happened to the session, which is so now; `news` is stored soon, all else with the next of it. */
  note(session: Session, happened: Happened, news: boolean): void;
  /**
   * The row says otherwise than is known here: the session is what `latest` makes of the facts that are not in the row. Changes nothing
   * where that version of the row, or a later one, is known.
   */
  rebase(stored: Stored, latest: (facts: readonly Happened[]) => Session): void;
  /** Whether this version of the session's row, or a later one, is known here. */
  knows(id: string, version: number): boolean;
  /** The session is another coordinator's from now on. */
  drop(id: string): void;
  /** Nobody can ask for the session any more: its row goes, once what has happened to it is stored. */
  forget(session_id: string): void;
  /** Resolves when all that has happened so far is stored; rejects with Unavailable when it cannot be now, and with Fenced when another coordinator has it. */
  saved(session_id: string): Promise<void>;
  /** Stores what is left, if the database answers, and stores nothing any more. */
  stop(): Promise<void>;
}

type Waiter = { readonly id: string; readonly done: (error?: Error) => void };

/** A session that is here. */
interface Tracked {
  session: Session;
  /** The row's, as it was last stored or read. */
  version: number;
  /** What has happened since: the last of all its `facts`. */
  events: readonly Happened[];
}

/** What a transaction is to store of a session. */
interface Portion extends Readonly<Tracked> {
  readonly tracked: Tracked;
}

/** Which of them a row has not that knows so many facts. Where it is not known whether a transaction was carried out, the row says so. */
const missing = ({ session, events }: Readonly<Tracked>, facts: number): readonly Happened[] =>
  events.slice(Math.max(0, facts - (session.facts - events.length)));

export interface SaverEars {
  /** Another coordinator has taken the host. */
  fenced(host: string): void;
  /** The row had changed, and what is stored is what became of that. */
  rebased(stored: Stored): void;
}

/** What has become of each session whose row is there still; undefined for the others. Throws Fenced. */
const storePortion = async (
  services: Services,
  tables: Tables,
  portion: Portion,
): Promise<Stored | undefined> => {
  const { session, version } = portion;
  const row = await tables.sessions.lock({ id: session.id });
  if (isElsewhere(services, await tables.hosts.get({ name: session.host }))) throw new Fenced(session.host);
  const now = row && sessionOf(row);
  if (row === undefined || now === undefined) return undefined;
  const facts = missing(portion, now.facts);
  const latest = row.version === version ? session : replay(now, facts, sessionSettings(services));
  return storeChange(services, tables, row, latest);
};

export const createSaver = (services: Services, ears: SaverEars): Saver => {
  const { db, bus, clock, log } = services;
  const known = new Map<string, Tracked>();
  const dirty = new Set<string>();
  const forgotten = new Set<string>();
  let waiters: Waiter[] = [];
  let running: Promise<void> | undefined;
  let wake: (() => void) | undefined;
  let stopped = false;
  let away = false;

  const portionOf = (id: string): Portion[] => {
    const tracked = known.get(id);
    return tracked === undefined ? [] : [{ ...tracked, tracked }];
  };

  const storeBatch = async (portions: readonly Portion[], gone: readonly string[]) =>
    await db.transact(async (tables) => {
      const stored: (Stored | undefined)[] = [];
      for (const portion of portions) stored.push(await storePortion(services, tables, portion));
      if (gone.length > 0) await tables.sessions.remove({ id: { in: gone } });
      return stored;
    });

  const settle = (ids: ReadonlySet<string>, error?: Error) => {
    const mine = waiters.filter(({ id }) => ids.has(id));
    waiters = waiters.filter((waiter) => !mine.includes(waiter));
    for (const { done } of mine) done(error);
  };

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(retry_ms, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });

  /** What is stored has not to be stored again; where the row said otherwise, that is how it is. */
  const done = ({ tracked, session, version }: Portion, stored: Stored | undefined): void => {
    const { id } = session;
    if (known.get(id) !== tracked) return;
    if (tracked.session === session) dirty.delete(id);
    if (stored === undefined || tracked.version >= stored.version) return;
    if (stored.version === version + 1) {
      tracked.events = missing(tracked, stored.session.facts);
      tracked.version = stored.version;
    } else ears.rebased(stored);
  };

  const finish = (ids: readonly string[]) => {
    for (const id of ids) forgotten.delete(id);
    settle(new Set(ids));
  };

  /** Stores the oldest `most` changes; false when the database cannot do it now. */
  const storeSome = async (most: number): Promise<boolean> => {
    const ids = [...dirty].slice(0, most);
    const portions = ids.flatMap(portionOf);
    // What has changed of one is stored before its row goes: its end leaves a record, and frees seat and code.
    const gone = [...forgotten].filter((id) => ids.includes(id) || !dirty.has(id)).slice(0, most);
    try {
      const stored = await storeBatch(portions, gone);
      for (const [at, portion] of portions.entries()) done(portion, stored[at]);
      for (const id of ids) bus.tell(topicOf(id));
      for (const id of ids) if (!known.has(id)) dirty.delete(id);
      for (const id of gone) known.delete(id);
      finish([...gone, ...ids.filter((id) => !dirty.has(id))]);
      if (away) log.info('sessions are stored again');
      away = false;
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      if (!(reason instanceof Unavailable)) {
        // One that the database refuses must not hold the others up: each by itself, and that one is given up.
        if (most > 1) return storeEach([...ids, ...gone]);
        if (!(reason instanceof Fenced))
          log.error({ error, sessions: [...ids, ...gone] }, 'a session cannot be stored');
        for (const { tracked, session } of portions)
          if (tracked.session === session) dirty.delete(session.id);
        for (const id of gone) forgotten.delete(id);
        settle(new Set(ids), reason);
        if (reason instanceof Fenced) ears.fenced(reason.host);
        return true;
      }
      if (!away) log.error({ error }, 'sessions cannot be stored; it is tried again');
      away = true;
      settle(new Set(ids), reason);
      return false;
    }
  };
  const storeEach = async (ids: readonly string[]): Promise<boolean> => {
    for (const _ of ids) if (!(await storeSome(1))) return false;
    return true;
  };

  const run = async (): Promise<void> => {
    while (dirty.size > 0 || forgotten.size > 0) {
      if (await storeSome(batch_sessions)) continue;
      if (stopped) return;
      await pause();
    }
  };
  const start = () => {
    running ??= run().finally(() => {
      running = undefined;
      if (!stopped && (dirty.size > 0 || forgotten.size > 0)) start();
    });
  };
  const mark = (id: string) => {
    dirty.add(id);
    start();
  };

  return {
    track(session, version) {
      known.set(session.id, { session, version, events: [] });
    },
    note(session, happened, news) {
      const tracked = known.get(session.id);
      if (tracked === undefined) return;
      tracked.session = session;
      tracked.events = [...tracked.events, happened];
      if (news || tracked.events.length >= events_most) mark(session.id);
    },
    rebase({ session, version }, latest) {
      const tracked = known.get(session.id);
      if (tracked === undefined || tracked.version >= version) return;
      tracked.version = version;
      tracked.events = missing(tracked, session.facts);
      tracked.session = latest(tracked.events);
    },
    knows: (id, version) => (known.get(id)?.version ?? 0) >= version,
    drop(id) {
      known.delete(id);
      dirty.delete(id);
    },
    forget(session_id) {
      forgotten.add(session_id);
      start();
    },
    saved(id) {
      const tracked = known.get(id);
      if (tracked !== undefined && tracked.events.length > 0) mark(id);
      return dirty.has(id)
        ? new Promise((resolve, reject) => {
            waiters.push({ id, done: (error) => (error === undefined ? resolve() : reject(error)) });
          })
        : Promise.resolve();
    },
    async stop() {
      stopped = true;
      wake?.();
      await running;
    },
  };
};
