import { Fenced } from '../kit/fenced.ts';
import type { Services } from '../kit/services.ts';
import { Unavailable } from '../store/database.ts';
import { storeSession } from './rows.ts';
import type { Session } from './rules-session.ts';

/** Sessions stored in one transaction. */
const batch_sessions = 50;
/** The wait before another try when the database does not answer. */
const retry_ms = 1_000;

/** Brings sessions into the database as they change in memory, the latest state of each. */
export interface Saver {
  /** The session has changed: it is stored soon. */
  mark(session: Session): void;
  /** Nobody can ask for the session any more: its row goes, once what is marked of it is stored. */
  forget(session_id: string): void;
  /** Resolves when everything marked of the session so far is stored; rejects with Unavailable when it cannot be now, and with Fenced when another coordinator has it. */
  saved(session_id: string): Promise<void>;
  /** Stores what is left, if the database answers, and stores nothing any more. */
  stop(): Promise<void>;
}

type Waiter = { readonly id: string; readonly done: (error?: Error) => void };

/** `fenced` is told of a host that another coordinator has taken, as soon as something about it cannot be stored. */
export const createSaver = (services: Services, fenced: (host: string) => void): Saver => {
  const { db, clock, log } = services;
  const dirty = new Map<string, Session>();
  const forgotten = new Set<string>();
  let waiters: Waiter[] = [];
  let running: Promise<void> | undefined;
  let wake: (() => void) | undefined;
  let stopped = false;
  let away = false;

  const storeBatch = async (sessions: readonly Session[], gone: readonly string[]): Promise<void> => {
    await db.transact(async (tables) => {
      for (const session of sessions) await storeSession(services, tables, session);
      if (gone.length > 0) await tables.sessions.remove({ id: { in: gone } });
    });
  };

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

  /** Stores the oldest `most` changes; false when the database cannot do it now. */
  const storeSome = async (most: number): Promise<boolean> => {
    const sessions = [...dirty.values()].slice(0, most);
    const ids = new Set(sessions.map(({ id }) => id));
    // What has changed of one is stored before its row goes: its end leaves a record, and frees seat and code.
    const gone = [...forgotten].filter((id) => ids.has(id) || !dirty.has(id)).slice(0, most);
    try {
      await storeBatch(sessions, gone);
      for (const session of sessions) if (dirty.get(session.id) === session) dirty.delete(session.id);
      for (const id of gone) forgotten.delete(id);
      settle(new Set([...ids].filter((id) => !dirty.has(id))));
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
        for (const session of sessions) if (dirty.get(session.id) === session) dirty.delete(session.id);
        for (const id of gone) forgotten.delete(id);
        settle(ids, reason);
        if (reason instanceof Fenced) fenced(reason.host);
        return true;
      }
      if (!away) log.error({ error }, 'sessions cannot be stored; it is tried again');
      away = true;
      settle(ids, reason);
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

  return {
    mark(session) {
      dirty.set(session.id, session);
      start();
    },
    forget(session_id) {
      forgotten.add(session_id);
      start();
    },
    saved: (id) =>
      dirty.has(id)
        ? new Promise((resolve, reject) => {
            waiters.push({ id, done: (error) => (error === undefined ? resolve() : reject(error)) });
          })
        : Promise.resolve(),
    async stop() {
      stopped = true;
      wake?.();
      await running;
    },
  };
};
